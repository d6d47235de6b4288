import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// What stages say of themselves while they run: labels and units of progress, and logged texts.
@Suite struct StageEventTests {
    private let folder: TemporaryFolder
    private let tiny: StageEnvironment

    init() throws {
        (folder, tiny) = try TinyStudy.withSupervisedRun()
    }

    /// The events that reach the listeners of a stage.
    private final class Heard {
        var began: [(stage: String, total: Int, unit: String, step: Int, tokens: Int)] = []
        var last = (step: 0, total: 0)
        var ended: [String] = []
        var notes: [String] = []
        var parts: [PartProgress] = []

        func environment(_ tiny: StageEnvironment) -> StageEnvironment {
            var environment = tiny
            environment.sinks = [
                ClosureSink { event in
                    switch event {
                    case .began(let stage, let total, let unit, let step, let tokens): self.began.append((stage, total, unit, step, tokens))
                    case .progressed(let step, let total, _, _): self.last = (step, total)
                    case .ended(let stage, _): self.ended.append(stage)
                    case .noted(let text): self.notes.append(text)
                    case .part(let part): self.parts.append(part)
                    case .measured, .sampled: break
                    }
                }
            ]
            return environment
        }
    }

    @Test("the label of a policy run is its method", arguments: [("gae", "ppo"), ("grpo", "grpo"), ("rloo", "rloo")])
    func policy(advantage: String, label: String) throws {
        var stage = PPOStage()
        stage.policy.modelName = folder["sft"].path
        (stage.policy.totalSteps, stage.policy.learnBatchSize, stage.policy.maxPrompts) = (1, 8, 16)
        stage.policy.trainingTargetEvalDatapoints = 2
        (stage.reward.rewardFunction, stage.method.advantage) = ("length", advantage)
        (stage.sampling.maxNewTokens, stage.run.threads) = (4, 1)
        let heard = Heard()
        try stage.run(in: folder[advantage], heard.environment(tiny))
        #expect(heard.began.map(\.stage) == [label] && heard.ended == [label])
        #expect(heard.began.first?.unit == "step" && heard.last == (1, 1))
    }

    @Test(
        "the label of a preference run is its method, and simulating comparisons has its own",
        arguments: [("sigmoid", "dpo"), ("kto", "kto")])
    func preference(loss: String, label: String) throws {
        var stage = PreferenceStage()
        stage.comparisons.modelName = folder["sft"].path
        (stage.comparisons.simulatedPrompts, stage.comparisons.simulatedEvaluationPrompts) = (8, 4)
        (stage.preference.loss, stage.preference.klPrompts) = (loss, 0)
        (stage.sampling.maxNewTokens, stage.run.threads) = (6, 1)
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize) = (1, 4)
        stage.tracking.logSamples = 1
        let heard = Heard()
        try stage.run(in: folder[loss], heard.environment(tiny))
        #expect(heard.began.map(\.stage) == ["simulated preferences", label] && heard.began.map(\.unit) == ["prompt", "step"])
        #expect(heard.ended == [label])
        #expect(heard.notes.contains("--log-samples has no effect: train-preference writes no texts"), "\(heard.notes)")
        let reference = heard.parts.filter { $0.name == "reference log-probabilities of train" }
        #expect(reference.first?.done == 0 && reference.first?.unit == (loss == "kto" ? "answer" : "pair"))
        #expect(reference.last.map { $0.done == $0.total } == true)
    }

    @Test("the KL of a preference run, and the normalisation of a reward model, are parts with progress")
    func parts() throws {
        let stages = try TinyStages()
        var (reward, preference) = (stages.reward, stages.preference)
        reward.head.calculateNormalisation = true
        preference.preference.klPrompts = 2
        let heard = Heard()
        try reward.run(in: stages.folder["rm"], heard.environment(stages.environment))
        #expect(heard.ended == ["reward model"] && heard.parts.first { $0.name == "normalisation" }?.unit == "pair")
        #expect(heard.parts.contains { $0.name == "evaluation of validation" && $0.unit == "pair" })
        try preference.run(in: stages.folder["dpo"], heard.environment(stages.environment))
        #expect(heard.parts.contains { $0.name == "KL of validation" && $0.unit == "response" && $0.total > 0 })
        // every part that begins ends before the next one
        var open: PartProgress?
        for part in heard.parts {
            #expect(part.done == 0 ? open == nil : open?.name == part.name, "\(part)")
            open = part.done == part.total ? nil : part
        }
        #expect(open == nil)
    }

    @Test("a method of one's own is its own label")
    func ownMethods() {
        #expect(PreferenceLoss("mine") { pair, _ in pair.margin }.method == "mine")
        #expect(UnpairedLoss("mine", usesDivergence: false) { ratio, _, _, _ in ratio }.method == "mine")
        #expect(AdvantageEstimator("mine", .values(usesGAE: true)).method == "mine")
        #expect(AdvantageEstimator.gae.method == "ppo" && AdvantageEstimator.grpo.method == "grpo")
    }

    /// Best of 3 for 5 prompts, of which the first 2 get two groups: 7 groups, 21 responses.
    private var bestOfN: BestOfNStage {
        var stage = BestOfNStage()
        (stage.bestOfN.modelName, stage.bestOfN.numReturnSequences) = (folder["sft"].path, 3)
        (stage.bestOfN.groups, stage.bestOfN.groupedPrompts, stage.bestOfN.evaluationSplits) = (2, 2, ["test"])
        (stage.reward.rewardFunction, stage.data.targetEvalDatapoints) = ("length", 5)
        (stage.sampling.maxNewTokens, stage.run.threads) = (4, 1)
        return stage
    }

    @Test("best-of-N counts responses, and goes on counting in a run that was stopped")
    func responses() throws {
        let heard = Heard()
        try bestOfN.run(in: folder["whole"], heard.environment(tiny))
        let first = try #require(heard.began.first)
        #expect(heard.began.count == 1 && first.stage == "best of 3" && first.unit == "response")
        #expect(first.total == 21 && first.step == 0 && first.tokens == 0)
        #expect(heard.last == (21, 21) && heard.ended == ["best of 3"])

        var stopping = tiny
        stopping.shouldStop = { true }
        #expect(throws: RunStopped.self) { try bestOfN.run(in: folder["parts"], stopping) }
        let resumed = Heard()
        try bestOfN.run(in: folder["parts"], resumed.environment(tiny))
        let second = try #require(resumed.began.first)
        #expect(second.total == 21 && second.step == 12 && second.tokens > 0)
        #expect(resumed.last == (21, 21))
    }

    @Test("best-of-N logs the chosen responses to the first prompts of a split")
    func loggedSamples() throws {
        var stage = bestOfN
        (stage.bestOfN.groups, stage.bestOfN.evaluationSplits, stage.tracking.logSamples) = (1, ["test", "ood_test"], 2)
        let heard = Heard()
        let run = try stage.run(in: folder["logged"], heard.environment(tiny))
        let shown = heard.notes.filter { $0.contains("_best_of_n, ") || $0.hasPrefix("  → ") }
        #expect(shown.count == 8, "\(heard.notes)")
        for (place, split) in ["test", "ood_test"].enumerated() {
            let rows = try run.table("\(split)_best_of_n")
            for number in 0..<2 where shown.count == 8 {
                let (prompt, response) = (shown[4 * place + 2 * number], shown[4 * place + 2 * number + 1])
                #expect(prompt.hasPrefix("\(split)_best_of_n, response \(number + 1): …"))
                #expect(response.hasSuffix("(reward \(Quantity.loss(rows[number].reward ?? .nan)))"))
            }
        }
    }
}
