import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Rows of JSON lines that break no format, and are no examples.
struct ExampleRowTests {
    @Test func choiceAndSummariesAreChecked() throws {
        let bad: [(String, RowProblem)] = [
            (
                #"{"info": {"id": "a", "post": "p"}, "summaries": [{"text": "x"}, {"text": "y"}], "choice": 2}"#,
                .choiceOutOfRange(2)
            ),
            (
                #"{"info": {"id": "a", "post": "p"}, "summaries": [{"text": "x"}], "choice": 0}"#,
                .wrongNumberOfSummaries(1)
            ),
            (
                #"{"info": {"id": "a"}, "summaries": [{"text": "x"}, {"text": "y"}], "choice": 0}"#,
                .missingField("info.post")
            ),
            (
                #"{"info": {"id": "a", "post": "p"}, "summaries": [{"text": "x"}, {"text": 1}], "choice": 0}"#,
                .wrongType(field: "summaries.1.text", expected: "a string", got: "another type")
            ),
        ]
        try withTemporaryFolder { folder in
            for (text, problem) in bad {
                let file = try folder.adding("c.jsonl", text)
                #expect(
                    formatError { _ = try JSONLines<Comparison>(file).read() }
                        == .badRow(RowLocation(file: file.path, line: 1), problem))
            }
        }
    }

    @Test("an empty reference of a row of samples is none: it is neither read nor written")
    func emptyReferences() throws {
        let read = try JSONDecoder().decode(
            SampleRow.self, from: Foundation.Data(#"{"id": "1", "input": "p", "response": "a", "reference": ""}"#.utf8))
        #expect(read.reference == nil)
        var row = SampleRow(id: "1", input: "p", response: "a", reference: "")
        #expect(row.reference == nil && row == read)
        row.reference = ""
        #expect(try !String(decoding: JSONEncoder().encode(row), as: UTF8.self).contains("reference"))
        row.reference = "x"
        #expect(try String(decoding: JSONEncoder().encode(row), as: UTF8.self).contains(#""reference":"x""#))
    }

    @Test func nothingIsLeftOfAFailedWrite() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("t.jsonl", "old")
            let rows = [
                SampleRow(id: "1", input: "", response: ""), SampleRow(id: "2", input: "", response: "", reward: .nan),
            ]
            #expect(
                formatError { try JSONLines<SampleRow>(file).write(rows) }
                    == .badRow(RowLocation(file: file.path, line: 2), .invalidColumn("reward")))
            #expect(try String(contentsOf: file, encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["t.jsonl"])
        }
    }
}
