import Data
import Foundation
import Synchronization
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

    /// Writes some MB through a pipe that holds 64 KiB. A reader that waited for the end, or read far ahead, would let the
    /// writer run ahead of the rows that it gives out.
    @Test(arguments: ["train.jsonl", "train.csv", "train.json"])
    func rowsComeBeforeTheFileEnds(name: String) throws {
        try withTemporaryFolder { folder in
            let pipe = folder.appendingPathComponent(name)
            try #require(mkfifo(pipe.path, 0o600) == 0)
            let written = Written()
            let isArray = name.hasSuffix(".json")
            let writer = Thread {
                let file = open(pipe.path, O_WRONLY)
                func put(_ text: String) {
                    var bytes = Array(text.utf8)[...]
                    while !bytes.isEmpty {
                        let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
                        guard count > 0 else { return }
                        bytes = bytes.dropFirst(count)
                        written.bytes.add(count, ordering: .sequentiallyConsistent)
                    }
                }
                if isArray { put("[") }
                if name.hasSuffix("csv") { put("id,subreddit,title,post,summary\n") }
                for number in 0..<Self.rowCount {
                    put(
                        (isArray && number > 0 ? "," : "") + Self.line(number, name)
                            + (name.hasSuffix("jsonl") ? "\n" : ""))
                }
                if isArray { put("]") }
                close(file)
            }
            writer.start()
            var taken = 0
            var ahead = 0
            var next = 0
            let format: RowFormat = isArray ? .jsonArray : name.hasSuffix("csv") ? .csv : .jsonLines
            try RowFile<SummaryExample>(pipe, format: format).readEach { row, _ in
                #expect(row.id == "\(next)" && row.post.hasSuffix("\(next) more, \n"))
                next += 1
                taken += row.post.utf8.count
                ahead = max(ahead, written.bytes.load(ordering: .sequentiallyConsistent) - taken)
            }
            #expect(next == Self.rowCount)
            #expect(taken > 9_000_000)
            // a pipe, a chunk, a row, and the fields that `taken` leaves out
            #expect(ahead < 64 * 1024 + 256 * 1024 + 64 * 1024 + Self.rowCount * 80)
        }
    }

    @Test func readingStopsWhereEnoughIsRead() throws {
        try withTemporaryFolder { folder in
            let lines = (0..<2000).map { Self.line($0, "train.jsonl") }
            let file = try folder.adding("train.jsonl", lines.joined(separator: "\n") + "\nbroken")
            #expect(try RowFile<SummaryExample>(file).read(first: 2000).count == 2000)
            #expect(dataError { _ = try RowFile<SummaryExample>(file).read() } != nil)
        }
    }
}

/// A number that the writing thread counts up.
private final class Written: Sendable {
    let bytes = Atomic<Int>(0)
}
