import ArgumentParser
import Foundation
import CommandLine
import Report
import Runs
import Study
import Testing

/// A program with one option of each kind.
struct SampleCommand: ProgramCommand {
    enum Reward: String, CaseIterable, ExpressibleByArgument { case rouge, bleu }

    struct Training: ParsableArguments {
        @Option(help: "Share of layers to freeze.") var freezeLayers = 0.8
        @Option(help: .yesNo("Train.")) var doTrain = true
        @Option var klCoefficient: Float = 0.05
    }

    static var configuration: CommandConfiguration { CommandConfiguration(commandName: "sample") }
    static var aliases: [String: String] {
        ["model_name_or_path": "model_name", "save_total_limit": "checkpointLimit"]
    }
    static var mayLackValue: Set<String> { ["output_dir"] }

    @Option var config: String?
    @OptionGroup(title: "Training") var training: Training
    @Option var modelName: String?
    @Option var checkpointLimit: Int?
    @Option var adaptive: Bool?
    @Option var evaluationSplits: ArgumentList<String> = ["test"]
    @Option var runIds: [String] = []
    @Option var reward: Reward = .rouge
    @Option var outputDir = "runs"
    @Option var noOverallInput = false
    @Option var seed: UInt64 = 1
    @Flag var verbose = false
}

@Suite struct CommandLineArgumentsTests {
    private func words(_ line: String) throws -> [String] {
        try CommandLineArguments.normalise(
            line.split(separator: " ").map(String.init), program: "sample", table: SampleCommand.optionTable
        ).words
    }

    @Test(arguments: [
        ("", ""),
        // Spellings
        ("--freeze-layers 0.8", "--freeze-layers=0.8"),
        ("--freeze_layers 0.8", "--freeze-layers=0.8"),
        ("--freeze_layers=0.8", "--freeze-layers=0.8"),
        ("--freezeLayers=0.8", "--freeze-layers=0.8"),
        ("freeze_layers=0.8", "--freeze-layers=0.8"),
        ("freeze-layers=0.8", "--freeze-layers=0.8"),
        ("--kl_coefficient -0.5", "--kl-coefficient=-0.5"),
        ("--model-name a=b", "--model-name=a=b"),
        ("--model-name=--odd", "--model-name=--odd"),
        ("--model-name=", "--model-name="),
        ("--run-ids a", "--run-ids=a"),
        // Aliases
        ("--model_name_or_path m --save-total-limit 2", "--model-name=m --checkpoint-limit=2"),
        // Booleans
        ("--do_train", "--do-train=true"),
        ("--do_train --seed 3", "--do-train=true --seed=3"),
        ("--do-train=0", "--do-train=false"),
        ("--do-train 0", "--do-train=false"),
        ("--do_train=False", "--do-train=false"),
        ("do_train=yes", "--do-train=true"),
        ("--do_train off", "--do-train=false"),
        ("--no-do-train", "--do-train=false"),
        ("--no_do_train=false", "--do-train=true"),
        ("--no_overall_input", "--no-overall-input=true"),
        ("--no-overall-input=0", "--no-overall-input=false"),
        ("--adaptive", "--adaptive=true"),
        ("--verbose", "--verbose"),
        ("--verbose=1", "--verbose"),
        ("--verbose=0", ""),
        ("--no-verbose", ""),
        // Lists
        ("--evaluation_splits test,ood_test", "--evaluation-splits=test,ood_test"),
        ("evaluation_splits=[test,ood_test]", "--evaluation-splits=test,ood_test"),
        ("--evaluation-splits [test, ood_test ]", "--evaluation-splits=test,ood_test"),
        ("--evaluation-splits test ood_test --seed 1", "--evaluation-splits=test,ood_test --seed=1"),
        ("evaluation_splits=[test, ood_test] seed=1", "--evaluation-splits=test,ood_test --seed=1"),
        ("--run_ids [a, b] --seed 1", "--run-ids=a --run-ids=b --seed=1"),
        ("--evaluation-splits []", "--evaluation-splits=[]"),
        ("--run-ids a b seed=2", "--run-ids=a --run-ids=b --seed=2"),
        ("--run-ids=a --run-ids=b", "--run-ids=a --run-ids=b"),
        ("run_ids=[a,b]", "--run-ids=a --run-ids=b"),
        // Nothing
        ("checkpoint_limit=none", ""),
        ("--checkpoint-limit None", ""),
        ("--model-name null", ""),
        ("--reward none", "--reward=none"),
        ("--output_dir --fp16=0", ""),
        ("--output_dir . --fp16=0", "--output-dir=."),
        // Without meaning
        ("--wandb_tags sl,opt --deepspeed ds.json --seed 3", "--seed=3"),
        ("device=cuda:1 rf_device=cuda:2 seed=3", "--seed=3"),
        ("--parallelize --torchcompile 1 --seed 3", "--seed=3"),
        ("--parallelize=False --num_gpus=2 --seed 3", "--seed=3"),
        ("wandb_tags=[train, rl] entity=x project=y group=1-5", ""),
        // Help
        ("--seed x --help", "--help"),
        ("-h", "--help"),
        ("--version", "--version"),
    ])
    func normalises(line: String, expected: String) throws {
        #expect(try words(line) == expected.split(separator: " ").map(String.init))
    }

