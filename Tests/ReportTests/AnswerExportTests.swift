import Data
import Formats
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// Answers for other programs, and columns of rewards that need no model.
@Suite struct AnswerExportTests {
    private let folder: TemporaryFolder
    private let alpaca = PromptFormat.alpaca.prompt(subreddit: "", title: "b, a", post: "Sort.")
    private let alone = PromptFormat.alpacaWithoutInput.prompt(subreddit: "", title: "", post: "Say \"hé\".")

    init() throws {
        folder = try TemporaryFolder()
        let rows = [(alpaca, " a, b\n", 0), (alpaca, "b, a", 0), (alone, "hé", 1), ("Question: why?\nAnswer:", " so", 2)]
        let run = try RunFolder(
            at: folder["bon"],
            configuration: RunConfiguration(stage: .bestOfN, program: "test", options: ["dataset": .string("sets/mine")]))
        for table in ["test", "ood_test"] {
            try run.tables.append(
                rows.map { SampleRow(id: "r\($0.2)", input: $0.0, response: $0.1, reference: "a, b") }, to: table)
        }
        try run.writeResult { _ in }
    }

    private func export(_ change: (inout AnswerExport) -> Void = { _ in }) throws -> (text: String, notes: [String]) {
        var task = AnswerExport()
        task.export.export = "bon"
        task.export.exportOutput = folder["out.json"].path
        task.measuring.outputDir = folder.url.path
        change(&task)
        var listener = ReportListener()
        var notes: [String] = []
        listener.note = { notes.append($0) }
        try task.run(listener)
        return (try String(contentsOf: folder["out.json"], encoding: .utf8), notes)
    }

    @Test("a file for alpaca_eval is an array with the first answer to each instruction, out of Alpaca's prompts")
    func alpacaEval() throws {
        let (text, notes) = try export()
        let answers = try #require(try JSONValue(parsing: Array(text.utf8), file: "out.json").array)
        #expect(answers.map { $0["instruction"]?.string } == ["Sort.\n\nb, a", "Say \"hé\".", "Question: why?\nAnswer:"])
        #expect(answers.map { $0["output"]?.string } == ["a, b", "hé", "so"])
        #expect(answers.allSatisfy { $0["generator"]?.string == "bon" && $0["dataset"]?.string == "mine" && $0.members?.count == 4 })
        #expect(notes.contains { $0.contains("3 answers of bon") && $0.contains("1 further ones are left out") })
        #expect(notes.contains { $0.contains("--prompt-template") })
    }

    @Test("lines, other names, another table and a template of one's own")
    func lines() throws {
        let (text, _) = try export {
            $0.export.export = "bon:ood_test"
            ($0.export.format, $0.export.generator, $0.export.datasetName) = ("jsonl", "best", "ours")
        }
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains(#""generator": "best", "dataset": "ours""#) })
        let error = #expect(throws: InvalidSetting.self) { try export { $0.export.promptTemplate = "Question: {post}\nAnswer:" } }
        #expect(error?.message.contains("the prompt of row r0") == true)
        #expect(throws: InvalidSetting.self) { try export { $0.export.promptTemplate = "no place" } }
        #expect(throws: InvalidSetting.self) { try export { $0.export.format = "xml" } }
        #expect(throws: RunFolderError.self) { try export { $0.export.tableName = "none" } }
        // a table is never lost to its own export
        #expect(throws: InvalidSetting.self) { try export { $0.export.exportOutput = folder["bon/tables/test.jsonl"].path } }
    }

    @Test("rows are scored by a reward that needs no model")
    func scores() throws {
        var scoring = RowScoring()
        (scoring.scoring.score, scoring.scoring.rewardFunction, scoring.scoring.scoreColumn) = ("bon", "check", "right")
        scoring.scoring.tableNames = ["test"]
        scoring.measuring.outputDir = folder.url.path
        try scoring.run(ReportListener())
        #expect(try Tables.read("test", inRun: folder["bon"]).map { $0.numbers["right"] } == [1, 0, 0, 0])
        scoring.scoring.modelName = "rm"
        #expect(throws: InvalidSetting.self) { try scoring.run(ReportListener()) }
        (scoring.scoring.modelName, scoring.scoring.rewardFunction) = (nil, "sentiment")
        #expect(throws: InvalidSetting.self) { try scoring.run(ReportListener()) }
        scoring.scoring.rewardFunction = nil
        #expect(throws: InvalidSetting.self) { try scoring.run(ReportListener()) }
    }
}
