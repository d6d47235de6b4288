import Data
import Eval
import Foundation
import Models
import Tensor
import Train
import _TestSupport

/// One rollout and three optimiser steps of PPO by PyTorch; see Tests/Fixtures/ppo/make_ppo.py.
struct PPOFixture: Decodable {
    struct Texts: Decodable {
        let prompts: [[Int32]]
        let responses: [[Int32]]
        let scores: [Double]
    }
    struct Settings: Decodable {
        var maxNewTokens: Int?
        var temperature: Float?
        var discounting: Double?
        var lambda: Double?
        var klCoefficient: Double?
        var klApproximation: Int?
        var klReward: Bool?
        var rewardScale: Double?
        var rewardClip: Double?
        var lengthPenaltyCoefficient: Double?
        var lengthPenaltyPower: Double?
        var eosRewardCoefficient: Double?
        var clipPolicy: Double?
        var clipBaseline: Double?
        var baselineCost: Double?
        var entropyCost: Double?
        var gradNormClipping: Double?
        var learningRate: Double?
        var freezeLayers: Double?
        var freezeEmbeddings: Bool?
        var mode: String?
        var padding: Int32?
    }
    struct Step: Decodable {
        let policyLoss: Double
        let valueLoss: Double
        let entropyLoss: Double
        let klLoss: Double
        let totalLoss: Double
        let clippedPolicyFraction: Double
        let gradientNorm: Double
    }
    struct Variant: Decodable {
        let advantages: [[Double]]
        let targets: [[Double]]
    }
    struct Case: Decodable {
        let withImportance: Variant
        let withoutGAE: Variant
        let withImportanceWithoutGAE: Variant
        let settings: Settings
        let behaviourLogProbs: [[Double]]
        let referenceLogProbs: [[Double]]
        let learnerLogProbs: [[Double]]
        let behaviourValues: [[Double]]
        let learnerValues: [[Double]]
        let behaviourEntropy: [[Double]]
        let learnerEntropy: [[Double]]
        let k1: [[Double]]
        let k2: [[Double]]
        let k3: [[Double]]
        let rewards: [[Double]]
        let advantages: [[Double]]
        let targets: [[Double]]
        let normalisedAdvantages: [[Double]]
        let meanSequenceKL: Double
        let steps: [Step]
    }
    let rollout: Texts
    let settings: Settings
    let cases: [String: Case]

    /// The corrected arithmetic, and the published one, which runs padding as if it were read; of LLaMA and of OPT.
    static let names = ["sane", "saneFrozen", "saneKLLoss", "reference", "optSane", "optReference"]

    static func load() throws -> PPOFixture { try Fixtures.json(PPOFixture.self, from: "ppo/ppo.json") }

    /// One of the three models (behaviour, reference, learner) of a case.
    static func policy(_ name: String, of item: String) throws -> RewardModel {
        try LanguageModel.loadRewardModel(Fixtures.url("ppo/\(item.hasPrefix("opt") ? "opt-" : "")\(name)"))
    }

    /// The tensors of a case in gradients.safetensors or parameters.safetensors.
    static func tensors(_ file: String, _ name: String) throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for (key, tensor) in try Fixtures.safetensors("ppo/\(file).safetensors") where key.hasPrefix(name + "/") {
            result[String(key.dropFirst(name.count + 1))] = tensor.tensor
        }
        return result
    }

    /// The settings of a case in our words.
    func config(_ name: String, tokensPerPass: Int = 4096) throws -> PPOConfig {
        struct Missing: Error {}
        let own = cases[name]?.settings ?? Settings()
        func value<Value>(_ path: KeyPath<Settings, Value?>) throws -> Value {
            guard let value = own[keyPath: path] ?? settings[keyPath: path] else { throw Missing() }
            return value
        }
        guard let estimator = PPOConfig.KLEstimator(rawValue: try value(\.klApproximation)) else { throw Missing() }
        return try configured(PPOConfig()) {
            $0.totalSteps = 3
            $0.rolloutBatchSize = 4
            $0.learnBatchSize = 4
            $0.epochs = 1
            $0.tokensPerPass = tokensPerPass
            $0.sampling = SamplingOptions(maxNewTokens: try value(\.maxNewTokens), temperature: try value(\.temperature))
            $0.klCoefficient = try value(\.klCoefficient)
            $0.klEstimator = estimator
            $0.klAsReward = try value(\.klReward)
            $0.discount = try value(\.discounting)
            $0.lambda = try value(\.lambda)
            $0.policyClip = try value(\.clipPolicy)
            $0.valueClip = try value(\.clipBaseline)
            $0.valueCost = try value(\.baselineCost)
            $0.entropyCost = try value(\.entropyCost)
            $0.compatibility = own.mode == "reference" ? .reference : .sane
            $0.rewardScale = try value(\.rewardScale)
            $0.rewardClip = try value(\.rewardClip)
            $0.lengthPenalty = .init(
                coefficient: try value(\.lengthPenaltyCoefficient), power: try value(\.lengthPenaltyPower))
            $0.endBonus = try value(\.eosRewardCoefficient)
            $0.optimizer = AdamConfig(
                learningRate: try value(\.learningRate),
                clipNorm: own.mode == "reference" ? nil : try value(\.gradNormClipping))
            $0.schedule = Schedule(.constant)
            $0.freezing = Freezing(fraction: try value(\.freezeLayers), freezesEmbeddings: try value(\.freezeEmbeddings))
        }
    }

    /// A response, filled up with padding to the columns that a case has.
    func columns(_ row: Int, _ item: Case) -> [Int32] {
        let response = rollout.responses[row]
        let padding = item.settings.padding ?? settings.padding ?? 2
        return response + Array(repeating: padding, count: item.behaviourLogProbs[row].count - response.count)
    }

    /// The rollouts with everything that sampling gives, taken from the numbers of a case.
    func rollouts(_ item: Case, config: PPOConfig) -> [Rollout] {
        rollout.responses.indices.map { row in
            let response = rollout.responses[row]
            var drawn = GeneratedResponse()
            (drawn.tokens, drawn.ended) = (columns(row, item), response.last == 2)
            drawn.logProbs = item.behaviourLogProbs[row].map(Float.init)
            drawn.values = item.behaviourValues[row].map(Float.init)
            var result = Rollout(id: "\(row)", prompt: rollout.prompts[row], response: drawn)
            result.length = response.count
            result.score = TokenRewards.shapedScore(
                rollout.scores[row], length: response.count, ended: response.last == 2, config: config)
            return result
        }
    }

    /// A trainer of the fixture's learner.
    func trainer(_ learner: RewardModel, _ config: PPOConfig, of item: String) throws -> PPOTrainer {
        try PPOTrainer(
            policy: learner.decoder, valueHead: learner.head, reference: Self.policy("reference", of: item).decoder,
            config: config,
            prompts: ToyData.prompts(4), rewardFunction: TokenShare(token: 3),
            tokenizer: NumberTokenizer(vocabularySize: 48), endOfSequence: 2, handler: { _ in })
    }
}