    @Test("the word behind an option is its value, also where it looks like another option without dashes")
    func valuesWithEqualsSigns() throws {
        #expect(try words("--model_name do_train=1 seed=3") == ["--model-name=do_train=1", "--seed=3"])
        #expect(try words("--model-name seed=1 --seed=3") == ["--model-name=seed=1", "--seed=3"])
    }

    @Test(arguments: [
        ("--zzzzzzzzzz 1", CommandLineError.unknownOption("--zzzzzzzzzz", nearest: nil, place: nil)),
        ("--freez_layers 0.8", .unknownOption("--freez_layers", nearest: "--freeze_layers", place: nil)),
        ("--freeze-layer=0.8", .unknownOption("--freeze-layer", nearest: "--freeze-layers", place: nil)),
        ("--freeze 0.8", .unknownOption("--freeze", nearest: "--freeze-layers", place: nil)),
        ("modle_name=x", .unknownOption("modle_name", nearest: "model_name", place: nil)),
        ("--bettertransfomer=1", .unknownOption("--bettertransfomer", nearest: "--bettertransformer", place: nil)),
        ("-s 3", .unknownOption("-s", nearest: nil, place: nil)),
        ("--no-freeze-layers", .unknownOption("--no-freeze-layers", nearest: "--freeze-layers", place: nil)),
        ("--seed", .missingValue("--seed")),
        ("--seed --do_train", .missingValue("--seed")),
        ("--do_train=maybe", .notBoolean("--do_train", value: "maybe")),
        ("--config", .missingValue("--config")),
        ("run", .unexpectedWord("run")),
        ("--do_train run", .notBoolean("--do_train", value: "run")),
        ("-- run", .unexpectedWord("run")),
        ("-", .unexpectedWord("-")),
        ("=3", .unexpectedWord("=3")),
        // One option twice
        ("--seed 1 --do-train --seed 2", .repeatedOption("--seed", "--seed", place: nil)),
        ("--seed 1 --seed 1", .repeatedOption("--seed", "--seed", place: nil)),
        ("--seed=1 seed=2", .repeatedOption("--seed", "seed", place: nil)),
        ("--freeze-layers 1 --freeze_layers=1", .repeatedOption("--freeze-layers", "--freeze_layers", place: nil)),
        ("freezeLayers=1 --freeze_layers=1", .repeatedOption("freezeLayers", "--freeze_layers", place: nil)),
        (
            "--model-name m --model_name_or_path n", .repeatedOption("--model-name", "--model_name_or_path", place: nil)
        ),
        ("--verbose --no-verbose", .repeatedOption("--verbose", "--no-verbose", place: nil)),
        ("--do_train=1 --no-do-train", .repeatedOption("--do_train", "--no-do-train", place: nil)),
        (
            "--checkpoint-limit 3 --checkpoint-limit None",
            .repeatedOption("--checkpoint-limit", "--checkpoint-limit", place: nil)
        ),
        (
            "--evaluation-splits a --evaluation_splits b",
            .repeatedOption("--evaluation-splits", "--evaluation_splits", place: nil)
        ),
    ])
    func refuses(line: String, error: CommandLineError) {
        #expect(throws: error) { try words(line) }
        #expect(!error.description.contains("\n"))
    }

