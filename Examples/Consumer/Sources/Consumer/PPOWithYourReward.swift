import Data
import Eval
import Models
import Tensor
import TextGeneration
import Train

/// PPO with a closure as the reward: here, it prefers texts with many vowels that are not too long.
func optimiseYourReward(_ model: TextModel) throws {
    let vowels = ClosureReward.each { _, response, _ in
        Double(response.count { "aeiou".contains($0) }) / Double(max(1, response.count))
    }
    let length = ClosureReward.each { _, response, _ in -Double(response.count) / 100 }
    let reward = WeightedReward([(1, vowels), (0.1, length)])

    let prompts = (0..<16).map { i in
        TokenisedPrompt(
            id: "\(i)", tokens: model.tokenizer.encodeOpening("post \(i):"), query: "post \(i)", reference: "", isTruncated: false)
    }
    let policy = model.model.decoder
    var random = Philox(seed: 2)
    var config = PPOConfig()
    config.totalSteps = 2
    (config.rolloutBatchSize, config.learnBatchSize, config.sampling.maxNewTokens) = (8, 8, 12)
    var rewards: [Double] = []
    let trainer = try PPOTrainer(
        policy: policy, valueHead: ValueHead(width: policy.shape.headWidth, using: &random), reference: policy.copy(), config: config,
        prompts: prompts,
        rewardFunction: reward, tokenizer: model.tokenizer, endOfSequence: model.tokenizer.endOfSequence ?? 0
    ) { event in
        if case .progressed(_, _, _, let figure?) = event { rewards.append(figure.value) }
    }
    try trainer.run()
    precondition(rewards.count == 2)
}
