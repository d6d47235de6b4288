import Formats
import Testing

/// The framing of lines, records and elements, byte by byte; what rows make of it is tested where rows are read.
struct RowReaderTests {
    private func lines(_ text: String, limit: Int = 100) throws -> [LineReader.Line] {
        let reader = LineReader(ByteSource(bytes: Array(text.utf8)), limit: limit)
        var all: [LineReader.Line] = []
        while let line = try reader.next() { all.append(line) }
        #expect(reader.lineNumber == all.count)
        return all
    }

    private func records(_ text: String, limit: Int = 100) throws -> [(line: Int, result: CSVReader.Result)] {
        let reader = CSVReader(ByteSource(bytes: Array(text.utf8)), file: "a.csv", limit: limit)
        var all: [(line: Int, result: CSVReader.Result)] = []
        while let result = try reader.next() { all.append((reader.recordLine, result)) }
        return all
    }

    private func elements(_ text: String, isArray: Bool = true, limit: Int = 100) throws -> [JSONArrayReader.Element] {
        let reader = JSONArrayReader(ByteSource(bytes: Array(text.utf8)), file: "a.json", limit: limit, isArray: isArray)
        var all: [JSONArrayReader.Element] = []
        while let element = try reader.next() { all.append(element) }
        return all
    }

    private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func linesEndAsFilesEndThem() throws {
        #expect(try lines("\u{feff}a\r\nb\n\nc") == [.text(text("a")), .text(text("b")), .text([]), .text(text("c"))])
        #expect(try lines("{}\r{}\r") == [.text(text("{}")), .text(text("{}"))])
        #expect(try lines("") == [] && lines("\n") == [.text([])])
        #expect(try lines("abcd\nab\nabcd", limit: 3) == [.tooLong, .text(text("ab")), .tooLong])
    }

    @Test func recordsHoldWhatIsQuoted() throws {
        let all = try records("\u{feff}a,\"b \"\"q\"\", c\"\r\n\n\"d\ne\",\n")
        #expect(all.map(\.result) == [.fields(["a", "b \"q\", c"]), .fields(["d\ne", ""])])
        #expect(all.map(\.line) == [1, 3])
        let bad = try records("a\"b\nc\n\"d\"e\nf\n")
        #expect(
            bad.map(\.result) == [
                .bad(.malformed("a quote inside an unquoted field")), .fields(["c"]),
                .bad(.malformed("text between a closing quote and the next comma")), .fields(["f"]),
            ])
        #expect(
            try records("abcd\n\"a\nb\"\nc\n", limit: 3).map(\.result) == [
                .bad(.tooLong(limit: 3)), .bad(.tooLong(limit: 3)), .fields(["c"]),
            ])
        let end = "the file ends inside a quoted field of this record"
        #expect(throws: FormatError.malformedFile(RowLocation(file: "a.csv", line: 2), end)) {
            try records("a\n\"b")
        }
    }

    @Test func elementsAreCutAtTheirEnds() throws {
        let wanted = ["{\"a\": \"]},\"}", "[1, [2]]", "null", "\"x\\\"\""]
        #expect(try elements("[" + wanted.joined(separator: " ,\n") + "]") == wanted.map { .text(text($0)) })
        #expect(try elements("{\"a\":\n1}\n{}", isArray: false) == [.text(text("{\"a\":\n1}")), .text(text("{}"))])
        #expect(try elements("[]") == [] && elements("[{\"a\": 1}, 2]", limit: 3) == [.tooLong, .text(text("2"))])
        for (broken, what) in [
            ("[1, 2", "the file ends inside the array; expected a comma or \"]\""), ("[1 2]", "expected a comma or \"]\""),
            ("[1]]", "expected nothing after the array"), ("{}", "expected \"[\""),
        ] {
            #expect(throws: FormatError.malformedFile(RowLocation(file: "a.json", line: 1), "not a JSON array of rows: \(what)")) {
                try elements(broken)
            }
        }
    }

    /// The path to a fault is looked for when there is one, and names its keys.
    @Test func faultsInRowsNameTheirKeys() throws {
        for (row, says) in [
            (#"{"a": {"b": [1, tru]}}"#, #"expected a value, found 't', at column 17, in "a.b.1" ("{"a": {"b": [1, tru]}}")"#),
            (#"{"a": 1} x"#, #"expected the end of the text, found 'x', at column 10 ("{"a": 1} x")"#),
            (#"{"a": {"b": "c}"#, #"the text ends inside a string, in "a.b": each row must be on one line; objects that span several"#),
            (#"{"a" 1}"#, #"expected ':', found '1', at column 6 ("{"a" 1}")"#),
        ] {
            let problem = #expect(throws: RowProblem.self) { try RowJSON.value(text(row)) }
            #expect(problem?.description.hasPrefix("malformed row: not JSON: " + says) == true, "\(problem as Any)")
        }
        #expect(throws: RowProblem.invalidUTF8) { try RowJSON.value([0x22, 0xFF, 0x22]) }
    }
}