    @Test func bothSpellingsOfARepeatedOptionAreNamed() {
        func text(_ arguments: [String]) -> String {
            let error = #expect(throws: CommandLineError.self) { try SampleCommand.parse(normalising: arguments) }
            #expect(error?.programExit == .usage)
            return error?.description ?? ""
        }
        #expect(
            text(["--freeze-layers=1", "freeze_layers=1"])
                == "--freeze-layers and freeze_layers are the same option; keep one of them")
        #expect(text(["--seed", "1", "--seed", "2"]) == "--seed is given twice; keep one of them")
    }

    /// What a person typed comes back on one line, and does nothing to a terminal.
    @Test(arguments: ["--zz\nz=1", "a\nb", "--do_train=may\nbe", "--seed=1\n2", "--reward=\u{1b}[31mred\u{202e}"])
    func messagesStayOnOneLine(word: String) {
        let error = #expect(throws: CommandLineError.self) { try SampleCommand.parse(normalising: [word]) }
        let text = error?.description ?? "\n"
        #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202e }, "\(text)")
    }

    @Test func saysOnceWhatHasNoMeaning() throws {
        let normalised = try CommandLineArguments.normalise(
            ["--wandb_tags", "a", "b", "--fp16=0", "--wandb_tags=c", "--output_dir"], program: "sample",
            table: SampleCommand.optionTable)
        #expect(
            normalised.notes == [
                "--wandb_tags is ignored: runs are tracked by files in the run folder, --tensorboard and --"
                    + "mlflow-uri",
                "--fp16 is ignored: set the number format with --dtype",
                "--output_dir has no value; the default is used",
            ])
    }

    @Test func wordsAreKeptWhereTheProgramTakesThem() throws {
        struct Words: ProgramCommand {
            @Option var seed = 1
            @Option var names: ArgumentList<String> = []
            @Argument var files: [String] = []
        }
        let command = try Words.parse(normalising: ["a", "--seed=2", "--names", "x", "b", "--", "--seed"])
        #expect(command.files == ["a", "b", "--seed"])
        #expect(command.seed == 2)
        #expect(command.names == ["x"])
    }

    @Test(
        "words are elements of a list where a program says of which, before those that the option names",
        arguments: [
            ("runs/demo", ["runs/demo"]), ("a b --output x.html c", ["a", "b", "c"]), ("--output=x.html a --runs b,c", ["a", "b", "c"]),
            ("--runs [b, c] a", ["a", "b", "c"]), ("--runs a b", ["a", "b"]), ("-- a --b", ["a", "--b"]),
        ])
    func wordsOfAList(line: String, runs: [String]) throws {
        struct Report: ProgramCommand {
            @OptionGroup(title: "Report") var report: HTMLReportOptions
        }
        let command = try Report.parse(normalising: line.split(separator: " ").map(String.init))
        #expect(command.report.runs.values.sorted() == runs.sorted())
    }

    @Test("no run at all is an error that shows how it is done")
    func noWords() {
        struct Report: ProgramCommand {
            @OptionGroup(title: "Report") var report: HTMLReportOptions
        }
        let error = #expect(throws: CommandLineError.self) { try Report.parse(normalising: ["--output", "x.html"]) }
        #expect(error?.description.contains("rlhf-report html runs/demo") ?? false)
    }

    // MARK: Through the parser

    @Test func parsesWhatItNormalised() throws {
        let line = "--freeze_layers=0.5 do_train=0 --evaluation_splits [a,b] --run_ids x y --reward bleu --adaptive=1"
        let command = try SampleCommand.parse(normalising: line.split(separator: " ").map(String.init))
        #expect(command.training.freezeLayers == 0.5)
        #expect(!command.training.doTrain)
        #expect(command.evaluationSplits == ["a", "b"])
        #expect(command.runIds == ["x", "y"])
        #expect(command.reward == .bleu)
        #expect(command.adaptive == true)
        #expect(command.checkpointLimit == nil)
    }

    @Test func badValuesAreUsageErrors() {
        let error = #expect(throws: CommandLineError.self) {
            try SampleCommand.parse(normalising: ["--freeze_layers", "much"])
        }
        #expect(error?.description.contains("'much' is invalid for '--freeze-layers") == true)
        #expect(error?.description.contains("; expected a number") == true)
        let steps = #expect(throws: CommandLineError.self) {
            try SampleCommand.parse(normalising: ["--checkpoint-limit", "abc"])
        }
        #expect(steps?.description.contains("; expected an integer") == true)
        #expect(error?.programExit == .usage)
    }

    @Test(arguments: [
        "--checkpoint-limit=1000000001", "--checkpoint-limit=-9223372036854775808", "--freeze-layers=nan",
        "--kl-coefficient=nan",
    ])
    func numbersWithoutMeaningAreRefused(word: String) throws {
        let error = #expect(throws: CommandLineError.self) { try SampleCommand.parse(normalising: [word]) }
        let name = word.prefix { $0 != "=" }
        #expect(error?.description.hasPrefix("\(name) is ") == true)
        _ = try SampleCommand.parse(normalising: ["--checkpoint-limit=1000000000", "--seed=18446744073709551615"])
    }

    /// JSON has no infinity; the configuration of a run must be readable all the same.
    @Test func anInfinityIsStoredAsItIsTyped() throws {
        let command = try SampleCommand.parse(normalising: ["--freeze-layers=inf", "--kl-coefficient=-inf"])
        let options = command.resolvedOptions
        #expect(options["freeze_layers"] == .string("inf") && options["kl_coefficient"] == .string("-inf"))
        let stored = RunConfiguration(stage: .supervised, program: "sample", options: options)
        let read = try JSONDecoder().decode(RunConfiguration.self, from: Data(stored.description.utf8))
        #expect(read == stored)
    }

    @Test func helpIsReadable() throws {
        let help = SampleCommand.helpMessage(columns: 100)
        for name in SampleCommand.optionTable.entries.keys { #expect(help.contains("--\(name)")) }
        #expect(help.contains("TRAINING:"))
        #expect(help.contains("--do-train <true|false> Train. (default: true)"))
        #expect(help.contains("(default: test)"))
    }

    @Test func resolvedOptionsHoldEveryValue() throws {
        let command = try SampleCommand.parse(normalising: ["--seed=18446744073709551615", "--run-ids=a"])
        #expect(
            command.resolvedOptions == [
                "freeze_layers": .number(0.8), "do_train": .bool(true), "kl_coefficient": .number(0.05),
                "evaluation_splits": .array([.string("test")]), "run_ids": .array([.string("a")]),
                "reward": .string("rouge"), "output_dir": .string("runs"), "no_overall_input": .bool(false),
                "seed": .string("18446744073709551615"), "verbose": .bool(false),
            ])
    }
}

