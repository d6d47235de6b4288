import Foundation
import CommandLine
import Report
import Runs
import Study
import Testing
import _TestSupport

@Suite struct ConfigurationFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func words(_ file: String, _ content: String, _ more: [String] = []) throws -> [String] {
        try Data(content.utf8).write(to: folder[file])
        return try CommandLineArguments.normalise(
            ["--config", folder[file].path] + more, program: "sample", table: SampleCommand.optionTable
        ).words
    }

    @Test(arguments: [
        (
            "a.yaml",
            """
            # every spelling
            freeze_layers: 0.50
            do-train: no
            modelName: "007"
            evaluation_splits: [a, "b,c"]
            run_ids:
              - x
              - y
            checkpoint_limit:
            seed: 3
            wandb_tags: [a]
            """
        ),
        (
            "a.json",
            """
            {"freeze_layers": 0.5, "do-train": false, "modelName": "007", "evaluation_splits": ["a", "b,c"],
             "run_ids": ["x", "y"], "checkpoint_limit": null, "seed": 3, "deepspeed": "x"}
            """
        ),
    ])
    func holdsTheSameKeys(file: String, content: String) throws {
        let command = try SampleCommand.parse(normalising: try words(file, content))
        #expect(command.training.freezeLayers == 0.5)
        #expect(!command.training.doTrain)
        #expect(command.modelName == "007")
        #expect(command.evaluationSplits == ["a", "b,c"])
        #expect(command.runIds == ["x", "y"])
        #expect(command.checkpointLimit == nil)
        #expect(command.seed == 3)
    }

    @Test("options that another program has now are left out of files with a note, and refused on the command line")
    func movedOptions() throws {
        try Data(#"{"seed": 3, "index_share": 0.5, "judge_patience": 600}"#.utf8).write(to: folder["old.json"])
        let read = try CommandLineArguments.normalise(
            ["--config", folder["old.json"].path], program: "sample", table: SampleCommand.optionTable)
        #expect(read.words == ["--seed=3"] && read.notes.count == 2)
        #expect(read.notes.contains { $0.contains("index_share") && $0.contains("rlhf-report index") })
        let error = #expect(throws: CommandLineError.self) {
            try CommandLineArguments.normalise(["--index-share", "0.5"], program: "sample", table: SampleCommand.optionTable)
        }
        #expect(error?.description == "--index-share has moved to rlhf-report index; see rlhf-report index --help")
    }

    @Test func theCommandLineWins() throws {
        let content = "seed: 3\nrun_ids: [x, y]\ndo_train: true\ncheckpoint_limit: 4\nverbose: true\n"
        let more = ["seed=5", "--run-ids=a", "--run-ids=b", "--do_train=0", "--checkpoint-limit=none", "--verbose=0"]
        #expect(
            try words("a.yml", content, more) == [
                "--seed=5", "--run-ids=a", "--run-ids=b", "--do-train=false",
            ])
    }

    @Test(
        "a second file is an option given twice", arguments: [("--config", "--config"), ("config=", "--config"), ("--config=", "config=")])
    func oneFile(first: String, second: String) throws {
        try Data("seed: 4".utf8).write(to: folder["b.yaml"])
        let arguments = [first, second].flatMap { $0.hasSuffix("=") ? [$0 + folder["b.yaml"].path] : [$0, folder["b.yaml"].path] }
        let names = [first, second].map { $0.replacingOccurrences(of: "=", with: "") }
        let error = CommandLineError.repeatedOption(names[0], names[1], place: nil)
        #expect(throws: error) { try SampleCommand.parse(normalising: arguments) }
        #expect(error.programExit == .usage && error.description.contains(names[0]) && error.description.contains(names[1]))
    }

    @Test("what a value of the file breaks is said with the file, and of others without it")
    func placesOfValues() throws {
        func message(_ content: String, _ more: String...) throws -> String {
            try Data(content.utf8).write(to: folder["a.yaml"])
            let error = #expect(throws: CommandLineError.self) {
                try SampleCommand.parse(normalising: ["--config", folder["a.yaml"].path] + more)
            }
            #expect(error?.programExit == .usage)
            return error?.description ?? ""
        }
        let place = "(--seed is set in \(folder["a.yaml"].path))"
        #expect(try message("seed: 1:30").hasSuffix(place))
        #expect(try message("seed: -1").hasSuffix(place))
        #expect(try message("checkpoint_limit: 9223372036854775807").contains("(--checkpoint-limit is set in "))
        #expect(try message("freeze_layers: nan").contains("(--freeze-layers is set in "))
        #expect(try !message("seed: 3", "--checkpoint-limit=x").contains("a.yaml"))
        #expect(try !message("seed: 1:30", "--seed=x").contains("a.yaml"))
        // of which --seed is only a part
        try Data("seed: 3".utf8).write(to: folder["a.yaml"])
        let arguments = try CommandLineArguments.normalise(
            ["--config", folder["a.yaml"].path], program: "sample", table: SampleCommand.optionTable)
        #expect(arguments.located("--seeds is bad") == .invalid("--seeds is bad"))
        #expect(arguments.located("bad --seed") == .invalid("bad --seed \(place)"))
    }

    @Test func aRunRepeatsFromItsOwnFile() throws {
        let first = try SampleCommand.parse(
            normalising: ["--seed=18446744073709551615", "--evaluation-splits", "a", "b c", "--kl-coefficient=1e-7"])
        let configuration = RunConfiguration(
            stage: .supervised, program: "sample", options: first.resolvedOptions, files: ["chat_template": "0"])
        try configuration.write(inRun: folder.url)
        for path in [folder.url.path, folder["config.json"].path] {
            let second = try SampleCommand.parse(normalising: ["--config", path])
            #expect(second.resolvedOptions == first.resolvedOptions)
            #expect(second.seed == .max)
        }
        let other = RunConfiguration(stage: .policy, program: "train-ppo", options: [:])
        try other.write(inRun: folder.url)
        let error = CommandLineError.otherProgram(
            path: folder["config.json"].path, found: "train-ppo", expected: "sample")
        #expect(throws: error) { try SampleCommand.parse(normalising: ["--config", folder["config.json"].path]) }
    }

    @Test(arguments: [
        ("a.yaml", "sed: 3", "unknown option sed in PATH; did you mean seed?"),
        ("a.yaml", "a: [", "PATH: not YAML"),
        ("a.yaml", "- seed", "PATH: expected one mapping of options"),
        ("a.yaml", "seed: [1, 2]", "PATH: seed: expected one value, not a list"),
        ("a.yaml", "\nseed: {a: 1}", "PATH:2: seed: expected a value or a list of values"),
        ("a.yaml", "run_ids: [[1]]", "PATH:1: run_ids: expected a list of values"),
        ("a.yaml", "seed: 1\nseed: 2", "PATH: not YAML"),
        ("a.json", #"{"program": "sample", "options": {"seed": 1}, "seed": 2}"#, "unknown option seed in PATH"),
        ("a.json", #"{"program": "sample", "options": {}, "": 2}"#, "unknown option \"\" in PATH"),
        ("a.json", #"{"": 1}"#, "unknown option \"\" in PATH"),
        ("a.json", #"{" ": 1}"#, "unknown option \" \" in PATH"),
        ("a.json", #"{"": {}}"#, "PATH: \"\": expected a value or a list"),
        ("a.yaml", "\"\": 1", "unknown option \"\" in PATH"),
        ("a.yaml", "\"\": {a: 1}", "PATH:1: \"\": expected a value or a list"),
        ("a.yaml", "config: b.yaml", "PATH: a configuration file cannot contain the option config"),
        ("a.yaml", "seed:", "seed in PATH needs a value"),
        ("a.yaml", "do_train: 2", "do_train in PATH is \"2\"; expected true or false (or 1 or 0)"),
        ("a.json", #"{"seed": 1, "seed": 2}"#, "seed is given twice in PATH; keep one of them"),
        ("a.json", #"{"seed": 1, "freezeLayers": 1, "freeze-layers": 1}"#, "freeze-layers and freezeLayers in PATH are the same option"),
        ("a.yaml", "model_name: a\nmodel-name: b", "model_name and model-name in PATH are the same option; keep one of them"),
        ("a.yaml", "model_name: a\nmodel_name_or_path: b", "model_name and model_name_or_path in PATH are the same option"),
        ("a.yaml", "seed: *x", "PATH:1: not YAML (the alias \"*x\" refers to no value"),
        ("a.yaml", "x: &a [[1]]\nseed: *a", "PATH:1: x: expected a list of values"),
        ("a.yaml", "model_name: \"a\\0b\"", "PATH: model_name: the value has a NUL character"),
        ("a.yaml", "\"a\\nb\": 1", "unknown option a\\nb in PATH"),
        ("a.yaml", String(repeating: "[", count: 100_000), "PATH: not YAML"),
        ("a.yaml", "seed: " + String(repeating: "[", count: 900), "PATH: not YAML"),
        ("a.yaml", "seed: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900), "PATH:1: seed: expected"),
        ("a.json", #"{"seed": "# + String(repeating: "[", count: 100_000), "nested deeper than 128 levels"),
        ("a.json", #"{"learning": {"rate": NaN}}"#, "NaN, which JSON does not allow, at line 1, column 23, in \"learning.rate\""),
        ("a.json", "{\n\"model_name\": \"a\\ud83d\"}", "an unpaired surrogate"),
        ("a.json", #"{"seed": 1e999}"#, "1e999 is outside the range of 64-bit floating-point numbers"),
        ("a.json", "", "PATH: expected one JSON object of options"),
        ("a.json", "\u{feff}", "PATH: expected one JSON object of options"),
        ("a.json", "{", "PATH: expected one JSON object of options"),
        ("a.json", "[1]", "PATH: expected one JSON object of options"),
        ("a.json", "{\"seed\": {}}", "PATH: seed: expected a value or a list of values"),
        ("a.json", "{\"run_ids\": [null]}", "PATH: run_ids: expected a value or a list of values"),
    ])
    func saysWhatIsWrong(file: String, content: String, message: String) {
        let error = #expect(throws: CommandLineError.self) { try words(file, content) }
        let expected = message.replacingOccurrences(of: "PATH", with: folder[file].path)
        #expect("\(error as Any)".contains(expected))
        #expect(error?.description.contains("\n") == false)
    }

    /// A byte-order mark means nothing.
    @Test(arguments: [("a.yaml", "\u{feff}seed: 3"), ("a.json", "\u{feff}{\"seed\": 3}"), ("a.yaml", "\u{feff}# no more\nseed: 3")])
    func marksAreNoContent(file: String, content: String) throws {
        #expect(try words(file, content) == ["--seed=3"])
    }

    @Test(arguments: ["", "\u{feff}", "# nothing\n", "\n\n"])
    func anEmptyFileSetsNothing(content: String) throws {
        #expect(try words("a.yaml", content) == [])
    }

    @Test func numbersAreTakenAsTheyStand() throws {
        #expect(try words("a.json", #"{"seed": 18446744073709551615}"#) == ["--seed=18446744073709551615"])
        #expect(try words("a.json", #"{"seed": 1e3}"#) == ["--seed=1000"])
        #expect(try words("a.json", #"{"freeze_layers": 1e-400}"#) == ["--freeze-layers=0"])
    }

    /// Values and lists may be named once and used again; what they unpack to does not grow.
    @Test func aliasesOfValuesStandForThem() throws {
        let content = "seed: &a 3\ncheckpoint_limit: *a\nrun_ids: &l [x, *a]\nevaluation_splits: *l\nmodel_name: \"*a\"\n"
        #expect(
            try words("a.yaml", content) == [
                "--seed=3", "--checkpoint-limit=3", "--run-ids=x", "--run-ids=3", "--evaluation-splits=x,3", "--model-name=*a",
            ])
        #expect(try words("a.yaml", "model_name: &seed seed\n*seed : 4") == ["--model-name=seed", "--seed=4"])
    }

    /// Each line holds the one before it ten times: as values, as elements, and as keys, which Yams compares part by part.
    @Test(.timeLimit(.minutes(1)), arguments: ["value", "key", "pair"])
    func aliasesOfAliasesDoNotUnpack(kind: String) throws {
        var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in 1..<40 {
            let inner = Array(repeating: "*a\(level - 1)", count: 10)
            switch kind {
            case "value": lines.append("a\(level): &a\(level) [\(inner.joined(separator: ", "))]")
            case "key": lines.append("? &a\(level) [\(inner.joined(separator: ", "))]\n: 1")
            default:
                lines.append(
                    "a\(level): &a\(level) {\(inner.indices.map { "? [\(inner[$0]), \($0)] : *a\(level - 1)" }.joined(separator: ", "))}")
            }
        }
        let begin = ContinuousClock.now
        #expect(throws: CommandLineError.self) { try words("a.yaml", lines.joined(separator: "\n")) }
        #expect(ContinuousClock.now - begin < .seconds(5))
    }

    @Test(.timeLimit(.minutes(1))) func onlyRegularFilesAreRead() throws {
        #expect(mkfifo(folder["pipe.yaml"].path, 0o600) == 0)
        for path in [folder["pipe.yaml"].path, "/dev/zero", "/dev/null"] {
            let error = #expect(throws: CommandLineError.self) { try SampleCommand.parse(normalising: ["--config", path]) }
            #expect(error?.programExit == .missingInput)
            #expect(error?.description.contains("expected a file") == true, "\(error as Any)")
        }
        // a file that is there and cannot be opened is not missing
        try FileManager.default.createSymbolicLink(atPath: folder["loop.yaml"].path, withDestinationPath: folder["loop.yaml"].path)
        let error = #expect(throws: CommandLineError.self) { try SampleCommand.parse(normalising: ["--config", folder["loop.yaml"].path]) }
        #expect(error?.programExit == .missingInput && error?.description.contains("does not exist") == false, "\(error as Any)")
    }

    @Test func longFilesAreRefused() throws {
        let error = #expect(throws: CommandLineError.self) { try words("a.yaml", String(repeating: "# comment\n", count: 1 << 19)) }
        #expect(error?.description.contains("larger than 4194304 bytes") == true && error?.programExit == .usage)
    }

    @Test func aMissingFileIsMissingInput() {
        let error = CommandLineError.unreadableConfiguration(path: folder["x"].path, reason: "it does not exist")
        #expect(throws: error) { try SampleCommand.parse(normalising: ["--config", folder["x"].path]) }
        #expect(error.programExit == .missingInput)
    }

    @Test func bytesThatAreNoTextAreRefused() throws {
        try Data([0x73, 0xff, 0xfe]).write(to: folder["a.yaml"])
        let error = CommandLineError.malformedConfiguration(path: folder["a.yaml"].path, problem: "it is not UTF-8")
        #expect(throws: error) { try SampleCommand.parse(normalising: ["--config", folder["a.yaml"].path]) }
    }
}
