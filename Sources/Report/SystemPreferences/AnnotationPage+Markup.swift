import Formats
import Foundation
import Study

extension AnnotationPage {
    /// The HTML page.
    package var page: HTMLPage {
        let keys: HTML =
            isRanking
            ? """
            <kbd>A</kbd>, <kbd>B</kbd>, … selects an answer, <kbd>1</kbd>, <kbd>2</kbd>, … gives it a rank and selects the next one,
            """
            : "<kbd>1</kbd> to <kbd>9</kbd> choose from −4 to +4 (<kbd>5</kbd> is 0),"
        let body: HTML = """
            <header><h1 dir="auto">\(title)</h1></header>
            <noscript><p class="notice">This page needs JavaScript. Allow it, or use another browser.</p></noscript>
            <details id="instructions" open>
            <summary>Instructions</summary>
            \(instructions)</details>
            <p id="storage" class="notice" role="status" hidden></p>
            <form id="start" hidden>
            <label for="name">Your name or number</label>
            <p class="quiet">It is stored with each of your answers in the file that you send back.</p>
            <div class="row"><input id="name" maxlength="60" autocomplete="off" spellcheck="false"><button type="submit">Begin</button></div>
            <p id="kept" role="status"></p>
            </form>
            <main id="work" hidden>
            <p id="progress" aria-live="polite"></p>
            <progress id="bar" aria-label="Tasks answered" value="0" max="1"></progress>
            <div id="task">
            <h2 id="heading" tabindex="-1">Task</h2>
            <h3 class="prompt-heading">Prompt</h3>
            <div id="prompt" class="text" dir="auto"></div>
            <div id="texts"></div>
            <div id="choice"></div>
            <p id="missing" role="alert"></p>
            <div class="buttons"><button type="button" id="back">Back</button><button type="button" id="next">Next</button></div>
            <p class="quiet">Keys: \(keys) <kbd>Enter</kbd> or <kbd>N</kbd> shows the next task, <kbd>P</kbd> the previous one.</p>
            </div>
            <div id="over" hidden>
            <h2 id="over-heading" tabindex="-1">All tasks are answered</h2>
            <p>Thank you. Download your answers below and send the file back.</p>
            <div class="buttons"><button type="button" id="return">Back to the last task</button></div>
            </div>
            <section id="save">
            <h3>Your answers</h3>
            <p id="saved"></p>
            <button type="button" id="download">Download answers</button>
            <details><summary>Show answers as text</summary>
            <textarea id="lines" readonly rows="6" aria-label="Your answers as JSON lines" spellcheck="false"></textarea></details>
            </section>
            </main>
            """
        var page = HTMLPage(
            title: title, body: body, styles: [PageResource.text(PackageResources.annotate_css)],
            scripts: [PageResource.text(PackageResources.annotate_js)])
        page.data = [(id: "annotation", json: json)]
        return page
    }

    /// Checks that an existing output file was written by this program, so that it can be replaced.
    /// - Throws: `InvalidSetting` if it was not; `FileError`.
    static func checkOutput(_ url: URL) throws {
        guard let status = try FileStatus.of(url) else { return }
        guard status.kind == .file else {
            throw InvalidSetting("--page \(url.path) is \(status.kind.description); expected a file, such as annotate.html")
        }
        let begin = try FileHandle(forReadingFrom: url).read(upToCount: 4096) ?? Foundation.Data()
        guard String(decoding: begin, as: UTF8.self).contains(HTMLPage.generator) else {
            throw InvalidSetting("--page \(url.path) exists and was not written by rlhf-report; choose another name, or move the file")
        }
    }
}
