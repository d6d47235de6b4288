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
        #expect(notes.contains { $0.contains("3 answers of bon") && $0.contains("1 other left out") })
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

    @Test("the data set is called by the file or folder that the table's prompts come from")
    func datasets() throws {
        func name(_ options: [String: OptionValue], _ table: String = "test") throws -> String? {
            try RunConfiguration(stage: .bestOfN, program: "test", options: options).write(inRun: folder["bon"])
            let (text, _) = try export { $0.export.tableName = table }
            return try JSONValue(parsing: Array(text.utf8), file: "out.json").array?.first?["dataset"]?.string
        }
        let files: [String: OptionValue] = ["train_file": .string("/sets/a.jsonl"), "test_file": .string("/sets/b.jsonl.gz")]
        #expect(try name(files) == "b.jsonl.gz" && name(files, "ood_test") == "a.jsonl")
        #expect(try name(["dataset": .null, "train_file": .string("sets/a.csv")]) == "a.csv")
        let divided = files.merging(["ood_column": .string("source"), "dataset": .string("sets/mine/")]) { $1 }
        #expect(try name(divided, "ood_test") == "b.jsonl.gz" && name(divided) == "b.jsonl.gz")
        #expect(try name(["dataset": .string("sets/mine"), "eval_dataset": .string("cnndm")], "ood_test") == "cnndm")
        #expect(try name([:]) == "generated" && name(["data_dir": .string("data")]) == "summarisation")
        // chosen among stored samples: the data are those of the run that drew them
        try FileManager.default.createDirectory(at: folder["draws"], withIntermediateDirectories: true)
        try RunConfiguration(stage: .bestOfN, program: "test", options: files).write(inRun: folder["draws"])
        #expect(try name(["samples_from": .string(folder["draws"].path)]) == "b.jsonl.gz")
        #expect(try name(["samples_from": .string("nowhere")]) == "unknown")
    }

    @Test("tables that are empty, cut or longer than at the checkpoint are refused; one with a new column is not")
    func damage() throws {
        let table = folder["bon/tables/test.jsonl"]
        let whole = try Foundation.Data(contentsOf: table)
        let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n").map { $0 + "\n" }
        let configuration = try #require(try RunConfiguration.read(inRun: folder["bon"]))
        try RunFolder(at: folder["bon"], configuration: configuration).writeCheckpoint(step: 1) { _ in }
        #expect(try export().text.contains("Sort."))
        try FileManager.default.removeItem(at: folder["out.json"])
        let length = UInt64(whole.count)
        let shorter = lines.dropLast().joined()
        let cases: [(String, RunFolderError)] = [
            ("", .shortened(path: table.path, bytes: 0, expected: length)),
            (shorter, .shortened(path: table.path, bytes: UInt64(shorter.utf8.count), expected: length)),
            (lines.joined() + lines[0], .grown(path: table.path, bytes: length + UInt64(lines[0].utf8.count), expected: length)),
        ]
        for (text, error) in cases {
            try Foundation.Data(text.utf8).write(to: table)
            #expect(throws: error) { try export() }
            #expect(!FileManager.default.fileExists(atPath: folder["out.json"].path))
        }
        try Foundation.Data(lines.map { $0.replacing("{\"id\"", with: "{\"score\":1,\"id\"") }.joined().utf8).write(to: table)
        #expect(try export().text.contains("Sort."))
        // without a checkpoint, too
        try FileManager.default.removeItem(at: folder["bon/checkpoints"])
        try Foundation.Data().write(to: table)
        #expect(throws: ResultError.noRows(path: table.path)) { try export() }
    }

    @Test("ranks score shares of the rows; rank 0 writes them and reports", arguments: [2, 3, 7])
    func scoresOfRanks(ranks: Int) throws {
        let folder = folder
        let notes = try ThreadCollective.run(ranks) { group -> [String] in
            var scoring = RowScoring()
            (scoring.scoring.score, scoring.scoring.rewardFunction, scoring.scoring.scoreColumn) = ("bon", "check", "right")
            scoring.measuring.outputDir = folder.url.path
            var (listener, notes) = (ReportListener(), [String]())
            listener.note = { notes.append($0) }
            listener.collective = group
            try scoring.run(listener)
            return notes
        }
        for table in ["test", "ood_test"] {
            #expect(try Tables.read(table, inRun: folder["bon"]).map { $0.numbers["right"] } == [1, 0, 0, 0])
        }
        #expect(notes[0].count == 2 && notes.dropFirst().allSatisfy(\.isEmpty), "\(notes)")
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
