import Foundation
import Runs
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

    @Test func theCommandLineWins() throws {
        let content = "seed: 3\nrun_ids: [x, y]\ndo_train: true\ncheckpoint_limit: 4\nverbose: true\n"
        let more = ["seed=5", "--run-ids=a", "--run-ids=b", "--do_train=0", "--checkpoint-limit=none", "--verbose=0"]
        #expect(
            try words("a.yml", content, more) == [
                "--seed=5", "--run-ids=a", "--run-ids=b", "--do-train=false",
            ])
    }

    @Test func laterFilesWin() throws {
        try Data("seed: 4".utf8).write(to: folder["b.yaml"])
        #expect(
            try words("a.yaml", "seed: 3\nreward: bleu", ["--config=\(folder["b.yaml"].path)"]) == [
                "--seed=4", "--reward=bleu",
            ])
    }

    @Test func aRunRepeatsFromItsOwnFile() throws {
        let first = try SampleCommand.parse(
            normalising: ["--seed=18446744073709551615", "--evaluation-splits", "a", "b c", "--kl-coefficient=1e-7"])
        let configuration = RunConfiguration(stage: .supervised, program: "sample", options: first.resolvedOptions)
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
        ("a.yaml", "config: b.yaml", "PATH: a configuration file cannot name another"),
        ("a.yaml", "seed:", "seed in PATH needs a value"),
        ("a.yaml", "do_train: 2", "do_train in PATH is \"2\"; expected true or false (or 1 or 0)"),
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
