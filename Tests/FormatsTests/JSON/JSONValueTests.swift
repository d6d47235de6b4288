import Formats
import Foundation
import Testing
import _TestSupport

struct JSONValueTests {
    func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8), file: "test.json") }

    @Test func keepsOrderNumbersAndUnknownKeys() throws {
        let text = """
            {
              "zeta": 1e-05,
              "alpha": 10000.0,
              "big": 1000000000000000019884624838656,
              "nested": {
                "empty": {},
                "none": null,
                "list": [
                  1,
                  -2.5,
                  "a\\"b\\\\\\n\\u0001ü😀"
                ],
                "nothing": []
              },
              "flag": true
            }

            """
        #expect(try parse(text).text == text)
    }

    @Test func readsEscapesAndWhiteSpace() throws {
        let value = try parse("\t[ \"\\ud83d\\ude00\\/\\b\\f\\t\\r\\u00e9\" ,\r\n true,false , null ] ")
        #expect(value == ["😀/\u{8}\u{C}\t\ré", true, false, nil])
    }

    /// Python's numbers that are not finite hurt nobody who does not ask for them; they are no numbers to those who do.
    @Test func letsNonFiniteNumbersStandWhereNobodyAsks() throws {
        let value = try parse(#"{"a": NaN, "b": [Infinity, {"c": -Infinity}], "d": 3}"#)
        #expect(value["d"]?.int == 3)
        for number in [value["a"], value["b"]?.array?[0], value["b"]?.array?[1]["c"]] {
            let number = try #require(number)
            #expect(number.double == nil && number.int == nil && !number.isNull)
        }
        // what is written of a folder keeps its other keys as they were
        #expect(value["a"]?.text == "NaN\n" && value["b"]?.array?[1]["c"]?.text == "-Infinity\n")
    }

    @Test func givesAccessToMembers() throws {
        var value = try parse(#"{"a": 3, "b": 3.0, "c": 0.5, "d": "x", "e": null, "f": [1], "g": 1e400}"#)
        #expect(value["a"]?.int == 3)
        #expect(value["b"]?.int == 3)
        #expect(value["c"]?.int == nil)
        #expect(value["c"]?.double == 0.5)
        #expect(value["d"]?.string == "x")
        #expect(value["e"]?.isNull == true)
        #expect(value["f"]?.array == [1])
        #expect(value["g"]?.int == nil)
        #expect(value["missing"] == nil)
        #expect(value["a"]?["b"] == nil)
        value["a"] = nil
        value["d"] = "y"
        value["new"] = JSONValue(1e-5)
        #expect(value.members?.map(\.key) == ["b", "c", "d", "e", "f", "g", "new"])
        #expect(value["d"] == "y")
        #expect(value["new"]?.text == "1e-05\n")
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\"a\" 1}", 1, 6), ("{\"a\": 1,}", 1, 9), ("[1, 2", 1, 6), ("[1 2]", 1, 4),
        ("{\"a\": 1}\n x", 2, 2), ("{\"a\": 01}", 1, 9), ("[1.]", 1, 4), ("[1e]", 1, 4), ("[-]", 1, 3), ("\"a", 1, 3),
        ("\"\\x\"", 1, 4), ("\"\\u12g4\"", 1, 4), ("\"\\ud800\"", 1, 2), ("\"\\ud800\\u0041\"", 1, 2),
        ("{\"a\": 1,\n\"a\": 2}", 2, 4), ("nul", 1, 1), ("\"\n\"", 1, 2), ("[Inf]", 1, 2),
        ("nan", 1, 1), ("[-Inf]", 1, 3), ("+Infinity", 1, 1), ("{NaN: 1}", 1, 2),
    ])
    func namesTheLineOfABadText(_ text: String, line: Int, column: Int) throws {
        guard case .badJSON("test.json", let gotLine, let gotColumn, _) = checkpointError({ try parse(text) }) else {
            Issue.record("another error")
            return
        }
        #expect(gotLine == line && gotColumn == column, "\(text) → \(gotLine):\(gotColumn)")
    }

    @Test func refusesInvalidBytesDepthAndSize() throws {
        let invalid = checkpointError { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22], file: "test.json") }
        #expect(invalid == .badJSON(file: "test.json", line: 1, column: 4, reason: "a string is not valid UTF-8"))
        _ = try parse(String(repeating: "[", count: 64) + String(repeating: "]", count: 64))
        _ = checkpointError { try parse(String(repeating: "[", count: 1_000_000)) }
        let large = checkpointError {
            try JSONValue(parsing: [UInt8](repeating: 0x20, count: 5 << 20), file: "test.json")
        }
        #expect(large == .tooLarge(file: "test.json", part: "text", size: 5 << 20, limit: 4 << 20))
    }

    @Test func agreesWithFoundationOnMutatedTexts() throws {
        let original = try bytes(of: Fixtures.url("models/llama-tied-biases-llama3/config.json"))
        var generator = SplitMix(state: 95)
        var accepted = 0
        for _ in 0..<40000 {
            let text = mutated(original, using: &generator)
            guard let ours = try? JSONValue(parsing: text, file: "test.json") else { continue }
            accepted += 1
            // What we accept, Foundation accepts, and reading what we write gives the same again.
            do {
                _ = try JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
            } catch {
                // numbers beyond a Double stay text here, and are refused there
                #expect("\(error)".contains("is not representable"), "\(error)")
            }
            #expect(try JSONValue(parsing: Array(ours.text.utf8), file: "test.json") == ours)
        }
        #expect(accepted > 100)
    }
}
