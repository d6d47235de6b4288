import Data
import Foundation
import Testing
import _TestSupport

/// Files are read as streams: rows come while the rest of the file does not exist yet.
struct StreamingTests {
    private static let rowCount = 6000

    private static func line(_ number: Int, _ name: String) -> String {
        let post = String(repeating: "words and \(number) more, ", count: 60 + number % 30)
        return name.hasSuffix("csv")
            ? "\(number),s,t,\"\(post)\n\",y\n"
            : #"{"id": "\#(number)", "subreddit": "s", "title": "t", "post": "\#(post)\n", "summary": "y"}"#
    }

    /// A row is written for each that comes, some way behind the reader. One that read the whole file first, or far ahead, would
    /// come to an end that is none.
    @Test(arguments: ["train.jsonl", "train.csv", "train.json"])
    func rowsComeBeforeTheFileEnds(name: String) throws {
        try withTemporaryFolder { folder in
            let isArray = name.hasSuffix(".json")
            let start = isArray ? "[" : name.hasSuffix("csv") ? "id,subreddit,title,post,summary\n" : ""
            let path = try folder.adding(name, start)
            let file = try FileHandle(forWritingTo: path)
            try file.seekToEnd()
            var written = 0
            func put() throws {
                guard written < Self.rowCount else { return }
                let text = Self.line(written, name) + (name.hasSuffix("jsonl") ? "\n" : "")
                written += 1
                let comma = isArray && written > 1 ? "," : ""
                let end = isArray && written == Self.rowCount ? "]" : ""
                try file.write(contentsOf: Foundation.Data((comma + text + end).utf8))
            }
            // a chunk, what the reader may hold of the next, and a row
            while try file.offset() < 2 * 256 * 1024 + 64 * 1024 { try put() }
            #expect(written < Self.rowCount / 10)
            var taken = 0
            var next = 0
            let format: RowFormat = isArray ? .jsonArray : name.hasSuffix("csv") ? .csv : .jsonLines
            try RowFile<SummaryExample>(path, format: format).readEach { row, _ in
                #expect(row.id == "\(next)" && row.post.hasSuffix("\(next) more, \n"))
                next += 1
                taken += row.post.utf8.count
                try put()
            }
            #expect(next == Self.rowCount)
            #expect(taken > 9_000_000)
        }
    }

    @Test func readingStopsWhereEnoughIsRead() throws {
        try withTemporaryFolder { folder in
            let lines = (0..<2000).map { Self.line($0, "train.jsonl") }
            let file = try folder.adding("train.jsonl", lines.joined(separator: "\n") + "\nbroken")
            #expect(try RowFile<SummaryExample>(file).read(first: 2000).count == 2000)
            #expect(formatError { _ = try RowFile<SummaryExample>(file).read() } != nil)
        }
    }
}
