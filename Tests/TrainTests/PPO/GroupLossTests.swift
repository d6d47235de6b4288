import Foundation
import Testing
import Train
import _TestSupport

/// Advantages and losses of GRPO and RLOO against TRL; see Tests/Fixtures/preferences/make_groups.py.
@Suite struct GroupLossTests {
    struct Groups: Decodable {
        struct Completion: Decodable {
            let new: [Float]
            let old: [Float]
            let reference: [Float]
            let truncated: Bool
        }
        struct Settings: Decodable {
            let loss_type: String?
            let beta: Double?
            let epsilon: Double?
            let epsilon_high: Double?
            let delta: Double?
            let importance_sampling_level: String?
            let use_bias_correction_kl: Bool?
            let mask_truncated_completions: Bool?
            let top_entropy_quantile: Double?
            let off_policy_mask_threshold: Double?
            let scale_rewards: String?
            let reward_weights: [Double]?
            let reward_clip_range: [Double]?
            let normalize_advantages: Bool?
            let multi_objective_aggregation: String?
        }
        struct Advantages: Decodable {
            let name: String
            let method: String
            let settings: Settings
            let rewards: [[Double?]]
            let advantages: [Double]
            let logged: [String: Double]
        }
        struct Loss: Decodable {
            let method: String
            let settings: Settings
            let advantages: [Double]
            let onPolicy: Bool
            let microBatches: [[Int]]
            let tokens: Int
            let values: [Double]
            let value: Double
            let gradients: [[Double]]
        }
        let groupSize: Int
        let maxCompletionLength: Int
        let completions: [Completion]
        let advantages: [Advantages]
        let losses: [Loss]
    }

    static func load() throws -> Groups { try Fixtures.json(Groups.self, from: "preferences/groups.json") }

    @Test("advantages of groups, and the share of groups without spread")
    func advantages() throws {
        let groups = try Self.load()
        var compared = 0
        for item in groups.advantages {
            // what is not part of this package: clipped scores, a normalisation of its own, missing rewards, each reward normalised by itself
            let settings = item.settings
            guard settings.normalize_advantages != true, settings.multi_objective_aggregation == nil,
                settings.mask_truncated_completions != true,
                !item.rewards.joined().contains(nil)
            else { continue }
            var config = PPOConfig(item.method == "rloo" ? .rloo : .grpo)
            config.rewardScaling = settings.scale_rewards.flatMap(PPOConfig.RewardScaling.init) ?? .group
            config.klCoefficient = settings.beta ?? 0.0
            let responses = zip(groups.completions, item.rewards).enumerated().map { index, pair in
                let (completion, rewards) = pair
                let weights = settings.reward_weights ?? [1]
                let score = zip(rewards, weights).reduce(0) { $0 + ($1.0 ?? 0) * $1.1 }
                return RewardedResponse(
                    group: index / groups.groupSize,
                    rewards: TokenRewards.rewards(
                        logProbs: completion.old, referenceLogProbs: completion.reference, score: score,
                        klCoefficient: config.klCoefficient,
                        config: config))
            }
            guard case .rewards(let estimate) = config.advantages.source else { continue }
            let found = estimate(responses, config)
            #expect(found.map(\.count) == groups.completions.map(\.new.count))
            expectClose(found.map { $0[0] }, item.advantages, relative: 1e-4, absolute: 2e-6, label: "\(item.name) \(item.method)")
            #expect(found.allSatisfy { Set($0).count == 1 }, "one advantage for all tokens of a response")
            compared += 1
        }
        #expect(compared == 15)
    }