@Suite struct ArgumentListTests {
    @Test(arguments: [
        ("", []), ("[]", []), (" [ ] ", []), ("a", ["a"]), ("a,b", ["a", "b"]), ("[a, b ]", ["a", "b"]),
        ("a,,b", ["a", "", "b"]), (#"["a,b","c"]"#, ["a,b", "c"]), (#"["a\"b\\"]"#, [#"a"b\"#]),
        (#"["a]"#, [#""a"#]), (#"["a" b, c]"#, [#""a" b"#, "c"]),
    ])
    func splits(text: String, elements: [String]) {
        #expect(ArgumentList<String>(argument: text)?.values == elements)
    }

    @Test func elementsHaveTypes() {
        #expect(ArgumentList<Int>(argument: "[1, 2,3]") == [1, 2, 3])
        #expect(ArgumentList<Int>(argument: "1,x") == nil)
        #expect(ArgumentList<Double>([0.5, 1]).defaultValueDescription == "0.5,1.0")
    }
}

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ab", 1),
        ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func distances(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    @Test func findsOnlyWhatIsNear() {
        let names = ["learning-rate", "seed", "total-steps"]
        #expect(NearestName.find("lerning-rate", among: names) == "learning-rate")
        #expect(NearestName.find("total-step", among: names) == "total-steps")
        #expect(NearestName.find("sede", among: names) == "seed")
        #expect(NearestName.find("temperature", among: names) == nil)
    }
}
