import Data
import Formats
import Foundation
import Runs
import Testing
import _TestSupport

@Suite struct RunFolderTests {
    @Test func beginsWithItsConfiguration() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["runs/a"], configuration: .sample())
        #expect(TemporaryFolder.names(in: run.url) == [".lock", "config.json", "metrics.jsonl"])
        #expect(try RunFolder.configuration(at: run.url, expecting: [.supervised]) == .sample())
        #expect(try !run.isFinished)
    }

    /// The file holds nothing but what the run depends on: the same command gives the same bytes.
    @Test func configurationIsAFunctionOfTheCommand() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b"] { _ = try RunFolder(at: folder[name], configuration: .sample()) }
        #expect(text(of: folder["a/config.json"]) == text(of: folder["b/config.json"]))
        #expect(text(of: folder["a/config.json"]).contains("\"learning_rate\" : 0.001"))
    }

    /// A run that failed before it had anything to show leaves nothing; one with a number, a table or a file of the user's stays.
    @Test func discardsOnlyWhatHoldsNothing() throws {
        let folder = try TemporaryFolder()
        let empty = try RunFolder(at: folder["empty"], configuration: .sample())
        empty.discardIfNothingWasDone()
        #expect(!FileManager.default.fileExists(atPath: empty.url.path))

        let measured = try RunFolder(at: folder["measured"], configuration: .sample())
        try measured.metrics.append(Measurement(step: 1, values: ["loss": 1]))
        measured.discardIfNothingWasDone()
        #expect(TemporaryFolder.names(in: measured.url) == [".lock", "config.json", "metrics.jsonl"])

        let shared = try RunFolder(at: folder["shared"], configuration: .sample())
        try Data("x".utf8).write(to: shared.url.appendingPathComponent("notes.txt"))
        shared.discardIfNothingWasDone()
        #expect(TemporaryFolder.names(in: shared.url).contains("config.json"))
    }

    // MARK: Lock

    @Test func refusesASecondOwnerAndNamesTheFirst() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        let error = RunFolderError.inUse(path: run.url.path, owner: "train-sft (process \(getpid()))")
        // and whoever comes after the second one, too
        for _ in 0..<2 { #expect(throws: error) { try RunFolder(at: folder["a"], configuration: .sample()) } }
        withExtendedLifetime(run) {}
    }

    @Test("the options of a complete run stay as they were when it is opened again with others that may change")
    func completeRunsKeepTheirOptions() throws {
        let folder = try TemporaryFolder()
        do { try RunFolder(at: folder["a"], configuration: .sample()).writeResult { _ in } }
        let before = text(of: folder["a/config.json"])
        var other = RunConfiguration.sample()
        other.options["checkpoint_limit"] = .integer(9)
        _ = try RunFolder(at: folder["a"], configuration: other, mayChange: ["checkpoint_limit"])
        #expect(text(of: folder["a/config.json"]) == before && before.contains("checkpoint_limit"))
    }

    @Test("options that no version knows any more do not stand in the way of going on")
    func optionsOfOtherVersions() throws {
        let folder = try TemporaryFolder()
        var old = RunConfiguration.sample()
        old.options["gone"] = .number(0.5)
        do { try RunFolder(at: folder["a"], configuration: old).writeCheckpoint(step: 1) { _ in } }
        #expect(throws: RunFolderError.self) { try RunFolder(at: folder["a"], configuration: .sample()) }
        _ = try RunFolder(at: folder["a"], configuration: .sample(), known: Set(RunConfiguration.sample().options.keys))
        var changed = RunConfiguration.sample()
        changed.options["learning_rate"] = .number(1)
        #expect(throws: RunFolderError.self) {
            try RunFolder(at: folder["a"], configuration: changed, known: Set(changed.options.keys))
        }
    }

    @Test func isFreeAgainAfterItsOwner() async throws {
        let folder = try TemporaryFolder()
        do { _ = try RunFolder(at: folder["a"], configuration: .sample()) }
        _ = try RunFolder(at: folder["a"], configuration: .sample())
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder["a"].path as String] in
            let run = try RunFolder(at: URL(fileURLWithPath: path), configuration: .sample())
            kill(getpid(), SIGKILL)
            withExtendedLifetime(run) {}
        }
        _ = try RunFolder(at: folder["a"], configuration: .sample())
    }

    // MARK: Kinds and options

    @Test func refusesARunOfAnotherStage() throws {
        let folder = try TemporaryFolder()
        do { _ = try RunFolder(at: folder["a"], configuration: .sample(.rewardModel)) }
        let error = RunFolderError.wrongStage(path: folder["a"].path, found: .rewardModel, expected: [.supervised])
        #expect(throws: error) { try RunFolder(at: folder["a"], configuration: .sample()) }
        #expect(throws: error) { try RunFolder.locate("a", in: folder.url, expecting: [.supervised]) }
        #expect(
            "\(error)" == "\(folder["a"].path) is a run of reward modelling (rm); "
                + "expected supervised fine-tuning (sft)")
    }

    @Test func leavesAModelFolderAlone() throws {
        let folder = try TemporaryFolder()
        try Data(#"{"model_type": "llama"}"#.utf8).write(to: folder["config.json"])
        #expect(throws: RunFolderError.notARunFolder(path: folder.url.path)) {
            try RunFolder(at: folder.url, configuration: .sample())
        }
        #expect(folder.names == ["config.json"])
        #expect(try RunFolder.modelFolder(at: folder.url, expecting: [.supervised]) == folder.url)
    }

    @Test func aRunBelongsToItsOptionsOnceItHasACheckpoint() throws {
        let folder = try TemporaryFolder()
        do { _ = try RunFolder(at: folder["a"], configuration: .sample(seed: 1)) }
        do {
            let run = try RunFolder(at: folder["a"], configuration: .sample(seed: 2))
            #expect(run.configuration == .sample(seed: 2))
            #expect(text(of: folder["a/config.json"]).contains("\"seed\" : 2"))
            try run.writeCheckpoint(step: 1) { _ in }
        }
        let error = RunFolderError.otherOptions(path: folder["a"].path, differences: ["seed: 2 in the run, 3 now"])
        #expect(throws: error) { try RunFolder(at: folder["a"], configuration: .sample(seed: 3)) }
        #expect(text(of: folder["a/config.json"]).contains("\"seed\" : 2"))

        var other = RunConfiguration.sample(seed: 2)
        other.options["checkpoint_limit"] = .integer(5)
        other.versions = ["swift-rlhf": "99"]
        var notes: [String] = []
        _ = try RunFolder(
            at: folder["a"], configuration: other, mayChange: ["checkpoint_limit"], note: { notes.append($0) })
        #expect(text(of: folder["a/config.json"]).contains("\"checkpoint_limit\" : 5"))
        #expect(notes == ["the run was started with swift-rlhf \(PackageVersion.current); it continues with 99"])
    }

    @Test func aRunThatIsOlderThanAnOptionHasItsDefault() throws {
        let folder = try TemporaryFolder()
        do { try RunFolder(at: folder["a"], configuration: .sample(seed: 1)).writeCheckpoint(step: 1) { _ in } }
        func open(rule: String) throws {
            var configuration = RunConfiguration.sample(seed: 1)
            configuration.options["rule"] = .string(rule)
            // the default of an option that the run has does not count
            _ = try RunFolder(
                at: folder["a"], configuration: configuration, known: Set(configuration.options.keys),
                defaults: ["rule": .string("usual"), "seed": .integer(9)])
        }
        let error = RunFolderError.otherOptions(path: folder["a"].path, differences: ["rule: usual in the run, other now"])
        #expect(throws: error) { try open(rule: "other") }
        try open(rule: "usual")
        #expect(throws: error) { try open(rule: "other") }
    }

    /// An option that names a file stands for the file's text; runs of versions that did not store it go on.
    @Test func aRunBelongsToTheTextOfItsFiles() throws {
        let folder = try TemporaryFolder()
        func configuration(_ text: String?) -> RunConfiguration {
            var configuration = RunConfiguration.sample()
            configuration.options["chat_template"] = .string("mine.jinja")
            configuration.files = text.map { ["chat_template": RunConfiguration.checksum(of: Array($0.utf8))] }
            return configuration
        }
        for (name, begun) in [("old", nil), ("new", "a")] as [(String, String?)] {
            try RunFolder(at: folder[name], configuration: configuration(begun)).writeCheckpoint(step: 1) { _ in }
        }
        #expect(try RunConfiguration.read(inRun: folder["new"]) == configuration("a"))
        #expect(!text(of: folder["old/config.json"]).contains("files"))
        #expect(
            throws: RunFolderError.otherOptions(
                path: folder["new"].path, differences: ["chat_template: the content of mine.jinja has changed"])
        ) {
            try RunFolder(at: folder["new"], configuration: configuration("b"))
        }
        _ = try RunFolder(at: folder["new"], configuration: configuration("a"))
        // from now on it is known
        _ = try RunFolder(at: folder["old"], configuration: configuration("b"))
        #expect(throws: RunFolderError.self) { try RunFolder(at: folder["old"], configuration: configuration("a")) }
    }

    @Test func whatARunMadeForItselfGoesWithItsOptions() throws {
        let folder = try TemporaryFolder()
        func open(seed: Int64) throws -> RunFolder {
            try RunFolder(at: folder["a"], configuration: .sample(seed: seed), mayChange: ["checkpoint_limit"])
        }
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder["a"].appendingPathComponent(name).path) }
        try open(seed: 1).writeResult("comparisons") { try Data("x".utf8).write(to: $0.appendingPathComponent("train.jsonl")) }
        try FileManager.default.createDirectory(at: folder["a/notes"], withIntermediateDirectories: true)
        _ = try open(seed: 1)
        #expect(has("comparisons"))
        // begun again with other options: only what the run had written goes
        _ = try open(seed: 2)
        #expect(!has("comparisons") && has("notes") && has("config.json"))
        // with a checkpoint it does not begin again, and nothing goes
        do {
            let run = try open(seed: 2)
            try run.writeResult("comparisons") { _ in }
            try run.writeCheckpoint(step: 1) { _ in }
        }
        #expect(throws: RunFolderError.self) { try open(seed: 3) }
        #expect(has("comparisons"))
    }

    @Test func resumePolicies() throws {
        let folder = try TemporaryFolder()
        let url = folder["a"]
        #expect(throws: RunFolderError.nothingToResume(path: url.path)) {
            try RunFolder(at: url, configuration: .sample(), resume: .must)
        }
        #expect(folder.names == [])
        do { try RunFolder(at: url, configuration: .sample(), resume: .never).writeCheckpoint(step: 3) { _ in } }
        #expect(throws: RunFolderError.alreadyExists(path: url.path)) {
            try RunFolder(at: url, configuration: .sample(), resume: .never)
        }
        #expect(try RunFolder(at: url, configuration: .sample(), resume: .must).restore()?.step == 3)
    }

    @Test func readOnlyAndMisplacedFoldersAreErrors() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: folder["file"])
        #expect(throws: FileError.self) { try RunFolder(at: folder["file/a"], configuration: .sample()) }
        #expect(throws: FileError.self) { try RunFolder(at: folder["file"], configuration: .sample()) }
        #expect(text(of: folder["file"]) == "" && folder.names == ["file"])
    }

    // MARK: Results

    @Test func theResultEndsTheRun() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        #expect(throws: RunFolderError.unfinished(path: run.url.path)) {
            try RunFolder.modelFolder(at: run.url, expecting: [.supervised])
        }
        try run.writeResult { try Data("w".utf8).write(to: $0.appendingPathComponent("model.safetensors")) }
        #expect(try run.isFinished)
        #expect(try RunFolder.modelFolder(at: run.url, expecting: [.supervised]).path == run.finalFolder.path)
        #expect(throws: RunFolderError.self) { try RunFolder.modelFolder(at: run.url, expecting: [.policy]) }
        #expect(throws: FileError.missing(path: folder["b"].path)) {
            try RunFolder.modelFolder(at: folder["b"], expecting: [.supervised])
        }
        try run.writeResult("final-normalised") { _ in }
        #expect(throws: RunFolderError.invalidName("../x")) { try run.writeResult("../x") { _ in } }
    }

    @Test func findsRunsByIdAndByPath() throws {
        let folder = try TemporaryFolder()
        do { _ = try RunFolder(at: folder["runs/a"], configuration: .sample()) }
        #expect(try RunFolder.locate("a", in: folder["runs"]).path == folder["runs/a"].path)
        #expect(try RunFolder.locate(folder["runs/a"].path, in: folder["elsewhere"]).path == folder["runs/a"].path)
        #expect(throws: FileError.missing(path: folder["runs/b"].path)) {
            try RunFolder.locate("b", in: folder["runs"])
        }
        #expect(throws: RunFolderError.notARunFolder(path: folder["runs"].path)) {
            try RunFolder.locate(folder["runs"].path, in: folder.url)
        }
    }

    @Test func countsSecondsOverSessions() throws {
        let folder = try TemporaryFolder()
        #expect(try RunFolder.seconds(inRun: folder["a"]) == 0)
        for _ in 0..<2 { try RunFolder(at: folder["a"], configuration: .sample()).addSeconds(1.25) }
        #expect(try RunFolder.seconds(inRun: folder["a"]) == 2.5)
    }

    @Test("the greatest peak of memory of all sessions is kept")
    func keepsThePeakOfMemory() throws {
        let folder = try TemporaryFolder()
        #expect(try RunFolder.peakMemory(inRun: folder["a"]) == nil)
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        try run.addSeconds(1)
        let peak = try #require(try RunFolder.peakMemory(inRun: folder["a"]))
        #expect(peak > 1 << 20 && peak < 1 << 40)
        #expect(try RunFolder.machine(inRun: folder["a"]) == RunMachine.current)
        #expect(RunMachine.current.cores > 0 && !RunMachine.current.processor.isEmpty)
        // a session that had more stays the greatest; seconds of versions that noted no memory count
        let timing = folder["a/timing.json"]
        try Foundation.Data(#"{"seconds": 2, "peak_memory": 1099511627776}"#.utf8).write(to: timing)
        try run.addSeconds(1)
        #expect(try RunFolder.peakMemory(inRun: folder["a"]) == 1 << 40 && RunFolder.seconds(inRun: folder["a"]) == 3)
        try Foundation.Data(#"{"seconds": 2}"#.utf8).write(to: timing)
        #expect(try RunFolder.peakMemory(inRun: folder["a"]) == nil && RunFolder.machine(inRun: folder["a"]) == nil)
        try run.addSeconds(1)
        #expect(try RunFolder.peakMemory(inRun: folder["a"]) ?? 0 >= peak && RunFolder.seconds(inRun: folder["a"]) == 3)
        // one that says nothing is damage to whoever reads it, and is begun anew by the run
        for text in ["{", #"{"seconds": -1}"#] {
            try Foundation.Data(text.utf8).write(to: timing)
            #expect(throws: FileError.self) { try RunFolder.seconds(inRun: folder["a"]) }
            try run.addSeconds(1)
            #expect(try RunFolder.seconds(inRun: folder["a"]) == 1)
        }
    }
}
