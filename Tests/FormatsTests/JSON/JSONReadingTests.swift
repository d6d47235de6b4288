import Formats
import Testing

/// What the readers of rows and tokenizers ask of the one JSON value.
struct JSONReadingTests {
    private func parse(_ text: String, _ reading: JSONReading) throws -> JSONValue {
        try JSONValue(parsing: Array(text.utf8), reading)
    }

    private func fault(_ text: String, _ reading: JSONReading) -> JSONError? {
        #expect(throws: JSONError.self) { try parse(text, reading) }
    }

    @Test func ofRepeatedKeysAllStayAndTheLastCounts() throws {
        let text = #"{"a": 1, "b": 2, "a": 3}"#
        let value = try parse(text, .repeatedKeys)
        #expect(value.members?.map(\.key) == ["a", "b", "a"] && value["a"]?.integer == 3)
        #expect(fault(text, [])?.reason == "the key \"a\" is repeated")
        #expect(value.setting("a", to: 4).members?.map(\.value) == [1, 2, 4])
        #expect(value.removing(["a"]) == ["b": 2])
    }

    /// Two tokens may look the same and differ in their bytes.
    @Test func keysAreToldApartByTheirBytes() throws {
        let value = try parse("{\"caf\u{e9}\": 1, \"cafe\u{301}\": 2}", .repeatedKeys)
        #expect(value["caf\u{e9}"]?.integer == 1 && value["cafe\u{301}"]?.integer == 2)
        #expect(value.removing(["caf\u{e9}"]).members?.map(\.value) == [2])
    }

    @Test func numbersKeepTheirText() throws {
        let texts = ["-0", "1.0", "1e-05", "1000000000000000019884624838656", "9223372036854775808", "NaN", "-Infinity"]
        let value = try parse("[" + texts.joined(separator: ",") + "]", [])
        #expect(value.array?.map(\.text) == texts.map { $0 + "\n" })
        #expect(value.array?.map(\.integer) == [0, nil, nil, nil, nil, nil, nil])
        #expect(value.array?.map(\.int) == [0, 1, nil, nil, nil, nil, nil])
        #expect(value.array?.map(\.double) == [0, 1, 1e-05, 1e30, 9_223_372_036_854_775_808, nil, nil])
    }

    @Test func numbersBeyondAllDoublesAreLetPassWhereTheyMayStand() throws {
        #expect(try parse("[1e999]", .hugeNumbers).array?.first?.double == nil)
        let met = try #require(fault("[\n  1e999]", []))
        #expect(met.line == 2 && met.reason == "\"1e999\" is not a number")
    }

    @Test func aMarkIsLetPassWhereItMayStand() throws {
        #expect(try parse("\u{feff}[1]", .byteOrderMark) == [1])
        #expect(fault("\u{feff}[1]", []) != nil)
    }

    @Test func nullIsAValueAndMayCountAsNone() throws {
        let value = try parse(#"{"a": null}"#, [])
        #expect(value["a"] == .null && value["a"]?.unlessNull == nil && value["b"] == nil)
        #expect(value.kind == "an object" && value["a"]?.kind == "null")
    }

    @Test func nestingHasALimit() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let deep = { (count: Int) in
                String(repeating: open, count: count) + "0" + String(repeating: close, count: count)
            }
            #expect(throws: Never.self) { try parse(deep(128), []) }
            #expect(fault(deep(129), [])?.reason == "nested deeper than 128 levels")
            #expect(fault(String(repeating: open, count: 1_000_000), []) != nil)
        }
    }

    /// The merges of a tokenizer stay readable.
    @Test func pairsOfStringsMayTakeOneLine() throws {
        let value: JSONValue = ["merges": [["a", "b"], ["c"]], "ids": [1, 2], "list": ["a", "b", "c"], "none": [], "nothing": [:]]
        let text = """
            {
              "merges": [
                ["a", "b"],
                ["c"]
              ],
              "ids": [
                1,
                2
              ],
              "list": [
                "a",
                "b",
                "c"
              ],
              "none": [],
              "nothing": {}
            }

            """
        #expect(String(decoding: value.serialised(keepsPairsTogether: true), as: UTF8.self) == text)
        #expect(value.text.contains("[\n      \"a\",\n      \"b\"\n    ]"))
        #expect(try parse(text, []) == value && parse(value.text, []) == value)
    }

    @Test func controlCharactersAreEscaped() throws {
        let text = String(String.UnicodeScalarView((0..<0x80).compactMap(Unicode.Scalar.init))) + "ü\u{2028}😀"
        let quoted = JSONValue.quoted(text)
        #expect(quoted.hasPrefix(#""\u0000\u0001"#) && quoted.contains(#"\u0007\b\t\n\u000b\f\r\u000e"#))
        #expect(try parse(quoted, []) == .string(text))
    }
}
