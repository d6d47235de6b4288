internal import Formats
internal import Foundation
import Runs

/// One self-contained page: its style, its script and its data stand in it, and it loads nothing.
///
/// A content security policy forbids the browser everything else, so that a mistake in the markup still cannot run a script.
package struct HTMLPage {
    /// What the browser's tab shows.
    package var title: String
    /// What stands in the page's body.
    package var body: HTML
    /// Style sheets, joined in their order behind the common one.
    package var styles: [String]
    /// Scripts, joined in their order. Everything must be readable without them.
    package var scripts: [String]
    /// Data that scripts read, by the id of their element.
    package var data: [(id: String, json: String)] = []

    /// A page.
    package init(title: String, body: HTML, styles: [String] = [], scripts: [String] = []) {
        (self.title, self.body, self.styles, self.scripts) = (title, body, styles, scripts)
    }

    /// What pages of this program have as their generator: files without it are not overwritten.
    package static let generator = "swift-rlhf rlhf-report html"

    /// The file's text.
    package var text: String {
        let style = ([PageResource.style] + styles).joined(separator: "\n")
        let script = scripts.joined(separator: "\n")
        // texts in the page cannot know the word that permits scripts: it depends on all of them
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

    /// JSON that can stand in an element: no character in it can end the element or begin another.
    static func embedded(_ json: String) -> String {
        json.replacing("&", with: "\\u0026").replacing("<", with: "\\u003c").replacing(">", with: "\\u003e")
            .replacing("\u{2028}", with: "\\u2028").replacing("\u{2029}", with: "\\u2029")
    }
}

/// The style sheets and scripts of pages, which lie beside the source as files of their own and are compiled in.
package enum PageResource {
    /// Colours in light, dark and on paper, text, tables and pictures: what all pages have in common.
    package static var style: String { text(PackageResources.page_css) }

    /// Buttons in the headings of tables that may be sorted.
    package static var sorting: String { text(PackageResources.sort_js) }

    /// A resource as text.
    package static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
