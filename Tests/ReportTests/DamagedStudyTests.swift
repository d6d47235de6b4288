import Data
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

/// Studies of methods with parts that are missing or damaged: each is named with its path, and the rest is compared.
@Suite struct DamagedStudyTests {
    private let study: StudyFolder

    init() throws {
        study = try StudyFolder()
        try study.write()
        for number in [1, 2] { try study.seed(number) }
    }

    @Test(
        "seconds of a run whose timing.json says nothing are left out and named",
        arguments: ["", "{", #"{"seconds": "x"}"#, #"{"seconds": -1}"#, #"{"seconds": 1, "peak_memory": -5}"#, nil])
    func timing(text: String?) throws {
        let file = study.folder["seed-1/a-1/timing.json"]
        if let text { try Foundation.Data(text.utf8).write(to: file) } else { try FileManager.default.removeItem(at: file) }
        let found = try study.table().read(study.folder.url)
        let line = try #require(found.missing?.first)
        #expect(found.missing?.count == 1 && line.hasPrefix("seed 1: seconds and memory of A, 1 are left out: \(file.path)"), "\(line)")
        // the other seed's seconds count, and the numbers are there for both
        #expect(found.systems[2].seconds == 120 && found.systems[2].seeds == ["1", "2"] && found.systems[2].peakMemory != nil)
    }

    @Test("seconds of runs that are not there or did not end are left out and named")
    func unfinishedRuns() throws {
        try FileManager.default.removeItem(at: study.folder["seed-1/a-1"])
        try FileManager.default.removeItem(at: study.folder["seed-2/a-2/final"])
        let found = try study.table().read(study.folder.url)
        #expect(
            found.missing == [
                "seed 1: seconds and memory of A, 1 are left out: \(study.folder["seed-1/a-1"].path) does not exist",
                "seed 2: seconds and memory of A, 2 are left out: \(study.folder["seed-2/a-2"].path) has no folder \"final\", because "
                    + "the run has not finished; repeat its command to finish it",
            ])
        #expect(found.systems.map(\.seconds) == [nil, 60, 120, 120, nil] && found.systems[3].seeds == ["1", "2"])
    }

    @Test("a table whose last line is torn is named with its line, and its system is left out in that seed")
    func tornLine() throws {
        let file = study.table(1, "samples-a-1", "ood_test")
        try study.change(file) { String($0.dropLast(20)) }
        let found = try study.table().read(study.folder.url)
        let line = try #require(found.missing?.first)
        #expect(found.missing?.count == 1 && line.hasPrefix("seed 1: A, 1 is left out: \(file.path):12: "), "\(line)")
        #expect(found.systems.map(\.seeds) == [["1", "2"], ["1", "2"], ["2"], ["1", "2"], ["1", "2"]])
        #expect(found.markdown.contains(line) && found.terminalText.contains(line))
    }

    @Test("a table that was cut between two rows of a prompt is named", arguments: [1, 2, 3])
    func cutWithinPrompt(lines: Int) throws {
        let file = study.table(1, "samples-b-1", "test")
        try study.change(file) { $0.split(separator: "\n").dropLast(lines).map { $0 + "\n" }.joined() }
        let found = try study.table().read(study.folder.url)
        let line = try #require(found.missing?.first)
        #expect(
            line.hasPrefix("seed 1: B, weak is left out: \(file.path) ends early: its last prompt (test-2) has \(4 - lines) row")
                && line.contains("expected 4"), "\(line)")
        #expect(found.systems[4].seeds == ["2"])
    }

    @Test("a table that was cut between two prompts is named, by the other tables or by the run's checkpoint")
    func cutBetweenPrompts() throws {
        func cut(_ file: URL) throws { try study.change(file) { $0.split(separator: "\n").dropLast(4).map { $0 + "\n" }.joined() } }
        let file = study.table(1, "samples-b-1", "test")
        try cut(file)
        let first = try study.table().read(study.folder.url)
        #expect(first.missing == ["seed 1: B, weak has 2 of the 3 prompts of SFT (\(file.path))"])
        #expect(first.systems[4].seeds == ["1", "2"])
        // of all tables of a run the checkpoint says how long they were
        try study.write(StudyFolder.manifest + #"{"system": "c", "method": "C", "samples": "samples-c"}"# + "\n")
        for number in [1, 2] { try study.samples(number, "samples-c", 1, hasCheckpoint: true) }
        #expect(try study.missing().count == 1)
        let other = study.table(2, "samples-c", "ood_test")
        let bytes = try Foundation.Data(contentsOf: other).count
        try cut(other)
        let left = try Foundation.Data(contentsOf: other).count
        #expect(
            try study.missing().last
                == "seed 2: C is left out: \(other.path) has \(left) bytes, but had \(bytes) at the checkpoint; lines are missing")
        // and what stood in them
        let third = study.table(1, "samples-c", "test")
        try study.change(third) { $0.replacing("beta gamma", with: "beta Gamma", maxReplacements: 1) }
        #expect(try study.missing()[1].hasPrefix("seed 1: C is left out: \(third.path) is damaged: "))
    }

