import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Rows of every shape with something changed in them: they are read or refused by name, whatever stands where.
@Suite struct ShapeMutationTests {
    private static let rows = [
        #"{"prompt": "q", "completion": "a", "label": true}"#, #"{"instruction": "q", "input": "i", "output": "a"}"#,
        #"{"instruction": "q", "output_1": "a", "output_2": "b", "preference": 1}"#, #"{"prompt": "q", "chosen": "a", "rejected": "b"}"#,
        #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}"#,
        #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
        #"{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}"#,
        #"{"prompt": "q", "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}"#,
    ]
    private static let values = [
        "null", "\"\"", "0", "2", "-1", "1.5", "true", "[]", "{}", "[1]", "[{}]", "\"x\"", "[\"a\", \"b\"]", "\"\\n\\nHuman:\"",
    ]

    @Test("a value of another kind in any column is read or refused with file and line, never passed over", arguments: rows.indices)
    func columns(_ index: Int) throws {
        let row = Self.rows[index]
        let columns = try #require(try JSONValue(parsing: Array(row.utf8), file: "row").members)
        var refused = 0
        for (place, _) in columns.enumerated() {
            for value in Self.values {
                let changed =
                    "{"
                    + columns.enumerated().map { at, member in
                        JSONValue.quoted(member.key) + ": " + (at == place ? value : ShapeFixture.line(member.value))
                    }.joined(separator: ", ") + "}"
                for shapes in [RowShape.builtIn, Array(RowShape.builtIn.suffix(1))] {
                    for found in [count(SummaryExample.self, row, changed, shapes), count(Comparison.self, row, changed, shapes)] {
                        #expect(found.read + found.skipped == 3)
                        refused += found.skipped
                    }
                }
            }
        }
        #expect(refused > 100)
    }

    private func count<Row: CorpusRow>(_ type: Row.Type, _ row: String, _ changed: String, _ shapes: [RowShape]) -> RowCounts {
        (try? ShapeFixture.read(type, [row, changed, row], shapes: shapes, onBadRow: .skip).counts) ?? RowCounts()
    }
}
