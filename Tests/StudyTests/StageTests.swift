import Data
import Eval
import Foundation
import Models
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Stages without a command line: they leave run folders, stop, go on and take what callers put in.
@Suite struct StageTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var small: SFTStage {
        var stage = SFTStage()
        stage.model.fromScratch = true
        stage.model.vocabularySize = 300
        (stage.model.hiddenSize, stage.model.intermediateSize) = (16, 24)
        (stage.model.numHiddenLayers, stage.model.numAttentionHeads) = (2, 2)
        stage.data.dataset = "generated"
        stage.data.maxTrainExamples = 24
        stage.data.targetEvalDatapoints = 4
        stage.training.maxSteps = 6
        stage.training.perDeviceTrainBatchSize = 4
        stage.training.loggingSteps = 1
        stage.training.saveSteps = 2
        stage.run.threads = 1
        return stage
    }

    @Test("a stage that was stopped goes on from its checkpoint, and ends as one that was not")
    func resuming() throws {
        let whole = try small.run(in: folder["whole"])
        var environment = StageEnvironment()
        var cuts: [Int] = []
        var losses: [Int] = []
        let sink = ClosureSink(cutBack: { step in
            cuts.append(step)
            losses.removeAll { $0 > step }
        }) { event in
            if case .measured(let step, let values) = event, values["loss"] != nil { losses.append(step) }
        }
        environment.sinks = [sink]
        environment.shouldStop = { (losses.last ?? 0) >= 3 }
        let stopped = #expect(throws: RunStopped.self) { try small.run(in: folder["broken"], environment) }
        #expect(stopped?.step == 3)
        environment.shouldStop = { false }
        let broken = try small.run(in: folder["broken"], environment)
        #expect(cuts == [0, 3] && losses == Array(1...6))
        #expect(try broken.metrics() == whole.metrics())
        let weights = ["model.safetensors", "config.json"].map {
            (whole.result.appendingPathComponent($0), broken.result.appendingPathComponent($0))
        }
        for (first, second) in weights { #expect(try Data(contentsOf: first) == Data(contentsOf: second)) }
        // once complete, it is left as it is
        let metrics = try Data(contentsOf: folder["broken/metrics.jsonl"])
        try small.run(in: folder["broken"], environment)
        #expect(try Data(contentsOf: folder["broken/metrics.jsonl"]) == metrics)
    }

    @Test("a trainer.json that is cut off in the newest checkpoint is reported, and the run resumes from the checkpoint before it")
    func truncatedCheckpoint() throws {
        let whole = try small.run(in: folder["whole"])
        var environment = StageEnvironment()
        var (steps, lines) = (0, [String]())
        environment.sinks = [
            ClosureSink { event in
                if case .progressed(let step, _, _, _) = event { steps = step }
                if case .noted(let line) = event { lines.append(line) }
            }
        ]
        environment.shouldStop = { steps >= 5 }
        #expect(throws: RunStopped.self) { try small.run(in: folder["cut"], environment) }
        let file = folder["cut/checkpoints/step-000005/trainer.json"]
        try Data(contentsOf: file).prefix(20).write(to: file)
        lines = []
        environment.shouldStop = { false }
        let cut = try small.run(in: folder["cut"], environment)
        let isReported = lines.contains { $0.hasPrefix("step-000005 is damaged (trainer.json ") && $0.hasSuffix("; resuming from step 4") }
        #expect(isReported, "\(lines)")
        #expect(try cut.metrics() == whole.metrics())
        let weights = try [whole, cut].map { try Data(contentsOf: $0.result.appendingPathComponent("model.safetensors")) }
        #expect(weights[0] == weights[1])
    }

    @Test("config.json holds the settings, and another version's settings do not stand in the way")
    func configuration() throws {
        var stage = small
        stage.training.maxSteps = 2
        let run = try stage.run(in: folder["a"])
        let stored = try #require(try run.configuration())
        #expect(try stored.options == stage.values && stored.program == "train-sft" && stored.stage == .supervised)
        #expect(try SFTStage(values: stored.options) == stage)
        var older = stored
        older.options["index_share"] = .number(0.5)
        try older.write(inRun: folder["a"])
        try stage.run(in: folder["a"])
        // an option that did not exist when the run began has its default
        older.options["gradient_dtype"] = nil
        try older.write(inRun: folder["a"])
        try stage.run(in: folder["a"])
        stage.run.gradientDtype = "bf16"
        #expect(throws: RunFolderError.self) { try stage.run(in: folder["a"]) }
        stage.run.gradientDtype = "f32"
        // a finished model is not stored again in another way, and that is said
        stage.saving.saveFormat = "gguf"
        #expect(throws: InvalidSetting.self) { try stage.run(in: folder["a"]) }
        stage.saving.saveFormat = "safetensors"
        stage.training.learningRate = 1
        #expect(throws: RunFolderError.self) { try stage.run(in: folder["a"]) }
    }

    @Test("a caller's reward and data set take the place of those that settings name")
    func callersOwn() throws {
        try small.run(in: folder["sft"])
        var stage = BestOfNStage()
        stage.bestOfN.modelName = folder["sft"].path
        stage.bestOfN.numReturnSequences = 2
        stage.bestOfN.evaluationSplits = ["test"]
        stage.sampling.maxNewTokens = 4
        stage.run.threads = 1
        var environment = StageEnvironment()
        environment.corpus = try GeneratedPosts(seed: 9).corpus()
        environment.reward = ClosureReward { requests in requests.map { Double($0.response.count) } }
        stage.data.targetEvalDatapoints = 3
        let rows = try stage.run(in: folder["bon"], environment).table("test")
        #expect(rows.count == 6)
        for row in rows { #expect(row.reward == Double(row.response.count)) }
        let references = try GeneratedPosts(seed: 9).corpus().examples(in: "test").prefix(3).map(\.summary)
        #expect(Set(rows.map(\.reference)) == Set(references))
    }

    @Test("a family of the caller's own is loaded by every stage, also again from its checkpoints")
    func families() throws {
        try small.run(in: folder["sft"])
        // a checkpoint of a kind that only the caller knows
        let file = folder["sft/final/config.json"]
        let text = try String(contentsOf: file, encoding: .utf8).replacing("\"llama\"", with: "\"mine\"")
        try text.write(to: file, atomically: true, encoding: .utf8)
        var stage = small
        (stage.model, stage.saving.keepBest) = (StartingModelSettings(), "validation_loss")
        stage.model.modelName = folder["sft/final"].path
        #expect(throws: (any Error).self) { try stage.run(in: folder["unknown"]) }
        var environment = StageEnvironment()
        environment.families += [ModelFamily("mine") { try Llama(LlamaConfiguration(reading: $0), weights: $1) }]
        environment.shouldStop = { true }
        #expect(throws: RunStopped.self) { try stage.run(in: folder["mine"], environment) }
        environment.shouldStop = { false }
        try stage.run(in: folder["mine"], environment)
        var samples = BestOfNStage()
        (samples.bestOfN.modelName, samples.bestOfN.numReturnSequences) = (folder["mine"].path, 2)
        (samples.bestOfN.evaluationSplits, samples.sampling.maxNewTokens, samples.run.threads) = (["test"], 4, 1)
        (samples.data.targetEvalDatapoints, samples.reward.rewardFunction) = (2, "length")
        #expect(try samples.run(in: folder["bon"], environment).table("test").count == 4)
    }
}