    @Test("groups of best-of-N: only the first prompts have several, and that is no cut")
    func groups() throws {
        let options: [String: OptionValue] = ["groups": .integer(2), "num_return_sequences": .integer(2)]
        try study.write(
            #"{"system": "sft", "method": "SFT", "samples": "grouped", "base": true}"# + "\n"
                + #"{"system": "best", "method": "best-of-N", "samples": "grouped", "table": "best_of_n"}"# + "\n")
        try study.run(1, "grouped", .bestOfN, options: options) { run in
            for split in ["test", "ood_test"] {
                let rows = (0..<10).map { number in
                    SampleRow(
                        id: "\(split)-\(number / 4)", input: "prompt \(number / 4)", response: "words \(number)", reference: "words",
                        reward: Double(number), numbers: ["tokens": 1, "ended": 1])
                }
                try run.tables.append(rows, to: split)
                try run.tables.append([rows[0], rows[2], rows[4], rows[6], rows[8]], to: split + "_best_of_n")
            }
        }
        #expect(try study.missing().filter { $0.contains("is left out") }.isEmpty)
        let file = study.table(1, "grouped", "test")
        try study.change(file) { $0.split(separator: "\n").dropLast(1).map { $0 + "\n" }.joined() }
        #expect(throws: InvalidSetting.self) { try study.missing() }
    }

    @Test("tables of other prompts than the base's are named with both paths; some that are others are counted")
    func otherPrompts() throws {
        let (file, base) = (study.table(1, "samples-a-2", "test"), study.table(1, "samples-sft", "test"))
        try study.change(file) { $0.replacing("test prompt 2", with: "test prompt 7") }
        let first = try study.table().read(study.folder.url)
        #expect(first.missing == ["seed 1: A, 2 has 2 of the 3 prompts of SFT and 1 other (\(file.path))"])
        #expect(first.systems[3].seeds == ["1", "2"])
        try study.change(file) { $0.replacing("test prompt", with: "another prompt") }
        let second = try study.table().read(study.folder.url)
        #expect(second.missing == ["seed 1: A, 2 is left out: \(file.path) has other prompts than \(base.path)"])
        #expect(second.systems[3].seeds == ["2"])
    }

    @Test("an empty table is named")
    func emptyTable() throws {
        let file = study.table(2, "bon-4", "ood_test_best_of_n")
        try study.change(file) { _ in "" }
        let line = try #require(try study.missing().first)
        #expect(line.hasPrefix("seed 2: best-of-N, N 4 is left out: \(file.path) has no rows"), "\(line)")
        // of the base in all seeds: there is nothing to compare with, and the error says why
        for number in [1, 2] { try study.change(study.table(number, "samples-sft", "test")) { _ in "\n" } }
        let error = #expect(throws: InvalidSetting.self) { try study.table().read(study.folder.url) }
        #expect(error?.message.contains("\(study.table(1, "samples-sft", "test").path) has no rows") == true, "\(error?.message ?? "")")
    }

    @Test("a seed that was copied counts once and is named, by its options or by its rows, also as a link")
    func copiedSeed() throws {
        let seeds = try study.table().read(study.folder.url).seeds
        try FileManager.default.copyItem(at: study.folder["seed-1"], to: study.folder["seed-4"])
        try FileManager.default.createSymbolicLink(at: study.folder["seed-5"], withDestinationURL: study.folder["seed-2"])
        let found = try study.table().read(study.folder.url)
        func line(_ copy: Int, _ original: Int) -> String {
            "seed \(copy) is left out entirely: it is a copy of seed \(original): \(study.table(copy, "samples-sft", "test").path) has the "
                + "same rows as the table of seed \(original)"
        }
        #expect(found.seeds == seeds && found.missing == [line(4, 1), line(5, 2)])
        // what the options say counts, too, where rows were changed since; the original is the folder of that name
        for number in [1, 4, 2] {
            let file = study.folder["seed-\(number)/samples-sft/config.json"]
            let seed = number == 4 ? 1 : number
            try study.change(file) { $0.replacing("\"options\" : {", with: "\"options\" : {\n    \"seed\" : \(seed),") }
        }
        try study.change(study.table(4, "samples-sft", "test")) { $0.replacing("beta", with: "delta", maxReplacements: 1) }
        #expect(
            try study.missing().first
                == "seed 4 is left out entirely: it is a copy of seed 1: \(study.folder["seed-4/samples-sft/config.json"].path) has the "
                + "option seed 1")
    }

