import Data
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// The four training programs with a few steps, from the run `sft` of ``TinyStudy``.
struct TinyStages {
    typealias Named = (name: String, run: (URL, StageEnvironment) throws -> Void)

    let folder: TemporaryFolder
    let environment: StageEnvironment
    /// The run whose result is trained further.
    var start = "sft"
    /// The prompts of the KL divergence of preference training.
    var klPrompts = 2
    var run = RunSettings()
    /// The settings of all programs except policy optimisation.
    var training = TrainingSettings()
    var policy = PolicySettings()

    /// Makes the run `sft`. The upper of its two layers is trained further.
    init() throws {
        (folder, environment) = try TinyStudy.withSupervisedRun()
        run.threads = 1
        (training.maxSteps, training.perDeviceTrainBatchSize, training.saveSteps) = (4, 4, 2)
        (training.freezeLayers, training.learningRate, training.loggingSteps) = (0.5, 0.01, 1)
        (policy.totalSteps, policy.checkpointSteps, policy.freezeLayers, policy.adamLearningRate) = (3, 1, 0.5, 0.01)
        (policy.rolloutBatchSize, policy.learnBatchSize, policy.ppoEpochs) = (4, 4, 2)
    }

    /// The same programs with some changes.
    func with(_ change: (inout TinyStages) -> Void) -> TinyStages {
        var stages = self
        change(&stages)
        return stages
    }

    var supervised: SFTStage {
        var stage = SFTStage()
        (stage.model.modelName, stage.training, stage.run) = (folder[start].path, training, run)
        (stage.data.targetEvalDatapoints, stage.evaluation.doEval) = (4, false)
        return stage
    }

    var reward: RewardModelStage {
        var stage = RewardModelStage()
        (stage.comparisons.modelName, stage.training, stage.run) = (folder[start].path, training, run)
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        stage.sampling.maxNewTokens = 6
        return stage
    }

    var preference: PreferenceStage {
        let reward = reward
        var stage = PreferenceStage()
        (stage.comparisons, stage.sampling, stage.run, stage.training) = (reward.comparisons, reward.sampling, run, training)
        stage.preference.klPrompts = klPrompts
        return stage
    }

    var ppo: PPOStage {
        var stage = PPOStage()
        (stage.policy, stage.run, stage.reward.rewardFunction) = (policy, run, "length")
        stage.policy.modelName = folder[start].path
        (stage.sampling.maxNewTokens, stage.data.targetEvalDatapoints) = (6, 4)
        return stage
    }

    /// Every program, as what runs it in a folder.
    var all: [Named] {
        [
            ("sft", { try supervised.run(in: $0, $1) }), ("rm", { try reward.run(in: $0, $1) }),
            ("dpo", { try preference.run(in: $0, $1) }), ("ppo", { try ppo.run(in: $0, $1) }),
        ]
    }

    /// The environment, with a listener for the lines that a run says.
    func listening(_ lines: @escaping (String) -> Void) -> StageEnvironment {
        var environment = environment
        environment.sinks = [ClosureSink { if case .noted(let line) = $0 { lines(line) } }]
        return environment
    }

    /// The weights that are the result of a run.
    func weights(_ run: String) throws -> Foundation.Data { try folder.content(of: "\(run)/final/model.safetensors") }

    /// Expects the same files of two runs: the weights, the metrics and others.
    func expectSameFiles(
        _ run: String, _ other: String, and others: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try folder.expectSame(["final/model.safetensors", "metrics.jsonl"] + others, of: run, and: other, sourceLocation: sourceLocation)
    }

    /// Runs programs once in a folder `NAME-whole`, and once in `NAME-parts` with falls and stops; expects the same files of both.
    /// - Parameters:
    ///   - names: the programs; nil for all.
    ///   - first: the events of the first attempt.
    ///   - more: further events of every later one.
    ///   - others: files besides weights and metrics.
    func expectSameAfterFalls(
        _ names: Set<String>? = nil, first: Int, more: Int, and others: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for (name, body) in all where names?.contains(name) ?? true {
            let (whole, parts) = ("\(name)-whole", "\(name)-parts")
            try body(folder[whole], environment)
            let attempts = try TinyStudy.fallingAndStopping(
                environment, first: first, more: more, path: folder[parts].path, stops: { $0 % 2 == 0 }
            ) { try body(folder[parts], $0) }
            #expect(attempts > 1, "\(name)", sourceLocation: sourceLocation)
            try expectSameFiles(whole, parts, and: others, sourceLocation: sourceLocation)
        }
    }
}
