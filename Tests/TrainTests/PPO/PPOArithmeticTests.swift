import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The numbers that the description of the published behaviour gives, and second derivations of the delicate sums.
@Suite struct PPOArithmeticTests {
    @Test("KL estimates of one token")
    func estimates() {
        func kl(_ policy: Double, _ reference: Double) -> [Double] {
            PPOConfig.KLEstimator.allCases.map { TokenRewards.kl(policy: policy, reference: reference, estimator: $0) }
        }
        expectClose(kl(-1.2, -1.5), [0.3, 0.045, 0.0408182], relative: 0, absolute: 5e-8)
        expectClose(kl(-1.5, -1.2), [-0.3, 0.045, exp(0.3) - 1.3], relative: 1e-12)
        #expect(kl(-2, -2) == [0, 0, 0])
    }

    @Test("length penalty, end bonus, penalty score and scale")
    func scores() {
        func score(_ config: PPOConfig, _ raw: Double, length: Int, ended: Bool) -> Double {
            TokenRewards.shapedScore(raw, length: length, ended: ended, config: config)
        }
        var config = PPOConfig()
        config.sampling.maxNewTokens = 48
        #expect(score(config, 0.7, length: 48, ended: false) == 0.7)
        config.lengthPenalty = .init()
        expectClose([score(config, 0, length: 24, ended: true)], [-0.003125], relative: 1e-12)
        expectClose([score(config, 0, length: 48, ended: true)], [-0.1], relative: 1e-12)
        config.endBonus = 0.25
        config.rewardScale = 2
        expectClose([score(config, 1, length: 48, ended: true)], [2 * (1 - 0.1 + 0.25)], relative: 1e-12)
        expectClose([score(config, 1, length: 48, ended: false)], [2 * (1 - 0.1)], relative: 1e-12)
        // a response without an end has the penalty score, however good it is, also when it is bad
        config.missingEndScore = -3
        #expect(score(config, 5, length: 48, ended: false) == -6)
        #expect(score(config, -50, length: 10, ended: false) == -6)
        expectClose([score(config, 1, length: 48, ended: true)], [2.3], relative: 1e-12)
    }

    @Test("the score comes at the last token, and clipping after adding")
    func tokenRewards() {
        var config = configured(PPOConfig()) { $0.klEstimator = .k1 }
        func rewards() -> [Float] {
            TokenRewards.rewards(
                logProbs: [-1, -2, -3], referenceLogProbs: [-1.5, -1, -3.25], score: 0.5, klCoefficient: 0.4,
                config: config)
        }
        expectClose(rewards(), [-0.2, 0.4, 0.4], relative: 1e-6)
        config.rewardClip = 0.3
        expectClose(rewards(), [-0.2, 0.3, 0.3], relative: 1e-6)
        config.rewardClip = nil
        config.klAsReward = false
        expectClose(rewards(), [0, 0, 0.5], relative: 1e-6)
    }

    @Test("advantages of a response that ends at its third token")
    func published() {
        let found = Advantages.estimated(
            rewards: [-0.01, -0.02, 0.97], values: [0.1, 0.2, 0.3], discount: 1, lambda: 0.95)
        expectClose(found.advantages, [0.770675, 0.7165, 0.67], relative: 0, absolute: 1e-6)
        expectClose(found.returns, [0.870675, 0.9165, 0.97], relative: 0, absolute: 1e-6)
        expectClose(
            Advantages.normalised([found.advantages])[0], [1.02442, -0.050774, -0.973645], relative: 0, absolute: 2e-6)
    }

    @Test("padding behind the end is computed like any other column, and reaches none before it")
    func publishedWithPadding() {
        let found = Advantages.estimated(
            rewards: [-0.01, -0.02, 0.97, -0.03], values: [0.1, 0.2, 0.3, 0.4], end: 2, bootstrap: 0.4, discount: 1,
            lambda: 0.95)
        expectClose(found.advantages, [0.770675, 0.7165, 0.67, -0.03], relative: 0, absolute: 1e-6)
        expectClose(found.returns, [0.870675, 0.9165, 0.97, 0.37], relative: 0, absolute: 1e-6)
        expectClose(
            Advantages.normalised([found.advantages])[0], [0.634004, 0.490221, 0.366807, -1.491032], relative: 0,
            absolute: 2e-6)
        expectClose(
            Advantages.normalised([found.advantages], lengths: [3])[0].prefix(3).map { $0 },
            [1.02442, -0.050774, -0.973645],
            relative: 0, absolute: 2e-6)
    }

