import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// The framing of CSV files and JSON arrays: what is read, and what is refused with file and line.
struct RowFormatTests {
    private func rows(_ name: String, _ text: String, _ policy: BadRowPolicy = .fail) throws -> [[String]] {
        try withTemporaryFolder { folder in
            let file = try folder.adding(name, text)
            return try RowFile<Pair>(file, onBadRow: policy).read().map { [$0.a, $0.b] }
        }
    }

    /// Line and problem of the first bad row, or line and text of broken framing.
    private func fault(_ name: String, bytes: [UInt8], limit: Int = 1000) throws -> (line: Int, what: String)? {
        try withTemporaryFolder { folder in
            let file = try folder.adding(name, bytes: bytes)
            switch formatError({ _ = try RowFile<Pair>(file, rowLimit: limit).read() }) {
            case .badRow(let place, let problem):
                #expect(place.file == file.path)
                return (place.line, problem.description)
            case .malformedFile(let place, let what):
                #expect(place.file == file.path)
                return (place.line, what)
            case nil: return nil
            case let other?:
                Issue.record("\(other)")
                return nil
            }
        }
    }

    static let csv: [(String, [[String]])] = [
        ("a,b\n1,2\n", [["1", "2"]]),
        ("a,b\n1,2", [["1", "2"]]),
        ("a,b\r\n1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]]),
        ("\u{feff}a,b\n1,2\n", [["1", "2"]]),
        ("\u{feff}\"a\",\"b\"\r\n\"1\",\"2\"\r\n", [["1", "2"]]),
        ("b,x,a\n1,2,3\n", [["3", "1"]]),
        (",a,b\n0,1,2\n1,3,4\n", [["1", "2"], ["3", "4"]]),
        ("a,b\n\"x\ny\",\"p\r\nq\"\n", [["x\ny", "p\r\nq"]]),
        ("a,b\n\"say \"\"hi\"\"\",\"\"\"\"\n", [["say \"hi\"", "\""]]),
        ("a,b\n\"x,y\",\",\"\n", [["x,y", ","]]),
        ("a,b\n,\n\"\",\"\"\n", [["", ""], ["", ""]]),
        ("a,b\n\n1,2\n\r\n\n3,4\n\n", [["1", "2"], ["3", "4"]]),
        ("a,b\n 1 , 2 \n", [[" 1 ", " 2 "]]),
        ("a,b\nx\ry,\"z\"", [["x\ry", "z"]]),
        ("a,b\n1,\"2\"\r", [["1", "2"]]),
        ("a,b\n", []),
    ]

    @Test(arguments: csv.indices)
    func commasQuotesAndNewlines(_ index: Int) throws {
        #expect(try rows("f.csv", Self.csv[index].0) == Self.csv[index].1)
    }

    static let badCSV: [(String, Int, String)] = [
        ("a,b\n1,2\n3\n", 3, "1 fields, but the header has 2"),
        ("a,b\n1,2,3\n", 2, "3 fields, but the header has 2"),
        ("a,b\n\"1\n\n\",2\n3,x\"y\n5,6\n", 5, "a quote inside an unquoted field"),
        ("a,b\n1,2\n\"3\"x,4\n", 3, "text between a closing quote"),
        ("a,b\n\"3\"\rx,4\n", 2, "text between a closing quote"),
        ("a,b\n1,2\n3,\"never\nclosed\n", 3, "ends inside a quoted field"),
        ("a,a\n1,2\n", 1, "\"a\" appears twice"),
        ("", 1, "the file is empty"),
        ("a,c\n1,2\n", 2, "field \"b\" is missing"),
        ("a,b\n1,\"" + String(repeating: "x\n", count: 800) + "\"\n3,4\n", 2, "longer than 1000 bytes"),
        ("a,b\n1," + String(repeating: "x", count: 1001) + "\n3,4\n", 2, "longer than 1000 bytes"),
    ]

    @Test(arguments: badCSV.indices)
    func badRecordsAreNamed(_ index: Int) throws {
        let (text, line, what) = Self.badCSV[index]
        let found = try #require(try fault("f.csv", bytes: Array(text.utf8)))
        #expect(found.line == line)
        #expect(found.what.contains(what), "\(found.what)")
    }

    @Test func badRecordsAreSkipped() throws {
        let text = "a,b\n1,2\nx\"y,3\n\"4\"z,5\n6\n7,8\n"
        #expect(try rows("f.csv", text, .skip) == [["1", "2"], ["7", "8"]])
        try withTemporaryFolder { folder in
            let long = String(repeating: "\"\"\n", count: 5000)
            let file = try folder.adding(
                "f.csv", "a,b\n1,2\n\"\(long)\",3\n4,5\n" + String(repeating: "6", count: 9000) + ",7\n8,9")
            var places: [Int] = []
            let counts = try RowFile<Pair>(file, onBadRow: .skip, rowLimit: 1000).readEach { _, place in
                places.append(place.line)
            }
            #expect(places == [2, 5004, 5006] && counts.skipped == 2)
        }
    }

    static let arrays: [(String, [[String]])] = [
        ("[]", []),
        (" \n[ ] \n", []),
        (#"[{"a": "1", "b": "2"}]"#, [["1", "2"]]),
        (
            "\u{feff}[\r\n{\"a\": \"1\", \"b\": \"2\"} ,\r\n {\"a\":\"3\",\"b\":\"4\"}\r\n]\r\n",
            [["1", "2"], ["3", "4"]]
        ),
        (
            #"[{"a": "]},{", "b": "\"[\\"}, {"b": "{", "x": [[{"y": "]"}], 1], "a": "\\\""}]"#,
            [["]},{", "\"[\\"], ["\\\"", "{"]]
        ),
        ("{\"a\": \"1\", \"b\": \"2\"}\n{\"a\": \"3\", \"b\": \"4\"}", [["1", "2"], ["3", "4"]]),
        ("", []),
    ]

    @Test(arguments: arrays.indices)
    func jsonFilesHoldAnArrayOrLines(_ index: Int) throws {
        #expect(try rows("f.json", Self.arrays[index].0) == Self.arrays[index].1)
    }

    static let badArrays: [(String, Int, String)] = [
        ("[{\"a\": \"1\", \"b\": \"2\"}\n\n{\"a\"", 3, "expected a comma"),
        ("[\n{\"a\": \"1\", \"b\": \"2\"},\n", 3, "the file ends inside the array"),
        ("[\n\n{\"a\": \"1\", \"b\": ", 3, "the file ends inside the element"),
        ("[{\"a\": \"1\", \"b\": \"2\"}]\n,", 2, "nothing after the array"),
        ("[\n1]", 2, "expected a JSON object, found a number"),
        ("[\nnull ]", 2, "expected a JSON object, found null"),
        ("[{\"a\": \"1\", \"b\": \"2\"},\n{\"a\": }]", 2, "not JSON"),
        ("[{\"a\": 1, \"b\": \"2\"}]", 1, "field \"a\" must be a string, not a number"),
        ("[\n{\"a\": \"" + String(repeating: "x", count: 1000) + "\"}]", 2, "longer than 1000 bytes"),
    ]

    @Test(arguments: badArrays.indices)
    func badElementsAreNamed(_ index: Int) throws {
        let (text, line, what) = Self.badArrays[index]
        let found = try #require(try fault("f.json", bytes: Array(text.utf8)))
        #expect(found.line == line)
        #expect(found.what.contains(what), "\(found.what)")
    }

    @Test func badElementsAreSkipped() throws {
        let text = #"[{"a": "1", "b": "2"}, 7, {"a": tru}, {"a": "3", "b": "4"}]"#
        #expect(try rows("f.json", text, .skip) == [["1", "2"], ["3", "4"]])
    }

    @Test(arguments: ["f.csv", "f.json", "f.jsonl"])
    func invalidUTF8IsABadRow(name: String) throws {
        let start = name == "f.csv" ? "a,b\n1,2\n3," : name == "f.json" ? "[\n{\"a\": \"" : "\n{\"a\": \""
        let end = name == "f.csv" ? "\n" : name == "f.json" ? "\"}]" : "\"}"
        let found = try #require(try fault(name, bytes: Array(start.utf8) + [0xc3, 0x28] + Array(end.utf8)))
        #expect(found.line == (name == "f.csv" ? 3 : 2))
        #expect(found.what.contains("not valid UTF-8"))
    }
}