    @Test("losses and gradients")
    func losses() throws {
        let groups = try Self.load()
        var compared: [String: Int] = [:]
        for item in groups.losses {
            let settings = item.settings
            let name = settings.loss_type ?? (item.method == "rloo" ? "rloo" : "dapo")
            guard name != "vespo", settings.top_entropy_quantile == nil, settings.off_policy_mask_threshold == nil else { continue }
            var loss = PolicyLoss()
            let low = settings.epsilon ?? 0.2
            // TRL's bound of CISPO is the ratio itself
            loss.clip = PolicyClip(low: low, high: settings.epsilon_high.map { name == "cispo" ? $0 - 1 : $0 }, dual: settings.delta)
            loss.surrogate = ["cispo": .cispo, "sapo": .soft][name] ?? .clipped
            loss.ratio = item.method == "rloo" ? .sequenceSum : settings.importance_sampling_level == "sequence" ? .sequenceMean : .token
            loss.aggregation =
                ["grpo": .sequences, "sapo": .sequences, "rloo": .sequences, "luspo": .sequenceSums, "dr_grpo": .constant][name] ?? .tokens
            if let beta = settings.beta, beta > 0, item.method == "grpo" {
                loss.kl = .init(.k3, weight: beta, isCorrected: settings.use_bias_correction_kl ?? true)
            }
            let masks = settings.mask_truncated_completions ?? false
            var (total, gradients) = (0.0, [[Float]](repeating: [], count: groups.completions.count))
            for (rows, expected) in zip(item.microBatches, item.values) {
                let responses = rows.map { row in
                    let completion = groups.completions[row]
                    return PolicyLoss.Response(
                        logProbs: completion.new[...], oldLogProbs: item.onPolicy ? completion.new : completion.old,
                        advantages: completion.new.map { _ in Float(item.advantages[row]) }, referenceLogProbs: completion.reference,
                        count: masks && completion.truncated ? 0 : completion.new.count)
                }
                // the mean over the tokens of each micro-batch, which TRL calls bnpo, is no loss of a whole step
                let tokens = name == "bnpo" ? responses.reduce(0) { $0 + $1.count } * item.microBatches.count : item.tokens
                let batch = LossBatch(responses: groups.completions.count, tokens: tokens, maxTokens: groups.maxCompletionLength)
                var found = loss(responses, of: batch)
                // a masked response of TRL's RLOO has the ratio 1: a constant in the loss, without a gradient
                if item.method == "rloo", masks {
                    for row in rows where groups.completions[row].truncated {
                        found.policy -= item.advantages[row] / Double(groups.completions.count)
                    }
                }
                expectClose(
                    [found.policy + found.kl], [expected], relative: 2e-5, absolute: 2e-6, label: "\(name) \(settings) \(rows)")
                total += found.policy + found.kl
                for (row, response) in zip(rows, responses) {
                    gradients[row] = Array(found.gradient.prefix(response.logProbs.count))
                    found.gradient.removeFirst(response.logProbs.count)
                }
            }
            expectClose([total], [item.value], relative: 2e-5, absolute: 3e-6, label: "\(name) \(settings)")
            for (found, expected) in zip(gradients, item.gradients) {
                expectClose(found, expected, relative: 2e-5, absolute: 1e-6, label: "\(name) \(settings)")
            }
            compared[name, default: 0] += 1
        }
        #expect(compared == ["grpo": 12, "bnpo": 6, "dr_grpo": 6, "dapo": 13, "cispo": 7, "luspo": 6, "sapo": 6, "rloo": 8])
    }

    @Test("REINFORCE takes nothing off, ReMax the greedy score; rewards behind a token count with the discount")
    func withoutGroups() {
        let responses = [
            RewardedResponse(group: 0, rewards: [0.5, -0.25, 1], greedyScore: 0.75),
            RewardedResponse(group: 1, rewards: [2], greedyScore: -1),
        ]
        func advantages(_ method: AdvantageEstimator, discount: Double) -> [[Double]] {
            var config = PPOConfig(method)
            config.discount = discount
            guard case .rewards(let estimate) = method.source else { return [] }
            return estimate(responses, config)
        }
        #expect(advantages(.reinforce, discount: 1) == [[1.25, 0.75, 1], [2]])
        #expect(advantages(.reinforce, discount: 0.5) == [[0.625, 0.25, 1], [2]])
        #expect(advantages(.remax, discount: 1) == [[0.5, 0, 0.25], [3]])
        #expect(PPOConfig(.reinforcePlusPlus).normalisesAdvantages && !PPOConfig(.reinforce).normalisesAdvantages)
    }

    @Test("the last tokens that a response may have cost it more and more")
    func overlong() {
        var config = PPOConfig(.grpo)
        config.sampling.maxNewTokens = 20
        (config.overlongBuffer, config.overlongPenalty) = (8, 2)
        let scores = [5, 12, 13, 16, 20].map { TokenRewards.shapedScore(1, length: $0, ended: $0 < 20, config: config) }
        #expect(scores == [1, 1, 0.75, 0, -1])
    }

    @Test("an entropy bonus with a target grows below it and is off above it")
    func entropy() {
        var controller = EntropyController(coefficient: 0.01, target: 0.5, step: 0.02, limit: 0.04)
        #expect(controller.applied == 0.01)
        controller.update(entropy: 0.4)
        #expect(abs(controller.applied - 0.03) < 1e-12)
        controller.update(entropy: 0.4)
        #expect(controller.applied == 0.04)
        controller.update(entropy: 0.6)
        #expect(abs(controller.coefficient - 0.02) < 1e-12 && controller.applied == 0)
        controller.update(entropy: 0.6)
        controller.update(entropy: 0.6)
        #expect(controller.coefficient == 0)
    }
}
