import Formats
import Foundation
import Testing
import _TestSupport

struct JSONLinesTests {
    private struct Post: Codable, Equatable {
        var id: String
        var subreddit = "s"
        var title = "t"
        var post = "p"
        var summary = "y"
    }

    private func line(_ id: String) -> String {
        #"{"id": "\#(id)", "subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#
    }

    @Test func writesAndReadsBack() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("rows.jsonl")
            let rows = (0..<1000).map {
                Post(id: "\($0)", post: "line\nbreak \u{1f600} \"quoted\" \(String(repeating: "x", count: $0))")
            }
            try JSONLines(file).write(rows)
            #expect(try JSONLines<Post>(file).read() == rows)
            #expect(try JSONLines<Post>(file).read(first: 3) == Array(rows[..<3]))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["rows.jsonl"])
        }
    }

    @Test func marksCarriageReturnsAndBlankLinesAreNoContent() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("a.jsonl", "\u{feff}" + line("a") + "\r\n\r\n  \n" + line("b") + "\r\n")
            #expect(try JSONLines<Post>(file).read().map(\.id) == ["a", "b"])
            let empty = try folder.adding("empty.jsonl", "")
            #expect(try JSONLines<Post>(empty).read().isEmpty)
        }
    }

    @Test func gzipIsReadAsItIs() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("a.jsonl", line("a") + "\n" + line("b"))
            let gzip = Process()
            gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            gzip.arguments = ["gzip", file.path]
            try gzip.run()
            gzip.waitUntilExit()
            let packed = folder.appendingPathComponent("a.jsonl.gz")
            #expect(try JSONLines<Post>(packed).read().map(\.id) == ["a", "b"])
            #expect(try JSONLines<Post>(packed).read(first: 1).map(\.id) == ["a"])
            // Cut off: the rows may come, but the end is an error.
            let bytes = try Foundation.Data(contentsOf: packed)
            let cut = try folder.adding("cut.gz", bytes: Array(bytes.dropLast(6)))
            #expect(
                formatError { _ = try JSONLines<Post>(cut).read() }
                    == .damagedArchive(path: cut.path, reason: "unexpected end of file"))
        }
    }

    static let badLines: [(String, RowProblem)] = [
        (
            #"{"id": "a""#,
            .malformed(
                "not JSON: the text ends where ',' or '}' should be: each row must be on one line; objects that span several lines "
                    + #"are read from .json files ("{"id": "a"")"#)
        ),
        (#"{"id": "a", "subreddit": "s", "title": "t", "summary": "y"}"#, .missingField("post")),
        (#"{"id": "a", "subreddit": "s", "title": "t", "post": null, "summary": "y"}"#, .missingField("post")),
        (
            #"{"id": 3, "subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#,
            .wrongType(field: "id", expected: "a string", got: "another type")
        ),
    ]

    @Test(arguments: badLines.indices)
    func badLinesAreNamed(_ index: Int) throws {
        let (bad, problem) = Self.badLines[index]
        try withTemporaryFolder { folder in
            let file = try folder.adding("rows.jsonl", line("a") + "\n" + bad + "\n" + line("b") + "\n")
            let place = RowLocation(file: file.path, line: 2)
            #expect(formatError { _ = try JSONLines<Post>(file).read() } == .badRow(place, problem))
            var ids: [String] = []
            let counts = try JSONLines<Post>(file, onBadRow: .skip).readEach { row, _ in ids.append(row.id) }
            #expect(ids == ["a", "b"])
            #expect(counts.read == 2 && counts.skipped == 1)
            #expect(counts.problems == [FormatError.badRow(place, problem).description])
            #expect(counts.problems[0].hasPrefix(file.path + ":2: ") && !counts.problems[0].contains("\n"))
        }
    }

    @Test func invalidUTF8IsABadRow() throws {
        try withTemporaryFolder { folder in
            let bad =
                Array(#"{"id": "a", "subreddit": "s", "title": "t", "post": ""#.utf8) + [0xff, 0xfe]
                + Array(#"", "summary": "y"}"#.utf8)
            let file = try folder.adding("rows.jsonl", bytes: bad)
            #expect(
                formatError { _ = try JSONLines<Post>(file).read() }
                    == .badRow(RowLocation(file: file.path, line: 1), .invalidUTF8))
        }
    }

    @Test func longLinesAreReadPast() throws {
        try withTemporaryFolder { folder in
            let long = #"{"id": ""# + String(repeating: "x", count: 3_000_000)
            let file = try folder.adding("rows.jsonl", line("a") + "\n" + long + "\n" + line("b") + "\n" + long)
            let lines = JSONLines<Post>(file, onBadRow: .skip, lineLimit: 1000)
            var places: [Int] = []
            let counts = try lines.readEach { _, place in places.append(place.line) }
            #expect(places == [1, 3])
            #expect(counts.skipped == 2)
            #expect(
                formatError { _ = try JSONLines<Post>(file, lineLimit: 1000).read() }
                    == .badRow(RowLocation(file: file.path, line: 2), .tooLong(limit: 1000)))
        }
    }

    @Test func filesThatCannotBeReadAreNamed() throws {
        try withTemporaryFolder { folder in
            let missing = folder.appendingPathComponent("none.jsonl")
            #expect(
                formatError { _ = try JSONLines<Post>(missing).read() }
                    == .unreadable(path: missing.path, reason: "No such file or directory"))
            guard case .unreadable = formatError({ _ = try JSONLines<Post>(folder).read() }) else {
                Issue.record("a folder was read as a file")
                return
            }
            let nowhere = folder.appendingPathComponent("no/such/folder.jsonl")
            #expect(throws: FileError.cannotCreate(path: nowhere.path, SystemError(code: ENOENT))) {
                try JSONLines<Post>(nowhere).write([])
            }
        }
    }
}
