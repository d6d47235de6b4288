import Data
import Eval
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// PPO as the published code does it, against numbers worked out by hand; see Tests/Fixtures/original/make_original.py.
@Suite struct OriginalPPOTests {
    struct Numbers: Decodable {
        struct State: Decodable {
            let mean: Double
            let deviation: Double
            let normalised: [Double]
        }
        struct Moments: Decodable {
            let batches: [[Double]]
            let states: [State]
        }
        struct Clipped: Decodable {
            let clip: Double
            let logs: [[Float]]
            let values: [[Float]]
            let policies: Int
            let baselines: Int
        }
        struct Reward: Decodable {
            let scores: [Float]
            let choices: [Int]
            let loss, accuracy, precision, recall, mean, std, median, ptp: Double
            let normalised: [Float]
        }
        struct Control: Decodable {
            let kls: [Double]
            let logSteps: Int
            let coefficients: [Double]
        }
        let moments: Moments
        let clipped: Clipped
        let reward: Reward
        let control: [Control]

        static func load() throws -> Numbers { try Fixtures.json(Numbers.self, from: "original/original.json") }
    }

    private func config(_ steps: Int = 2, _ change: (inout PPOConfig) -> Void = { _ in }) -> PPOConfig {
        PPOTrainerTests().config(steps) {
            $0.compatibility = .reference
            $0.evaluatesAtStart = false
            $0.evaluationSteps = nil
            $0.tableLogs = 1
            $0.optimizer.clipNorm = nil
            change(&$0)
        }
    }

    /// A trainer whose reference differs from its policy.
    private func setup(
        _ config: PPOConfig, start: (any TransformerDecoder)? = nil, head: ValueHead = TinyModel.head(),
        tokenizer: NumberTokenizer = NumberTokenizer()
    ) throws -> (trainer: PPOTrainer, log: EventLog, weights: () -> Weights) {
        let policy = try start ?? TinyModel.llama()
        let reference = try TinyModel.llama()
        for layer in 0..<3 {
            reference.parameters(ofLayer: layer).last?.value.update { for i in $0.indices { $0[i] += 0.1 * Float(i % 3) } }
        }
        let log = EventLog()
        let trainer = try PPOTrainer(
            policy: policy, valueHead: head, reference: reference, config: config, prompts: ToyData.prompts(20),
            evaluationPrompts: [("held", ToyData.prompts(5, seed: 77))], rewardFunction: TokenShare(token: 7), tokenizer: tokenizer,
            endOfSequence: 2, handler: log.handler)
        return (trainer, log, { Weights(policy.parameters + head.parameters) })
    }

    @Test("moments over a run are merged with the difference to the mean that has moved, and divided by n")
    func moments() throws {
        let fixture = try Numbers.load().moments
        var moments = RunningMoments()
        for (batch, state) in zip(fixture.batches, fixture.states) {
            moments = OriginalPPO.merged(moments, with: Advantages.moments(of: [batch.map(Float.init)]))
            expectClose([moments.mean, OriginalPPO.deviation(of: moments)], [state.mean, state.deviation], relative: 1e-6)
        }
    }

