import Eval
import Formats
import Foundation
import Study

/// Writing the page on which annotators answer tasks.
extension SystemPreferences {
    /// Checks that `--page` does not name a file that is read, or one that this program did not write.
    /// - Throws: `InvalidSetting`; `FileError`.
    func checkPage(isNoneOf read: [URL]) throws {
        guard let path = preferences.page else { return }
        let url = URL(fileURLWithPath: path)
        let others = [preferences.preferenceTasks, preferences.pageInstructions].compactMap { $0.map { URL(fileURLWithPath: $0) } }
        guard !others.contains(where: { $0.standardizedFileURL == url.standardizedFileURL }) else {
            throw InvalidSetting("--page \(path) is also the file of --preference-tasks or --page-instructions; choose another name")
        }
        try OutputFile.check(url, option: "--page", isNoneOf: read + others)
        try AnnotationPage.checkOutput(url)
    }

    /// Writes a page for the tasks in a file.
    func writePage(ofTasks path: String, _ listener: ReportListener) throws {
        let file = URL(fileURLWithPath: path)
        if let rankings = try rankings(in: file) { return try write(annotationPage(rankings), listener) }
        try write(annotationPage(try pairs(in: file)), listener)
    }

    /// The page for pairwise tasks; nil if `--page` is not given.
    func annotationPage(_ tasks: [PairwiseTask]) throws -> AnnotationPage? {
        guard preferences.page != nil else { return nil }
        return try AnnotationPage(tasks, title: preferences.pageTitle, instructions: try instructions())
    }

    /// The page for ranking tasks; nil if `--page` is not given.
    func annotationPage(_ tasks: [RankingTask]) throws -> AnnotationPage? {
        guard preferences.page != nil else { return nil }
        return try AnnotationPage(tasks, title: preferences.pageTitle, instructions: try instructions())
    }

    func write(_ page: AnnotationPage?, _ listener: ReportListener) throws {
        guard let page, let path = preferences.page else { return }
        try AtomicFile.write(page.page.text, to: URL(fileURLWithPath: path))
        listener.note("\(path): a page for these tasks; send it to the annotators")
    }

    /// The content of `--page-instructions`; nil if it is not given.
    private func instructions() throws -> String? {
        guard let path = preferences.pageInstructions else { return nil }
        let bytes: Foundation.Data
        do {
            bytes = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw InvalidSetting("--page-instructions \(path) cannot be read: \(error.localizedDescription)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InvalidSetting("--page-instructions \(path) is not UTF-8 text")
        }
        return text
    }
}
