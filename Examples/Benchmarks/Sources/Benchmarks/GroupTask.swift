import Data
import Eval
import Foundation
import Models
import Tensor
import Train

extension Tasks {
    /// The number of prompts in a GRPO step, and of responses per prompt.
    private static let (groups, generations) = (4, 8)

    /// One step of GRPO: responses to the first prompts, scores, and one epoch with the KL term in the loss.
    func groups() throws -> Report {
        let (policy, reference) = (try workload.decoder(), try workload.decoder())
        let reward = RewardModel(try workload.decoder(), head: workload.valueHead())
        frozen.apply(to: policy)
        reward.decoder.parameters.forEach { $0.isTrainable = false }
        let layers = Trunk.share(policy, with: reward.decoder, atMost: policy.frozenTrunk).layers
        let prompts = workload.prompts.prefix(Self.groups).enumerated().map {
            TokenisedPrompt(id: "\($0)", tokens: $1, query: "", reference: "", isTruncated: false)
        }
        var config = PPOConfig(.grpo)
        (config.totalSteps, config.epochs) = (options.iterations + 1, 1)
        (config.rolloutBatchSize, config.generations, config.learnBatchSize) = (
            prompts.count, Self.generations, prompts.count * Self.generations
        )
        (config.sampling, config.klCoefficient) = (sampling, 0.04)
        (config.optimizer, config.schedule) = (AdamConfig(learningRate: 1e-5, clipNorm: nil), Schedule(.constant))
        (config.freezing, config.recomputesLayers) = (frozen, options.recomputes)
        config.tokensPerPass = options.tokensPerPass ?? config.tokensPerPass
        (config.optimizer.kind, config.gradientFormat) = (options.optimizer, options.gradientFormat)
        config.logSteps = 1
        try hold(policy, freezing: frozen, reference: reference)
        var steps = StepTimes()
        var losses: [Double] = []
        let scorer = RewardModelReward(
            reward, endOfSequence: workload.endOfSequence, sharedTrunkLayers: layers == policy.frozenTrunk ? layers : 0)
        let record = RewardRecord(scorer)
        let trainer = try PPOTrainer(
            policy: policy, valueHead: nil, reference: reference, config: config, prompts: prompts,
            rewardFunction: options.rollouts == nil ? scorer : record,
            tokenizer: IDs(vocabularySize: policy.shape.vocabularySize), endOfSequence: workload.endOfSequence
        ) { event in
            steps.record(event)
            if case .measured(_, let values) = event, let loss = values["policy_loss"] { losses.append(loss + (values["kl_loss"] ?? 0)) }
        }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        (report.firstLoss, report.losses) = (losses.first, losses)
        report.tokens = config.rollouts * workload.newTokens
        report.phases = [
            "generate": trainer.lastPhases.generate, "score": trainer.lastPhases.score,
            "learn": trainer.lastPhases.learn,
        ]
        count(in: &report) {
            StepOperations(policy).policy(
                sampledLengths(prompts: prompts.count, answers: Self.generations), epochs: config.epochs,
                sharedLayers: policy.frozenTrunk, hasValueHead: false)
        }
        if let path = options.rollouts {
            let rollouts = Rollouts(
                prompts: record.requests.map { $0.map(\.promptTokens) }, responses: record.requests.map { $0.map(\.responseTokens) },
                rewards: record.rewards, losses: losses, logProbs: meanLogProb(of: record.requests[0], under: policy),
                initialLogProbs: meanLogProb(of: record.requests[0], under: reference))
            try JSONEncoder().encode(rollouts).write(to: URL(fileURLWithPath: path))
        }
        return report
    }

    /// The data with which `method_peers.py --task check` repeats every step.
    private struct Rollouts: Encodable {
        var prompts: [[[Int32]]]
        var responses: [[[Int32]]]
        var rewards: [[Double]]
        var losses: [Double]
        /// The mean log p of a token of the first step's responses, under the final and under the initial policy.
        var logProbs: Double
        var initialLogProbs: Double
    }

    private func meanLogProb(of requests: [RewardRequest], under decoder: any TransformerDecoder) -> Double {
        let sums = requests.map { request -> Double in
            let batch = TokenBatch([request.promptTokens + request.responseTokens.dropLast()])
            let hidden = decoder.hidden(batch, wanted: [request.promptTokens.count - 1..<batch.count], on: nil)
            return decoder.logProbs(hidden, targets: request.responseTokens).logProbs.values.reduce(0) { $0 + Double($1) }
        }
        return sums.reduce(0, +) / Double(requests.reduce(0) { $0 + $1.responseTokens.count })
    }
}

/// A reward function that records its requests and rewards.
private final class RewardRecord: RewardFunction {
    private let scorer: any RewardFunction
    private(set) var requests: [[RewardRequest]] = []
    private(set) var rewards: [[Double]] = []

    init(_ scorer: any RewardFunction) { self.scorer = scorer }

    func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let rewards = try scorer.rewards(for: requests)
        self.requests.append(requests)
        self.rewards.append(rewards)
        return rewards
    }
}