    @Test("advantages of learn batches one after the other, normalised over the run", arguments: [true, false])
    func runNorm(asOriginal: Bool) throws {
        let fixture = try Numbers.load().moments
        let own = config {
            $0.normalisesOverRun = true
            $0.compatibility = asOriginal ? .reference : .sane
            $0.compatibility.usesLearnerValues = false
        }
        let trainer = try setup(own).trainer
        for (index, (batch, state)) in zip(fixture.batches, fixture.states).enumerated() {
            var drawn = GeneratedResponse()
            drawn.tokens = batch.map { _ in 5 }
            (drawn.logProbs, drawn.values) = (batch.map { _ in 0 }, batch.map { _ in 0 })
            var rollout = Rollout(id: "r", prompt: [3], response: drawn)
            rollout.advantages = batch.map(Float.init)
            let found = try trainer.prepared([rollout])[0].advantages
            if asOriginal {
                expectClose(found.map(Double.init), state.normalised, relative: 1e-5, absolute: 1e-6)
            } else {
                // the default's deviation is the unbiased one of everything so far
                let all = fixture.batches.prefix(index + 1).flatMap { $0 }
                let mean = all.reduce(0, +) / Double(all.count)
                let deviation = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count - 1)).squareRoot()
                expectClose(found.map(Double.init), batch.map { ($0 - mean) / deviation }, relative: 1e-5, absolute: 1e-6)
            }
        }
    }

    @Test("columns count as clipped where clipping lowers the objective")
    func clipped() throws {
        let fixture = try Numbers.load().clipped
        func column(_ rows: [[Float]], _ index: Int) -> [Float] { rows.map { $0[index] } }
        let policies = PPOLoss.clippedPolicies(
            logProbs: column(fixture.logs, 0), oldLogProbs: column(fixture.logs, 1), advantages: column(fixture.logs, 2),
            clip: fixture.clip)
        let values = PPOLoss.clippedValues(
            values: column(fixture.values, 0), oldValues: column(fixture.values, 1), returns: column(fixture.values, 2),
            clip: fixture.clip)
        #expect(policies == fixture.policies && values == fixture.baselines)
    }

    @Test("the KL weight sees the learn batches since the last log line, not this step's, and nothing right after a line")
    func control() throws {
        for item in try Numbers.load().control {
            var control = OriginalPPO.LaggingKL()
            var controller = KLController(coefficient: 0.5, target: 1, horizon: 10)
            for (index, kl) in item.kls.enumerated() {
                control.update(&controller, rollouts: 2)
                control.add(kl)
                expectClose([controller.coefficient], [item.coefficients[index]], relative: 1e-12, label: "\(item.logSteps) \(index)")
                if (index + 1) % item.logSteps == 0 { control = OriginalPPO.LaggingKL() }
            }
        }
    }

    @Test("a run that logs every step never moves its KL weight; one that logs later does, from its second step on")
    func lag() throws {
        let everyStep = try setup(
            config(4) {
                $0.logSteps = 1
                $0.klTarget = 6
                $0.klCoefficient = 0.5
            })
        try everyStep.trainer.run()
        #expect(everyStep.log.all("kl_coef") == [0.5, 0.5, 0.5, 0.5])

        let late = try setup(config(2) { $0.logSteps = 100 })
        try late.trainer.run()
        let second = late.log.rows.compactMap { $0.tokens == nil ? nil : $0.numbers["kl_div"] }
        #expect(second.count == 8)
        let first = 2 * (try #require(late.log.last("kl_div"))) - second.reduce(0, +) / 8
        let moved = 0.05 * (1 + min(max(first / 0.5 - 1, -0.2), 0.2) * 8 / 100)
        #expect(moved != 0.05)
        expectClose([try #require(late.log.last("kl_coef"))], [(0.05 + moved) / 2], relative: 1e-9)
        #expect(late.log.last("rollout_kl_coef") == 0.05)
    }

    @Test("columns of a step: sums of a sequence, KL rewards whatever is learned from, lengths of texts, columns of learn batches")
    func columns() throws {
        for (clip, asReward) in [(nil, true), (0.01, true), (nil, false)] as [(Double?, Bool)] {
            let (trainer, log, _) = try setup(
                config(1) {
                    $0.rewardClip = clip
                    $0.klAsReward = asReward
                    $0.klTarget = nil
                }, tokenizer: NumberTokenizer(addsBegin: true))
            try trainer.run()
            let rows = log.rows.filter { $0.tokens != nil }
            func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
            let kl = rows.compactMap { $0.numbers["kl_div"] }
            #expect(kl.count == 8 && mean(kl) > 0)
            expectClose([try #require(log.last("kl_div"))], [mean(kl)], relative: 1e-9)
            expectClose([try #require(log.last("mean_kl_reward"))], [-0.05 * mean(kl)], relative: 1e-9)
            expectClose(rows.compactMap { $0.numbers["kl_reward"] }, kl.map { -0.05 * $0 }, relative: 1e-9)
            let lengths = rows.map { Double($0.response.split(separator: " ").count + 1) }
            expectClose([try #require(log.last("mean_response_length"))], [mean(lengths)], relative: 1e-12)
            let width = rows.compactMap { $0.numbers["tokens"] }.max() ?? 0
            // two epochs of two learn batches
            #expect(log.last("env_train_steps") == 2 * 2 * width)
            // behind the normalisation
            expectClose([try #require(log.last("sample_advantages"))], [0], relative: 0, absolute: 1e-5)
            expectClose([try #require(log.last("sample_advantages_std"))], [1], relative: 1e-4)
        }
    }

    @Test("by default the original's names have its meaning of tokens without padding, or are not there")
    func defaults() throws {
        let (trainer, log, _) = try setup(config(1) { $0.compatibility = .sane })
        try trainer.run()
        #expect(log.last("mean_response_length") == nil && log.last("env_train_steps") == nil)
        let rows = log.rows.filter { $0.tokens != nil }
        let kl = rows.compactMap { $0.numbers["kl_div"] }
        expectClose([try #require(log.last("kl_div"))], [kl.reduce(0, +) / 8], relative: 1e-9)
        expectClose([try #require(log.last("mean_kl_reward"))], [-0.05 * kl.reduce(0, +) / 8], relative: 1e-9)
        expectClose([try #require(log.last("sample_advantages_std"))], [1], relative: 1e-4)
        #expect(log.last("rollout_advantages_std") != nil && log.last("clipped_ratio_fraction") != nil)
        let tokens = rows.reduce(0) { $0 + ($1.numbers["tokens"] ?? 0) }
        expectClose([try #require(log.last("mean_response_tokens"))], [tokens / 8], relative: 1e-12)
    }

    @Test("the entropy of an evaluation is the sum over a response, and its averages are not rounded")
    func evaluation() throws {
        let (trainer, log, _) = try setup(config())
        try trainer.evaluate()
        let entropies = log.rows.compactMap { $0.numbers["entropy"] }
        expectClose(
            log.rows.compactMap { $0.numbers["token_entropy"] },
            zip(entropies, log.rows).map { $0 / ($1.numbers["tokens"] ?? 0) }, relative: 1e-12)
        #expect(entropies.contains { $0 > 3.2 }, "more than log 24, which one token can have")
        expectClose([try #require(log.last("held_average_entropy"))], [entropies.reduce(0, +) / 5], relative: 1e-12)
    }

    @Test("a run in the original's way goes on from a snapshot bit for bit", arguments: [1, 2, 4])
    func resume(stop: Int) throws {
        let own = config(5) { $0.normalisesOverRun = true }
        let whole = try setup(own)
        try whole.trainer.run()
        #expect(Set(whole.log.all("kl_coef")).count > 1)
        let first = try setup(own)
        var saved: (TrainerSnapshot, any TransformerDecoder, ValueHead?)?
        try first.trainer.run(
            checkpoint: { saved = (try $0.snapshot, $0.policy.copy(), $0.valueHead?.copy()) },
            shouldStop: { first.trainer.step == stop })
        let (snapshot, policy, head) = try #require(saved)
        let second = try setup(own, start: policy, head: try #require(head))
        try second.trainer.restore(snapshot)
        try second.trainer.run()
        second.weights().expectIdentical(to: whole.weights())
        #expect(first.log.measurements + second.log.measurements == whole.log.measurements)
    }

    @Test("learn batches smaller than a rollout batch: each is a mean of its own, and all count alike in the metrics")
    func smallLearnBatches() throws {
        let own = config(1) {
            $0.learnBatchSize = 2
            $0.epochs = 1
            $0.entropyCost = 0
            $0.optimizer.learningRate = 1e-30
        }
        let (trainer, log, _) = try setup(own)
        try trainer.run()
        #expect(log.last("optimizer_steps") == 4)
        // with ρ = 1 a policy loss is minus the masked share of a learn batch's normalised advantages; the width is one for all
        let loss = try #require(log.last("policy_loss"))
        #expect(loss.isFinite)
        expectClose([try #require(log.last("sample_advantages"))], [0], relative: 0, absolute: 1e-5)
        let width = log.rows.filter { $0.tokens != nil }.compactMap { $0.numbers["tokens"] }.max() ?? 0
        #expect(log.last("env_train_steps") == 4 * width)
    }

    @Test("reward model: loss, shares of right pairs and statistics of scores; normalised scores")
    func rewardModel() throws {
        let fixture = try Numbers.load().reward
        let found = RewardEvaluation(scores: fixture.scores, choices: fixture.choices)
        expectClose(
            [
                found.loss, found.accuracy, found.precision, found.recall, found.logitsMean, found.logitsStd, found.logitsMedian,
                found.logitsRange,
            ],
            [
                fixture.loss, fixture.accuracy, fixture.precision, fixture.recall, fixture.mean, fixture.std, fixture.median, fixture.ptp,
            ], relative: 1e-6)
        let loss = RewardLoss.loss(scores: Tensor(fixture.scores, shape: [8]), choices: fixture.choices, weight: 0.25)
        expectClose([Double(loss.item)], [fixture.loss], relative: 1e-6)
        // one hidden number a score: w = 1
        let head = ValueHead(weight: Tensor([1], shape: [1, 1]), bias: 0)
        head.normalise(mean: Float(fixture.mean), std: Float(fixture.std))
        expectClose(head(Tensor(fixture.scores, shape: [8, 1])).values, fixture.normalised, relative: 1e-5, absolute: 1e-6)
    }
}