    @Test("the moments of a stream are those of the whole, however it is cut")
    func runningMoments() {
        let numbers = [3, -1, 4, 1, -5, 9, 2.5]
        var whole = RunningMoments()
        numbers.forEach { whole.add($0) }
        var parts = RunningMoments()
        for part in [numbers[..<1], numbers[1..<4], numbers[4...]] {
            parts.merge(Advantages.moments(of: [part.map(Float.init)]))
        }
        let mean = numbers.reduce(0, +) / 7
        let deviation = (numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6).squareRoot()
        for moments in [whole, parts] {
            expectClose([moments.count, moments.mean, moments.deviation], [7, mean, deviation], relative: 1e-12)
        }
        #expect(RunningMoments().deviation == 0)
    }

    @Test(
        "advantages by recursion equal the explicit sum Σ (γλ)ˡ δ",
        arguments: [(1.0, 0.95), (0.9, 0.5), (0.99, 1), (0.97, 0)])
    func explicitSum(discount: Double, lambda: Double) {
        var random = Philox(seed: 1)
        for count in [1, 2, 9] {
            let rewards = (0..<count).map { _ in random.normal() }
            let values = (0..<count).map { _ in random.normal() }
            let deltas = (0..<count).map { t in
                Double(rewards[t]) + discount * (t + 1 < count ? Double(values[t + 1]) : 0) - Double(values[t])
            }
            let expected = (0..<count).map { t in
                (t..<count).reduce(0.0) { $0 + pow(discount * lambda, Double($1 - t)) * deltas[$1] }
            }
            let found = Advantages.estimated(rewards: rewards, values: values, discount: discount, lambda: lambda)
            expectClose(found.advantages, expected, relative: 1e-6, absolute: 1e-6)
            expectClose(found.returns, zip(expected, values).map { $0 + Double($1) }, relative: 1e-6, absolute: 1e-6)
        }
    }

    @Test("normalised advantages have mean 0 and deviation 1 over all tokens of all responses")
    func normalisation() {
        let rows: [[Float]] = [[1, 2, 3], [10], [-4, 0.5]]
        let found = Advantages.normalised(rows)
        #expect(found.map(\.count) == [3, 1, 2])
        let all = found.flatMap { $0 }.map(Double.init)
        expectClose([all.reduce(0, +)], [0], relative: 0, absolute: 1e-6)
        expectClose([all.reduce(0) { $0 + $1 * $1 } / 5], [1], relative: 1e-6)
        // (10 − 2.08333) / 4.565267
        expectClose([found[1][0]], [1.734108], relative: 1e-5)
        #expect(Advantages.normalised([[3]]) == [[0]])
        expectClose(Advantages.normalised([[2, 2], [2]]).flatMap { $0 }, [0, 0, 0], relative: 0, absolute: 1e-6)
        #expect(Advantages.normalised([]).isEmpty)
    }

    @Test("the KL weight moves towards the target, by a fifth at most per horizon")
    func controller() {
        func after(_ kl: Double, target: Double?, rollouts: Int = 16) -> Double {
            var controller = KLController(coefficient: 0.05, target: target, horizon: 10_000)
            controller.update(meanKL: kl, rollouts: rollouts)
            return controller.coefficient
        }
        expectClose([after(12, target: 6)], [0.050016], relative: 1e-12)
        expectClose([after(6.6, target: 6)], [0.05 * (1 + 0.1 * 16 / 10_000)], relative: 1e-12)
        expectClose([after(0, target: 6)], [0.05 * (1 - 0.2 * 16 / 10_000)], relative: 1e-12)
        expectClose([after(12, target: 6, rollouts: 10_000)], [0.06], relative: 1e-12)
        #expect(after(6, target: 6) == 0.05)
        #expect(after(99, target: nil) == 0.05)
    }

    @Test("policy loss: −mean min(ρA, clip(ρ) A), and its gradient")
    func policyLoss() {
        let ratios: [Float] = [0.5, 0.9, 1.1, 1.5, 0.5, 1.5]
        let advantages: [Float] = [1, 1, -2, 1, -1, -1]
        let terms: [Double] = [0.5, 0.9, -2.2, 1.2, -0.8, -1.5]
        let now = ratios.map { log($0) - 2 }
        let response = PolicyLoss.Response(
            logProbs: now[...], oldLogProbs: Array(repeating: -2, count: 6), advantages: advantages)
        let batch = LossBatch(responses: 2, tokens: 12, maxTokens: 9)
        let loss = PolicyLoss()([response], of: batch)
        expectClose([loss.policy], [-terms.reduce(0, +) / 12], relative: 1e-6)
        // d/d log p = −ρA/12 where the plain term is the smaller one, else 0
        expectClose(loss.gradient, [-0.5, -0.9, 2.2, 0, 0, 1.5].map { $0 / 12 }, relative: 1e-5, absolute: 1e-8)
        #expect((loss.clippedLow, loss.clippedHigh) == (1, 1))
        var plain = PolicyLoss()
        plain.surrogate = .gradient
        // without clipping: log p · A
        let sum = zip(ratios, advantages).reduce(Float(0)) { $0 + (log($1.0) - 2) * $1.1 }
        expectClose([plain([response], of: batch).policy], [Double(-sum / 12)], relative: 1e-6, absolute: 1e-7)
    }

