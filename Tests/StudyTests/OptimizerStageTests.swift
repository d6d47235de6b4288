import Data
import Foundation
import Models
import Runs
import Study
import Testing
import Train
import _TestSupport

/// `--optimizer`: every training program with every optimiser.
@Suite struct OptimizerStageTests {
    private let folder: TemporaryFolder
    private let environment: StageEnvironment

    init() throws { (folder, environment) = try TinyStudy.withSupervisedRun() }

    private func training(_ kind: OptimizerKind, steps: Int = 5) -> TrainingSettings {
        var training = TrainingSettings()
        (training.optimizer, training.maxSteps, training.perDeviceTrainBatchSize, training.saveSteps) = (kind.rawValue, steps, 4, 2)
        // the embeddings have more than 4096 numbers
        (training.freezeLayers, training.freezeLmHead, training.learningRate) = (0, false, 0.01)
        (training.loggingSteps, training.lrSchedulerType) = (1, "constant")
        return training
    }

    private func supervised(_ kind: OptimizerKind, steps: Int = 5) -> SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        stage.training = training(kind, steps: steps)
        (stage.data.targetEvalDatapoints, stage.run.threads, stage.evaluation.doEval) = (4, 1, false)
        return stage
    }

    private func reward(_ kind: OptimizerKind) -> RewardModelStage {
        var stage = RewardModelStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        (stage.sampling.maxNewTokens, stage.run.threads) = (6, 1)
        stage.training = training(kind)
        return stage
    }

    private func preference(_ kind: OptimizerKind) -> PreferenceStage {
        let reward = reward(kind)
        var stage = PreferenceStage()
        (stage.comparisons, stage.sampling, stage.run, stage.training) = (reward.comparisons, reward.sampling, reward.run, reward.training)
        stage.preference.klPrompts = 0
        return stage
    }

    private func policy(_ kind: OptimizerKind) -> PPOStage {
        var stage = PPOStage()
        (stage.policy.modelName, stage.reward.rewardFunction) = (folder["sft"].path, "length")
        (stage.policy.optimizer, stage.policy.totalSteps, stage.policy.checkpointSteps) = (kind.rawValue, 3, 1)
        (stage.policy.freezeLayers, stage.policy.freezeLmHead, stage.policy.adamLearningRate) = (0, false, 0.01)
        (stage.policy.rolloutBatchSize, stage.policy.learnBatchSize, stage.policy.ppoEpochs) = (4, 4, 2)
        (stage.sampling.maxNewTokens, stage.run.threads, stage.data.targetEvalDatapoints) = (6, 1, 4)
        return stage
    }

    /// Every stage of a kind, as what runs it in a folder.
    private func stages(_ kind: OptimizerKind) -> [(name: String, run: (URL, StageEnvironment) throws -> Void)] {
        [
            ("sft", { try supervised(kind).run(in: $0, $1) }), ("rm", { try reward(kind).run(in: $0, $1) }),
            ("dpo", { try preference(kind).run(in: $0, $1) }), ("ppo", { try policy(kind).run(in: $0, $1) }),
        ]
    }

    private func weights(_ run: String) throws -> Foundation.Data { try Data(contentsOf: folder["\(run)/final/model.safetensors"]) }

    @Test("a run that falls and is stopped again and again has the same result", arguments: OptimizerKind.allCases)
    func resumed(kind: OptimizerKind) throws {
        for (name, run) in stages(kind) {
            let (whole, parts) = ("\(name)-whole", "\(name)-parts")
            try run(folder[whole], environment)
            let path = folder[parts].path
            let attempts = try TinyStudy.fallingAndStopping(environment, first: 4, more: 3, path: path, stops: { $0 % 2 == 0 }) {
                try run(folder[parts], $0)
            }
            #expect(attempts > 1, "\(name)")
            #expect(try weights(whole) == weights(parts), "\(name)")
            let metrics = try [whole, parts].map { try Data(contentsOf: folder["\($0)/metrics.jsonl"]) }
            #expect(metrics[0] == metrics[1], "\(name)")
        }
    }

    @Test("optimisers have different results, and the setting is that of the run")
    func different() throws {
        let results = try OptimizerKind.allCases.map { kind in
            let run = try supervised(kind, steps: 2).run(in: folder[kind.rawValue], environment)
            #expect(try run.configuration()?.options["optimizer"] == .string(kind.rawValue))
            return try weights(kind.rawValue)
        }
        // moments in 8 bits of the embeddings alone make adamw8bit differ from adamw
        #expect(Set(results).count == OptimizerKind.allCases.count)
        // a run keeps its optimiser
        #expect(throws: RunFolderError.self) { try supervised(.lion, steps: 2).run(in: folder["adamw"], environment) }
    }

    @Test("names and settings without a meaning are refused")
    func refused() throws {
        var training = TrainingSettings()
        training.optimizer = "sgd"
        let unknown = #expect(throws: InvalidSetting.self) { try training.validate() }
        #expect(unknown?.message == "--optimizer is 'sgd'; expected \(OptimizerKind.list)")
        (training.optimizer, training.adamEpsilon) = ("lion", 1e-6)
        let unused = #expect(throws: InvalidSetting.self) { try training.validate() }
        #expect(unused?.message.contains("no effect with --optimizer lion") == true)
        var policy = PolicySettings()
        (policy.optimizer, policy.adamEpsilon) = ("lion", 1e-6)
        #expect(throws: InvalidSetting.self) { try policy.validate() }
        for (option, change) in [
            ("--adam-beta1", { $0.adamBeta1 = 0.8 }), ("--adam-beta2", { $0.adamBeta2 = 0.99 }),
            ("--adam-epsilon", { $0.adamEpsilon = 1e-6 }),
        ] as [(String, (inout TrainingSettings) -> Void)] {
            var training = TrainingSettings()
            change(&training)
            for kind in ["adamw", "adamw8bit"] {
                training.optimizer = kind
                try training.validate()
            }
            training.optimizer = "adafactor"
            let unused = #expect(throws: InvalidSetting.self) { try training.validate() }
            #expect(unused?.message.hasPrefix("\(option) is ") == true)
            #expect(unused?.message.hasSuffix("no effect with --optimizer adafactor; remove it") == true)
        }
        for kind in OptimizerKind.allCases {
            (policy.optimizer, policy.adamEpsilon) = (kind.rawValue, 1e-8)
            try policy.validate()
            (training.optimizer, training.adamEpsilon) = (kind.rawValue, 1e-8)
            try training.validate()
        }
    }

    @Test("a model from scratch needs less memory with a smaller state")
    func freshModel() {
        let configuration = LlamaConfiguration(
            vocabularySize: 1000, hiddenSize: 64, intermediateSize: 96, layerCount: 3, heads: 4, keyHeads: 4, contextLength: 64,
            normEpsilon: 1e-5)
        let bytes = OptimizerKind.allCases.map { FreshModelMemory(configuration, trainedBy: $0).bytes }
        let untrained = FreshModelMemory(configuration, trainedBy: nil).bytes
        for (kind, bytes) in zip(OptimizerKind.allCases, bytes) {
            let perWeight = (bytes - untrained) / configuration.parameterCount
            expectClose(perWeight, 4 + kind.bytesPerWeight, relative: 1e-6)
        }
        #expect(bytes.max() == bytes.first)
    }

    @Test("processes on one machine share its free memory for models from scratch")
    func freshModelsOfRanks() throws {
        var memory = FreshModelMemory(
            LlamaConfiguration(vocabularySize: 8, hiddenSize: 8, intermediateSize: 8, layerCount: 1, heads: 1), trainedBy: nil)
        memory.bytes = 1e18
        let alone = try #require(#expect(throws: MemoryError.self) { try memory.check(limit: nil) })
        let shared = try #require(#expect(throws: MemoryError.self) { try memory.check(limit: nil, ranks: 8) })
        #expect(shared.available < alone.available)
        // a limit is that of each process
        let limited = #expect(throws: MemoryError.self) { try memory.check(limit: "1MB", ranks: 8) }
        #expect(limited?.available == 1_000_000)
    }
}
