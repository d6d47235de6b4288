internal import Formats
internal import Foundation
import Runs

/// One self-contained page: its styles, scripts and data are inline, and it loads nothing.
///
/// A content security policy blocks everything else in the browser, so that a mistake in the markup cannot run a script.
package struct HTMLPage {
    /// The title in the browser's tab.
    package var title: String
    /// The content of the page's body.
    package var body: HTML
    /// Style sheets, in order, after the common one.
    package var styles: [String]
    /// Scripts, in order. The page must be readable without them.
    package var scripts: [String]
    /// JSON data for scripts, by the ID of their element.
    package var data: [(id: String, json: String)] = []

    /// Creates a page without data.
    package init(title: String, body: HTML, styles: [String] = [], scripts: [String] = []) {
        (self.title, self.body, self.styles, self.scripts) = (title, body, styles, scripts)
    }

    /// The value of the page's `generator` meta element. Files without it are not overwritten.
    package static let generator = "swift-rlhf rlhf-report html"

    /// The text of the HTML file.
    package var text: String {
        let style = ([PageResource.style] + styles).joined(separator: "\n")
        let script = scripts.joined(separator: "\n")
        // the nonce is a checksum of the whole content, so text in the page cannot contain it
        var checksum = CRC64()
        checksum.update(Array((title + body.source + style + script + data.map(\.json).joined()).utf8))
        let nonce = checksum.digits
        let policy =
            "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'nonce-\(nonce)'; base-uri 'none'; "
            + "form-action 'none'"
        let dataElements = data.map { id, json in
            HTML(trusted: "<script type=\"application/json\" id=\"\(HTML.escaped(id))\">\(Self.embedded(json))</script>\n")
        }
        let scriptElement: HTML =
            script.isEmpty ? "" : "<script nonce=\"\(nonce)\">\n\(HTML(trusted: script))\n</script>"
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="generator" content="\(Self.generator)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(title)</title>
            <link rel="icon" href="data:,">
            <style>
            \(HTML(trusted: style))
            </style>
            </head>
            <body>
            \(body)
            \(dataElements)\(scriptElement)
            </body>
            </html>

            """
        return page.source
    }

    /// Escapes JSON for a script element, so that no character in it can end the element or begin another.
    static func embedded(_ json: String) -> String {
        json.replacing("&", with: "\\u0026").replacing("<", with: "\\u003c").replacing(">", with: "\\u003e")
            .replacing("\u{2028}", with: "\\u2028").replacing("\u{2029}", with: "\\u2029")
    }
}

/// The style sheets and scripts of pages, which are separate files next to the source and are compiled in.
package enum PageResource {
    /// The style that all pages share: light, dark and print colours, text, tables and pictures.
    package static var style: String { text(PackageResources.page_css) }

    /// The script that adds sort buttons to the headings of sortable tables.
    package static var sorting: String { text(PackageResources.sort_js) }

    /// Decodes a resource as UTF-8 text.
    package static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