    @Test("rows that were added behind the checkpoint are named with the table and the numbers")
    func addedRows() throws {
        try study.write(StudyFolder.manifest + #"{"system": "c", "method": "C", "samples": "samples-c"}"# + "\n")
        for number in [1, 2] { try study.samples(number, "samples-c", 1, hasCheckpoint: true) }
        let table = study.table(2, "samples-c", "ood_test")
        let bytes = try Foundation.Data(contentsOf: table).count
        try study.change(table) {
            $0 + $0.split(separator: "\n").suffix(4).map { $0 + "\n" }.joined().replacing("prompt 2", with: "prompt 9")
        }
        let now = try Foundation.Data(contentsOf: table).count
        #expect(
            try study.missing().last
                == "seed 2: C is left out: \(table.path) has \(now) bytes, but had \(bytes) at the last checkpoint; lines were added; "
                + "remove these lines, or restore the file")
    }

    @Test(
        "a table that is no file costs its system alone",
        arguments: ["a folder", "a named pipe, a socket or a device", "a broken symbolic link"])
    func noFile(kind: String) throws {
        let file = study.table(1, "samples-b-1", "ood_test")
        try FileManager.default.removeItem(at: file)
        switch kind {
        case "a folder": try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
        case "a broken symbolic link": try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "/nowhere")
        default: #expect(mkfifo(file.path, 0o644) == 0)
        }
        let found = try study.table().read(study.folder.url)
        #expect(found.missing == ["seed 1: B, weak is left out: \(file.path) is \(kind); expected a regular file"])
        #expect(found.systems.map(\.seeds).last == ["2"] && found.systems.count == 5)
    }

    @Test("what no row of a table has is named")
    func columns() throws {
        let (file, other) = (study.table(1, "samples-a-1", "test"), study.table(2, "samples-b-1", "ood_test"))
        try study.change(file) { $0.replacing(/,"reward":[-0-9.e]+/, with: "") }
        try study.change(other) { $0.replacing(/"reference":"[^"]*",/, with: "") }
        let found = try study.table().read(study.folder.url)
        #expect(
            found.missing == [
                "seed 1: A, 1 has no reward (\(file.path))", "seed 2: B, weak has no ROUGE-L (\(other.path))",
            ])
        #expect(found.systems[2].seeds == ["1", "2"])
    }

    @Test("runs of SFT and reward models with damaged metrics, and runs of other stages, are named")
    func models() throws {
        let (metrics, torn) = (study.folder["seed-1/sft/metrics.jsonl"], study.folder["seed-2/rm/metrics.jsonl"])
        try study.change(metrics) { "{\n" + $0 }
        // the last line of a metrics file may be torn: then it says nothing
        try study.change(torn) { String($0.dropLast(5)) }
        try FileManager.default.removeItem(at: study.folder["seed-2/samples-b-1"])
        try study.run(2, "samples-b-1", .policy)
        let found = try study.table().read(study.folder.url)
        #expect(found.missing?.count == 3)
        #expect(
            found.missing?.contains { $0.hasPrefix("seed 2: B, weak is left out: \(study.folder["seed-2/samples-b-1"].path) is a run of") }
                == true)
        #expect(found.missing?.contains { $0.hasPrefix("seed 1: the loss of SFT is that of the other seeds: \(metrics.path):1:") } == true)
        #expect(
            found.missing?.last
                == "seed 2: the reward model's accuracy is that of the other seeds: \(torn.path) has no validation_accuracy")
        #expect(found.supervisedLoss?.id.seeds.count == 1 && found.rewardModelAccuracy?.id.seeds.count == 1)
    }

    @Test("samples of another seed's model are left out and named; a study that was moved or copied has its own")
    func otherSeeds() throws {
        func sample(_ model: String) throws {
            try? FileManager.default.removeItem(at: study.folder["seed-1/samples-b-1"])
            try study.samples(1, "samples-b-1", 3, options: ["model_name": .string(model)])
        }
        for own in [study.folder["seed-1/a-1"].path, "/elsewhere/seed-7/a-1", "/elsewhere/a-1", "a model"] {
            try sample(own)
            #expect(try study.missing().isEmpty, "\(own)")
        }
        let other = study.folder["seed-2/a-1"].path
        try sample(other)
        let run = study.folder["seed-1/samples-b-1"].path
        #expect(try study.missing() == ["seed 1: B, weak is left out: \(run) has samples of \(other), which is a run of seed-2"])
        // chosen among samples of it
        try study.samples(1, "draws", 1, options: ["model_name": .string(other)])
        try? FileManager.default.removeItem(at: study.folder["seed-1/samples-b-1"])
        try study.samples(1, "samples-b-1", 3, options: ["samples_from": .string(study.folder["seed-1/draws"].path)])
        #expect(try study.missing() == ["seed 1: B, weak is left out: \(run) has samples of \(other), which is a run of seed-2"])
    }
}
