import Foundation
import Models
import Runs
import Study
import Testing
import _TestSupport

/// Runs that start from a model in BF16: checkpoints keep its frozen matrices, and resumed runs have the same results.
@Suite struct MixedCheckpointStageTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    /// Makes the run `start`, whose result is in BF16.
    init() throws {
        (folder, environment) = try TinyStudy.withSupervisedRun()
        var stage = supervised(from: "sft", steps: 1)
        stage.saving.saveDtype = "bf16"
        try stage.run(in: folder["start"], environment)
    }

    private func supervised(from start: String = "start", steps: Int = 5) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder[start].path
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.saveSteps) = (steps, 4, 2)
        (stage.training.freezeLayers, stage.training.learningRate) = (0.5, 0.01)
        (stage.data.targetEvalDatapoints, stage.run.threads, stage.evaluation.doEval) = (4, 1, false)
        return stage
    }

    private func policy() -> PPOStage {
        var stage = PPOStage()
        (stage.policy.modelName, stage.reward.rewardFunction) = (folder["start"].path, "length")
        (stage.policy.totalSteps, stage.policy.checkpointSteps) = (3, 1)
        (stage.policy.freezeLayers, stage.policy.adamLearningRate) = (0.5, 0.01)
        (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.ppoEpochs) = (4, 4, 2)
        (stage.sampling.maxNewTokens, stage.run.threads, stage.data.targetEvalDatapoints) = (6, 1, 4)
        return stage
    }

    @Test("checkpoints hold both types, and a run that falls and is stopped again and again has the same result")
    func resumed() throws {
        let stages: [(name: String, run: (URL, StageEnvironment) throws -> Void)] = [
            ("sft", { try supervised().run(in: $0, $1) }), ("ppo", { try policy().run(in: $0, $1) }),
        ]
        for (name, run) in stages {
            let (whole, parts) = ("\(name)-whole", "\(name)-parts")
            try run(folder[whole], environment)
            let attempts = try TinyStudy.fallingAndStopping(
                environment, first: 4, more: 3, path: folder[parts].path, stops: { $0 % 2 == 0 }
            ) {
                try run(folder[parts], $0)
            }
            #expect(attempts > 1, "\(name)")
            for file in ["final/model.safetensors", "final/config.json", "metrics.jsonl"] {
                let files = try [whole, parts].map { try Data(contentsOf: folder["\($0)/\(file)"]) }
                #expect(files[0] == files[1], "\(name): \(file)")
            }
            let checkpoint = try #require(Checkpoints.list(inRun: folder[whole]).first)
            let store = try WeightStore(folder: checkpoint.url.appendingPathComponent("model"))
            let start = try WeightStore(folder: folder["start/final"])
            for tensor in store.names {
                let isFrozen = tensor.contains("layers.0.") || tensor.contains("embed_tokens") || tensor.contains("lm_head")
                let isNarrow = try isFrozen && store.shape(of: tensor).count == 2
                #expect(try store.elementType(of: tensor) == (isNarrow ? .bfloat16 : .float32), "\(name): \(tensor)")
                if isNarrow { #expect(try store.tensor(tensor).hasSameContents(as: start.tensor(tensor)), "\(name): \(tensor)") }
            }
            #expect(try store.names.contains { try store.elementType(of: $0) == .bfloat16 })
        }
    }
}
