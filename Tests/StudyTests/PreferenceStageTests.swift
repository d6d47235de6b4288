import Data
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Direct preference optimisation as a stage: what it leaves, that it goes on where it stopped, and what later stages make of it.
@Suite struct PreferenceStageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyStudy.makeSupervisedRun(in: folder)
    }

    private func stage(_ loss: String) -> PreferenceStage {
        var stage = PreferenceStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        stage.data.dataset = "generated"
        stage.preference.loss = loss
        stage.preference.klPrompts = 2
        stage.sampling.maxNewTokens = 6
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.loggingSteps) = (4, 4, 1)
        (stage.training.learningRate, stage.training.freezeLayers, stage.training.evalSteps) = (1e-2, 0.5, 2)
        stage.run.threads = 1
        return stage
    }

    @Test("training that cannot fit is refused before comparisons are simulated")
    func refusedBeforeSimulation() throws {
        var preference = stage("sigmoid")
        preference.run.memoryLimit = "1MB"
        var reward = RewardModelStage()
        (reward.comparisons, reward.data, reward.sampling) = (preference.comparisons, preference.data, preference.sampling)
        (reward.training, reward.run) = (preference.training, preference.run)
        #expect(throws: MemoryError.self) { try preference.run(in: folder["preference"]) }
        #expect(throws: MemoryError.self) { try reward.run(in: folder["reward"]) }
        for run in ["preference", "reward"] {
            #expect(!FileManager.default.fileExists(atPath: folder["\(run)/comparisons"].path), "\(run)")
        }
    }

    private func weights(_ run: String) throws -> Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }
    private func metrics(_ run: String) throws -> String { try String(contentsOf: folder["\(run)/metrics.jsonl"], encoding: .utf8) }

    @Test("a run that is stopped behind every step ends with the same bytes", arguments: ["sigmoid", "simpo", "kto"])
    func resumes(loss: String) throws {
        try stage(loss).run(in: folder["whole"])
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        var stops = 0
        while stops < 20 {
            do {
                try stage(loss).run(in: folder["parts"], environment)
                break
            } catch is RunStopped {
                stops += 1
                // damage to the reference's numbers is found, and they are the same when they are made again
                let file = folder["parts/reference-train/log-probs.jsonl"]
                if stops == 2, FileManager.default.fileExists(atPath: file.path) { try Foundation.Data("[1,2]".utf8).write(to: file) }
            }
        }
        #expect(stops >= 3)
        #expect(try weights("whole") == weights("parts"))
        #expect(try weights("whole") != weights("sft"))
        #expect(try metrics("whole") == metrics("parts"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder["whole"].path)
        #expect(names.contains("reference-train") == (loss != "simpo") && names.contains("comparisons"))
        let text = try metrics("whole")
        for name in ["validation_loss", "ood_validation_margin", "validation_kl", "ood_validation_end_share", "rewards_chosen"] {
            #expect(text.contains("\"\(name)\":"), "\(name)")
        }
        // a name stands for one number of a step
        for step in [0, 2] {
            let lines = text.split(separator: "\n").filter { $0.contains("\"step\":\(step),") || $0.contains("\"step\":\(step)}") }
            #expect(lines.count { $0.contains("\"validation_kl\":") } <= 1, "\(loss) \(lines)")
        }
        #expect(text.contains("\"validation_reference_point\":") == (loss == "kto"))
    }

    @Test("splits that are measured at the end have a KL, too; a method's usual name leads to its loss")
    func lastSplits() throws {
        try FileManager.default.createDirectory(at: folder["pairs"], withIntermediateDirectories: true)
        for split in ["train", "test"] {
            let rows = (0..<6).map {
                "{\"info\": {\"id\": \"\(split)\($0)\", \"subreddit\": \"a\", \"title\": \"b\", \"post\": \"c \($0)\"}, \"summaries\": [{\"text\": \"so\"}, "
                    + "{\"text\": \"short\"}], \"choice\": 0}"
            }
            try Foundation.Data(rows.joined(separator: "\n").utf8).write(to: folder["pairs/\(split).jsonl"])
        }
        var stage = stage("sigmoid")
        stage.comparisons.comparisons = folder["pairs"].path
        try stage.run(in: folder["run"])
        let last = try #require(try metrics("run").split(separator: "\n").first { $0.contains("\"test_loss\":") })
        #expect(last.contains("\"test_kl\":") && last.contains("\"test_response_tokens\":"), "\(last)")
        // the reference model is read before the first step only, and is not needed later without a KL
        (stage.preference.klPrompts, stage.training.maxSteps) = (0, 2)
        try stage.run(in: folder["whole"])
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        #expect(throws: RunStopped.self) { try stage.run(in: folder["parts"], environment) }
        #expect(FileManager.default.fileExists(atPath: folder["parts/reference-test/log-probs.jsonl"].path))
        try stage.run(in: folder["parts"])
        #expect(try weights("whole") == weights("parts"))
        #expect(try metrics("whole") == metrics("parts") && metrics("whole").contains("\"test_loss\":"))
        var other = DirectPreferenceSettings()
        other.loss = "dpo"
        let error = #expect(throws: InvalidSetting.self) { try other.validate() }
        #expect("\(String(describing: error))".contains("did you mean sigmoid?"))
    }

    @Test("training pairs that are evaluated are read once by the reference")
    func evaluatedTrainingPairs() throws {
        var stage = stage("sigmoid")
        (stage.evaluation.trainingEvaluationBatches, stage.evaluation.perDeviceEvalBatchSize) = (1, 4)
        try stage.run(in: folder["run"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder["run"].path).filter { $0.hasPrefix("reference-") }
        #expect(names.sorted() == ["reference-ood_validation", "reference-train", "reference-validation"])
        #expect(try metrics("run").contains("\"train_accuracy\":"))
    }

    @Test("comparisons of another run, a reference of its own, and a policy that later stages take")
    func goesOn() throws {
        try stage("sigmoid").run(in: folder["dpo"])
        var second = stage("ipo")
        second.comparisons.comparisons = folder["dpo/comparisons"].path
        second.comparisons.modelName = folder["dpo"].path
        second.preference.referenceModel = folder["sft"].path
        try second.run(in: folder["ipo"])
        #expect(try weights("ipo") != weights("dpo"))
        // responses that no prompt leaves room for are refused before the first step, and leave no folder
        var long = second
        long.sampling.maxNewTokens = 100_000
        let error = #expect(throws: InvalidSetting.self) { try long.run(in: folder["long"]) }
        #expect(error?.message.hasPrefix("--max-new-tokens is 100000, and the held-out prompt ") == true)
        #expect(!FileManager.default.fileExists(atPath: folder["long"].path))
        // the policy is not its reference any more when it begins
        let first = try #require(try metrics("ipo").split(separator: "\n").first { $0.contains("\"validation_kl\"") })
        #expect(!first.contains("\"validation_kl\":0,") && !first.contains("\"validation_kl\":0.0,"), "\(first)")
        var best = BestOfNStage()
        best.bestOfN.modelName = folder["ipo"].path
        (best.bestOfN.numReturnSequences, best.bestOfN.evaluationSplits) = (2, ["test"])
        best.data.dataset = "generated"
        best.data.targetEvalDatapoints = 2
        best.reward.rewardFunction = "length"
        best.sampling.maxNewTokens = 4
        best.run.threads = 1
        try best.run(in: folder["bon"])
    }

    /// An answer that fills both lengths leaves no token of its prompt: it is left out and counted, and where none is left that is said.
    @Test("comparisons without a token of their prompt", arguments: ["sigmoid", "kto", "simpo"])
    func answersThatFillTheContext(loss: String) throws {
        try FileManager.default.createDirectory(at: folder["long"], withIntermediateDirectories: true)
        func row(_ answer: String) -> String {
            "{\"info\": {\"id\": \"x\", \"subreddit\": \"a\", \"title\": \"b\", \"post\": \"c\"}, \"summaries\": [{\"text\": \"\(answer)\"}, "
                + "{\"text\": \"short\"}], \"choice\": 0}"
        }
        let long = row(String(repeating: "word ", count: 400))
        var stage = stage(loss)
        stage.comparisons.comparisons = folder["long"].path
        (stage.data.maxSourceLength, stage.data.maxTargetLength) = (60, 60)
        try Foundation.Data(([long] + (0..<6).map { row("fine \($0)") }).joined(separator: "\n").utf8).write(to: folder["long/train.jsonl"])
        try stage.run(in: folder["some"])
        try Foundation.Data(long.utf8).write(to: folder["long/train.jsonl"])
        let error = #expect(throws: TrainingError.self) { try stage.run(in: folder["none"]) }
        #expect("\(String(describing: error))".contains("has no examples"))
    }

    @Test("settings that do not go together are refused before anything is written")
    func refusals() {
        func refused(_ words: String, _ change: (inout PreferenceStage) -> Void) {
            var stage = stage("sigmoid")
            change(&stage)
            let error = #expect(throws: InvalidSetting.self) { try stage.run(in: folder["bad"]) }
            #expect("\(String(describing: error))".contains(words), "\(String(describing: error))")
            #expect(!FileManager.default.fileExists(atPath: folder["bad"].path))
        }
        refused("did you mean sigmoid") { $0.preference.loss = "sigmoyd" }
        refused("fDivergence") { $0.preference.fDivergence = "total" }
        refused("fDivergence has no effect with loss apo_zero") { ($0.preference.loss, $0.preference.fDivergence) = ("apo-zero", "js") }
        refused("exo_pair") { $0.preference.loss = "exo-pair" }
        refused("beta") { $0.preference.beta = -1 }
        refused("klPrompts") { $0.preference.klPrompts = -1 }
        refused("has no effect") { ($0.preference.loss, $0.preference.labelSmoothing) = ("ipo", 0.1) }
        refused("has no effect") { ($0.preference.loss, $0.preference.rpoAlpha) = ("kto", 1) }
        refused("has no effect") { $0.preference.gamma = 3 }
        refused("has no effect") { $0.preference.undesirableWeight = 2 }
        refused("undesirable") { ($0.preference.loss, $0.preference.undesirableWeight) = ("kto", -1) }
    }
}