    @Test("value loss: ½ mean max of the plain and the clipped square, and its gradient")
    func valueLoss() {
        let values: [Float] = [1, 1, 0, -1]
        let old: [Float] = [0.9, 0, 0, 0]
        let returns: [Float] = [2, 3, 1, -2]
        // near: 1, 0.2, 0, −0.2; squares: 1|1, 4|7.84, 1|1, 1|3.24
        func loss(_ tape: Tape, clip: Double?) -> (Tensor, Tensor) {
            let variable = tape.variable(Tensor(values, shape: [4]))
            return (
                PPOLoss.value(
                    values: variable, oldValues: Tensor(old, shape: [4]), returns: Tensor(returns, shape: [4]),
                    clip: clip,
                    tokens: 8), variable
            )
        }
        let tape = Tape()
        let (clipped, variable) = loss(tape, clip: 0.2)
        expectClose([clipped.item], [0.5 * (1 + 7.84 + 1 + 3.24) / 8], relative: 1e-6)
        let gradient = tape.backward(from: clipped, variables: [variable])[0]
        expectClose(gradient.values, [-1.0 / 8, 0, -1.0 / 8, 0], relative: 1e-6)
        expectClose([loss(Tape(), clip: nil).0.item], [0.5 * 7 / 8], relative: 1e-6)
    }

    @Test("KL loss of each estimator and its gradient")
    func klLoss() {
        let (policy, reference): ([Float], [Float]) = ([-1.2, -0.5], [-1.5, -0.1])
        let derivatives: [PPOConfig.KLEstimator: [Double]] = [
            .k1: [1, 1], .k2: [0.3, -0.4], .k3: [1 - exp(-0.3), 1 - exp(0.4)],
        ]
        for estimator in PPOConfig.KLEstimator.allCases {
            var loss = PolicyLoss()
            loss.kl = .init(estimator, weight: 0.5)
            let response = PolicyLoss.Response(
                logProbs: policy[...], oldLogProbs: policy, advantages: [0, 0], referenceLogProbs: reference)
            let found = loss([response], of: LossBatch(responses: 1, tokens: 4, maxTokens: 2))
            let expected = zip(policy, reference).reduce(0) {
                $0 + TokenRewards.kl(policy: Double($1.0), reference: Double($1.1), estimator: estimator)
            }
            expectClose([found.kl], [expected / 8], relative: 1e-5, absolute: 1e-7, label: "\(estimator)")
            expectClose(
                found.gradient, (derivatives[estimator] ?? []).map { $0 / 8 }, relative: 1e-5, absolute: 1e-6, label: "\(estimator)")
        }
    }

    @Test("settings without a meaning are refused")
    func validation() throws {
        try PPOConfig().validate()
        let changes: [(inout PPOConfig) -> Void] = [
            { $0.totalSteps = 0 }, { $0.rolloutBatchSize = 0 }, { $0.learnBatchSize = 5 }, { $0.learnBatchSize = 0 },
            { $0.epochs = 0 }, { $0.tokensPerPass = 0 }, { $0.sampling.maxNewTokens = 0 },
            { $0.sampling.temperature = 0 },
            { $0.klCoefficient = -1 }, { $0.discount = 1.1 }, { $0.lambda = -0.1 }, { $0.freezing.fraction = 2 },
            { $0.logSteps = 0 }, { $0.optimizer.learningRate = -1 }, { $0.klTarget = 0 }, { $0.klHorizon = 0 },
            { $0.policyClip = 0 }, { $0.valueClip = -1 }, { $0.rewardClip = 0 }, { $0.evaluationSteps = 0 },
            { $0.checkpointSteps = 0 }, { $0.generations = 0 },
            {
                $0 = PPOConfig(.rloo); $0.generations = 1
            },
            {
                $0 = PPOConfig(.grpo); $0.learnBatchSize = 24
            }, { $0.extraBatches = 1 }, { $0.overlongBuffer = 49 }, { $0.dualClip = 1.2 },
            {
                $0 = PPOConfig(.grpo); $0.compatibility = .reference
            },
            {
                $0 = PPOConfig(.remax); $0.correctsImportance = true
            },
            { $0.policyClipHigh = 0 }, { $0.entropyTarget = 0 }, { $0.groupReward = GroupReward("none") { scores, _ in scores } },
        ]
        for (index, change) in changes.enumerated() {
            var config = PPOConfig()
            change(&config)
            #expect(throws: TrainingError.self, "change \(index)") { try config.validate() }
        }
    }
}
