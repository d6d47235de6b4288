import Formats
import Foundation
import Runs

/// Writes the files of a result: its numbers as JSON, its text as Markdown and its picture as SVG.
enum ReportFiles {
    /// Writes `NAME.json`, `NAME.md` and, if there is a picture, `NAME.svg` into a folder.
    /// - Throws: `FileError`; `ResultError.notFinite`, before anything is written, for NaN or Inf.
    static func write(_ result: some Encodable, named name: String, markdown: String, svg: String? = nil, to folder: URL) throws {
        let json = try ResultJSON.text(of: result)
        for (ending, text) in [("json", json), ("md", markdown), ("svg", svg)] {
            if let text { try AtomicFile.write(text, to: folder.appendingPathComponent("\(name).\(ending)")) }
        }
    }
}
