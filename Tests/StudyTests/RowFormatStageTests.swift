import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Stages on rows as people have them: instructions, preferences in several forms, single answers with labels.
@Suite struct RowFormatStageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyStudy.makeSupervisedRun(in: folder, TinyStudy.environment)
        for (name, row) in Self.rows {
            try FileManager.default.createDirectory(at: folder[name], withIntermediateDirectories: true)
            for split in ["train", "validation"] {
                let lines = (0..<8).map { row.replacing("N", with: "\($0)").replacing("SOURCE", with: $0 % 4 == 3 ? "book" : "web") }
                try Foundation.Data(lines.joined(separator: "\n").utf8).write(to: folder["\(name)/\(split).jsonl"])
            }
        }
    }

    private static let rows = [
        "alpaca": #"{"instruction": "say N", "input": "", "output": "it is N", "source": "SOURCE"}"#,
        "preference": #"{"prompt": "say N:", "chosen": " N", "rejected": " no", "source": "SOURCE"}"#,
        "implicit": #"{"chosen": "say N: yes N", "rejected": "say N: no N", "source": "SOURCE"}"#,
        "alpaca-preference":
            #"{"instruction": "say N", "input": "now", "output_1": "no", "output_2": "N", "preference": 2, "source": "SOURCE"}"#,
        "hh": #"{"chosen": "\n\nHuman: say N\n\nAssistant: N", "rejected": "\n\nHuman: say N\n\nAssistant: no", "source": "SOURCE"}"#,
        "unpaired": #"{"prompt": "say N:", "completion": " N", "label": true, "source": "SOURCE"}"#,
        "prompts": #"{"prompt": "say N:", "source": "SOURCE"}"#,
        "unwanted": #"{"prompt": "say N:", "completion": " N", "label": false, "source": "SOURCE"}"#,
        "alpaca-prompts": #"{"instruction": "say N", "input": "", "output": "", "source": "SOURCE"}"#,
    ]

    @Test(
        "prompts without a reference leave none in tables, and no reward compares with one",
        arguments: ["prompts", "unwanted", "alpaca-prompts"])
    func promptsAlone(_ name: String) throws {
        var stage = BestOfNStage()
        stage.bestOfN.modelName = folder["sft"].path
        (stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (2, ["validation"])
        (stage.reward.rewardFunction, stage.data.dataset, stage.sampling.maxNewTokens) = ("length", folder[name].path, 4)
        stage.run.threads = 1
        try stage.run(in: folder["bon"])
        let table = try String(contentsOf: folder["bon/tables/validation.jsonl"], encoding: .utf8)
        #expect(table.contains("\"response\":") && !table.contains("\"reference\":"))
        for reward in ["rouge", "bleu", "check"] {
            stage.reward.rewardFunction = reward
            let error = #expect(throws: RewardError.self) { try stage.run(in: folder["bon-\(reward)"]) }
            guard case .noReference(8, of: 8, let first)? = error else { return #expect(Bool(false), "\(error as Any)") }
            #expect(first.contains("say 0"))
        }
    }

    @Test("prompts without answers cannot be trained on, and the error says so", arguments: ["prompts", "alpaca-prompts"])
    func promptsForTraining(_ name: String) throws {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        stage.data.dataset = folder[name].path
        stage.run.threads = 1
        let error = #expect(throws: DataError.self) { try stage.run(in: folder["more"]) }
        #expect("\(error as Any)".contains("all 8 rows have a prompt but no answer; SFT needs prompt and completion"))
    }

    private func small(_ training: inout TrainingSettings) {
        (training.maxSteps, training.perDeviceTrainBatchSize, training.loggingSteps) = (2, 4, 1)
    }

    @Test(
        "every format of preferences trains a reward model and a policy", arguments: ["preference", "implicit", "alpaca-preference", "hh"])
    func preferences(_ name: String) throws {
        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = folder[name].path
        reward.head.savePreds = true
        small(&reward.training)
        reward.run.threads = 1
        try reward.run(in: folder["rm"])
        let metrics = try String(contentsOf: folder["rm/metrics.jsonl"], encoding: .utf8)
        #expect(metrics.contains("\"validation_accuracy\":"))
        // the scores that are kept are those that the accuracy was made of
        let scores = try String(contentsOf: folder["rm/predictions-validation/scores.csv"], encoding: .utf8).split(separator: "\n")
        #expect(scores.first == "Index,First,Second,Label")
        let right = scores.dropFirst().map { line -> Double in
            let fields = line.split(separator: ",").compactMap { Double($0) }
            guard fields.count == 4 else { return .nan }
            let (chosen, other) = fields[3] == 1 ? (fields[2], fields[1]) : (fields[1], fields[2])
            return chosen > other ? 1 : chosen == other ? 0.5 : 0
        }
        let accuracy = try MetricsFile.read(inRun: folder["rm"]).last { $0.values["validation_accuracy"] != nil }
        #expect(abs((accuracy?.values["validation_accuracy"] ?? .nan) - right.reduce(0, +) / Double(right.count)) < 1e-9)

        var preference = PreferenceStage()
        preference.comparisons.modelName = folder["sft"].path
        preference.data.dataset = folder[name].path
        preference.preference.klPrompts = 0
        (preference.data.oodColumn, preference.data.oodValues) = ("source", ["book"])
        small(&preference.training)
        preference.run.threads = 1
        try preference.run(in: folder["dpo"])
        let found = try String(contentsOf: folder["dpo/metrics.jsonl"], encoding: .utf8)
        #expect(found.contains("\"ood_validation_loss\":"))
    }

    @Test("single answers with labels train losses of single answers, and are refused where pairs are learned")
    func unpaired() throws {
        var stage = PreferenceStage()
        stage.comparisons.modelName = folder["sft"].path
        stage.data.dataset = folder["unpaired"].path
        stage.preference.klPrompts = 0
        stage.preference.loss = "kto"
        small(&stage.training)
        stage.run.threads = 1
        try stage.run(in: folder["kto"])
        let log = folder["kto/reference-train/log-probs.jsonl"]
        // one number for each answer, not two
        #expect(try String(contentsOf: log, encoding: .utf8).split(separator: "\n").count == 8)
        stage.preference.loss = "sigmoid"
        let refused = #expect(throws: InvalidSetting.self) { try stage.run(in: folder["dpo"]) }
        #expect(refused?.message.contains("single answers with labels") == true && refused?.message.contains("--loss kto") == true)
        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = folder["unpaired"].path
        #expect(throws: InvalidSetting.self) { try reward.run(in: folder["rm"]) }
    }

    @Test("instructions are learned and answered in Alpaca's prompt, and the prompts of preferences are answered, too")
    func instructions() throws {
        var supervised = SFTStage()
        supervised.model.modelName = folder["sft"].path
        supervised.data.dataset = folder["alpaca"].path
        (supervised.data.oodColumn, supervised.data.oodValues) = ("source", ["book"])
        supervised.evaluation.doEval = false
        small(&supervised.training)
        supervised.run.threads = 1
        try supervised.run(in: folder["alpaca-sft"])

        func answers(_ set: String, _ run: String) throws -> [SampleRow] {
            var best = BestOfNStage()
            best.bestOfN.modelName = folder["alpaca-sft"].path
            best.bestOfN.numReturnSequences = 2
            best.bestOfN.evaluationSplits = ["validation"]
            best.data.dataset = folder[set].path
            best.reward.rewardFunction = "length"
            best.sampling.maxNewTokens = 4
            best.run.threads = 1
            return try best.run(in: folder[run]).table("validation")
        }
        let first = try #require(try answers("alpaca", "a").first)
        #expect(first.input.hasSuffix("### Instruction:\nsay 0\n\n### Response:") && first.reference == "it is 0")
        #expect(try answers("hh", "b").first?.input == "\n\nHuman: say 0\n\nAssistant:")
        let unpaired = try answers("unpaired", "c")
        #expect(unpaired.first?.input == "say 0:" && unpaired.first?.reference == " 0")
        // answers of such a run follow their prompts directly where they are learned
        var again = SFTStage()
        again.model.modelName = folder["sft"].path
        again.data.dataset = folder["a"].path + ":validation"
        let corpus = try again.data.corpus(["train"])
        #expect(corpus.splits["train"]?.allSatisfy { $0.promptFormat == .verbatim } == true)
    }

    @Test("of a built-in set the values that rows have are found, and its own splits that are left out are said")
    func builtInColumn() throws {
        var data = DataSettings()
        data.dataset = "instructions"
        (data.oodColumn, data.oodValues) = ("subreddit", ["sort", "sing"])
        var lines: [String] = []
        let corpus = try data.corpus(["train", "ood_train"]) { lines.append($0) }
        #expect(corpus.splits["ood_train"]?.allSatisfy { $0.subreddit == "sort" } == true)
        #expect(lines.filter { $0.hasPrefix("no row has") } == ["no row has \"sing\" in the column subreddit (--ood-values)"])
        #expect(
            lines.contains { $0.hasPrefix("the data set's own splits ood_train, ood_validation, ood_test are ignored: --ood-column") },
            "\(lines)")
        data.oodColumn = "source"
        #expect(throws: DataError.self) { try data.corpus(["train"]) }
    }

    @Test("files of splits that --ood-column makes are said to be left out, of examples and of comparisons")
    func ownSplitsLeftOut() throws {
        for name in ["alpaca", "preference"] {
            for split in ["ood_validation", "ood_test"] {
                try FileManager.default.copyItem(at: folder["\(name)/train.jsonl"], to: folder["\(name)/\(split).jsonl"])
            }
            var data = DataSettings()
            data.dataset = folder[name].path
            var lines: [String] = []
            func read() throws {
                lines = []
                if name == "alpaca" {
                    _ = try data.corpus(["train"]) { lines.append($0) }
                } else {
                    _ = try data.comparisons(in: nil, ["train"]) { lines.append($0) }
                }
            }
            try read()
            #expect(!lines.contains { $0.contains("are ignored") })
            (data.oodColumn, data.oodValues) = ("source", ["book"])
            try read()
            #expect(
                lines.contains(
                    "the data set's own splits ood_validation, ood_test are ignored: "
                        + "--ood-column makes these splits from the other splits' rows"),
                "\(lines)")
        }
    }

    @Test("a part of a split that is named alone is said, and --data-format without files is refused")
    func partsAndFormats() throws {
        var data = DataSettings()
        for name in ["train-00000-of-00003.jsonl", "train-00000-of-00001.jsonl"] {
            try FileManager.default.copyItem(at: folder["alpaca/train.jsonl"], to: folder[name])
            data.trainFile = folder[name].path
            var lines: [String] = []
            _ = try data.corpus(["train"]) { lines.append($0) }
            let line =
                "\(folder[name].path) is one of 3 parts by its name, and only it is read; to read all, give their folder with --dataset"
            #expect(lines.contains(line) == name.hasSuffix("3.jsonl"), "\(lines)")
        }
        data.trainFile = nil
        data.dataFormat = "alpaca"
        for name in [nil, "generated", "instructions"] {
            data.dataset = name
            let error = #expect(throws: InvalidSetting.self) { try data.corpus(["train"]) }
            #expect(error?.message.contains("--data-format alpaca has no effect with the built-in data set") == true)
        }
    }

    @Test("--chat-template none takes texts alone, also of a set that is evaluated")
    func imagesWithoutTemplate() throws {
        let row = #"{"messages": [{"role": "user", "content": [{"type": "image"}]}, {"role": "assistant", "content": "a"}]}"#
        let file = folder["images.jsonl"]
        try Foundation.Data((row + "\n").utf8).write(to: file)
        var data = DataSettings()
        data.trainFile = file.path
        #expect(try data.corpus(["train"]).splits["train"]?.count == 1)
        data.chatTemplate = "none"
        let error = #expect(throws: (any Error).self) { try data.corpus(["train"]) }
        #expect("\(String(describing: error))".contains("has a part of type"))
        data.trainFile = nil
        data.dataset = folder["alpaca"].path
        try FileManager.default.createDirectory(at: folder["other"], withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: file, to: folder["other/validation.jsonl"])
        data.evalDataset = folder["other"].path
        #expect(throws: (any Error).self) { try data.corpus(["train", "ood_validation"]) }
        data.chatTemplate = nil
        #expect(try data.corpus(["train", "ood_validation"]).splits["ood_validation"]?.count == 1)
    }

    @Test("how rows are written is said in one line, and values that no row has, too")
    func notes() throws {
        var data = DataSettings()
        data.dataset = folder["alpaca"].path
        (data.oodColumn, data.oodValues) = ("source", ["book", "radio"])
        var lines: [String] = []
        _ = try data.corpus(["train"]) { lines.append($0) }
        #expect(lines.contains("row format (detected): alpaca (train)"))
        #expect(lines.contains("no row has \"radio\" in the column source (--ood-values)"))
        data.dataFormat = "Alpaca"
        lines = []
        _ = try data.corpus(["train"]) { lines.append($0) }
        #expect(lines.contains("row format: alpaca (train)"))
        data.dataFormat = "prompt_completion"
        let error = #expect(throws: (any Error).self) { try data.corpus(["train"]) }
        #expect(
            "\(String(describing: error))".contains("train.jsonl:1: the format prompt-completion expects the columns prompt and completion")
        )
        data.dataFormat = nil
        lines = []
        _ = try data.comparisons(in: folder["hh"].path, ["train"]) { lines.append($0) }
        #expect(lines.contains("row format (detected): hh (train)"))
    }

    @Test("settings that contradict each other are refused by name")
    func settings() {
        func problem(_ change: (inout DataSettings) -> Void) -> String {
            var data = DataSettings()
            change(&data)
            do {
                try data.validate()
                return "nothing"
            } catch {
                return "\(error)"
            }
        }
        #expect(problem { $0.dataFormat = "alpacca" }.contains("expected posts, comparisons"))
        #expect(problem { $0.dataFormat = "alpacca" }.contains("did you mean alpaca?"))
        #expect(problem { $0.oodColumn = "a" }.contains("oodValues must be given together"))
        #expect(problem { $0.oodValues = ["a"] }.contains("oodValues must be given together"))
        for change: (inout DataSettings) -> Void in [
            { $0.evalDataset = "cnndm" }, { $0.datasetRandomSubset = 10 }, { $0.datasetStructuredSubset = "length" },
            { $0.oodTestFile = "x" },
        ] {
            #expect(
                problem {
                    ($0.oodColumn, $0.oodValues) = ("a", ["b"])
                    change(&$0)
                }.contains("choose one of them"))
        }
    }

    @Test("pairs that are simulated for a set with prompts of its own have those prompts")
    func simulatedPrompts() throws {
        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["sft"].path
        reward.data.dataset = "instructions"
        (reward.comparisons.simulatedPrompts, reward.comparisons.simulatedEvaluationPrompts) = (8, 4)
        reward.comparisons.minimumMargin = 0
        reward.sampling.maxNewTokens = 4
        small(&reward.training)
        reward.run.threads = 1
        try reward.run(in: folder["rm"])
        let text = try String(contentsOf: folder["rm/comparisons/train.jsonl"], encoding: .utf8)
        #expect(text.contains("Instruction:\\n{post}\\n\\n### Response:"))
    }
}
