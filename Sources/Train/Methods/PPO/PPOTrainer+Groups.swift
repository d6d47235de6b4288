import Data
import Models

// Groups of responses to one prompt: sampling, scoring and statistics.
extension PPOTrainer {
    /// Responses with their scores and rollouts.
    struct Drawn {
        var responses: [SampledResponse] = []
        var scores: [Double] = []
        var rollouts: [Rollout] = []

        /// The responses in a range.
        subscript(range: Range<Int>) -> Drawn {
            Drawn(responses: Array(responses[range]), scores: Array(scores[range]), rollouts: Array(rollouts[range]))
        }

        static func += (a: inout Drawn, b: Drawn) {
            a.responses += b.responses
            a.scores += b.scores
            a.rollouts += b.rollouts
        }
    }

    /// The responses that a step learns from: those to its prompts or, with dynamic sampling, responses to further prompts in
    /// place of prompts whose responses all have the same reward.
    func learnable(_ prompts: [TokenisedPrompt], watch: inout Stopwatch) throws -> Drawn {
        let first = try drawn(prompts, from: 0, watch: &watch)
        guard config.generations > 1 else { return first }
        var (kept, flat) = (Drawn(), Drawn())
        var (seen, next) = (first, first)
        for extra in 0...config.extraBatches {
            for begin in stride(from: 0, to: next.rollouts.count, by: config.generations) {
                let group = next[begin..<begin + config.generations]
                if Self.hasSpread(group.rollouts.map(\.score)) { kept += group } else { flat += group }
            }
            guard extra < config.extraBatches, kept.rollouts.count < config.rollouts else { break }
            let more = (0..<config.rolloutBatches).flatMap { _ in order.next() }.map { self.prompts[$0] }
            next = try drawn(more, from: (extra + 1) * config.rolloutBatchSize, watch: &watch)
            seen += next
        }
        recordGroups(seen.rollouts)
        guard config.extraBatches > 0 else { return first }
        // groups without spread have no gradient, but they fill the step up to its size
        kept += flat
        return kept[0..<config.rollouts]
    }

    /// Samples and scores responses to some prompts. Each rank does so for a share of the prompts, and gets all responses.
    /// - Parameter number: the number of the first prompt in the step.
    private func drawn(_ prompts: [TokenisedPrompt], from number: Int, watch: inout Stopwatch) throws -> Drawn {
        guard collective.size > 1 else { return try draw(prompts, from: number, watch: &watch) }
        let shares = promptShares(prompts)
        let own = shares[collective.rank]
        return try addingStatistics {
            var drawn = Drawn()
            try collective.together {
                if !own.isEmpty { drawn = try draw(Array(prompts[own]), from: number + own.lowerBound, watch: &watch) }
            }
            return try gathered(drawn, shares: shares, of: prompts, from: number)
        }
    }

    private func draw(_ prompts: [TokenisedPrompt], from number: Int, watch: inout Stopwatch) throws -> Drawn {
        var responses = try sample(prompts, from: number)
        let greedy = config.advantages.needsGreedyScore ? try greedyResponses(to: prompts) : []
        lastPhases.generate += watch.lap()
        let scores = try score(responses)
        let greedyScores = greedy.isEmpty ? [] : rollouts(of: greedy, scores: try score(greedy, isMeasured: false)).map(\.score)
        var rollouts = rollouts(of: responses, scores: scores)
        for i in rollouts.indices {
            // from here on, only the rollouts hold the trunk states
            responses[i].drawn.trunk = nil
            let prompt = i / config.generations
            rollouts[i].group = number + prompt
            if !greedyScores.isEmpty { rollouts[i].greedyScore = greedyScores[prompt] }
        }
        try compare(&rollouts, responses)
        lastPhases.score += watch.lap()
        return Drawn(responses: responses, scores: scores, rollouts: rollouts)
    }

    /// One greedy response to each prompt.
    private func greedyResponses(to prompts: [TokenisedPrompt]) throws -> [SampledResponse] {
        let sampler = ResponseSampler(
            Generator(policy, ends: ends, validTokens: tokenizer.vocabularySize, maxActive: config.maxActiveResponses),
            tokenizer: tokenizer, options: .greedy(maxNewTokens: config.sampling.maxNewTokens))
        return try naming(prompts) { try sampler.responses(to: prompts) { _ in [random] }.map { $0[0] } }
    }

    /// Replaces the scores of every group by those of ``PPOConfig/groupReward``.
    private func compare(_ rollouts: inout [Rollout], _ responses: [SampledResponse]) throws {
        guard let reward = config.groupReward else { return }
        for begin in stride(from: 0, to: rollouts.count, by: config.generations) {
            let group = begin..<begin + config.generations
            let scores = try reward.value(rollouts[group].map(\.score), responses[group].map(\.text))
            guard scores.count == group.count, scores.allSatisfy({ Float($0).isFinite }) else {
                throw TrainingError.notFinite(
                    what: "the group reward \(reward.name)", step: step + 1, examples: [rollouts[begin].id])
            }
            for (i, score) in zip(group, scores) { rollouts[i].score = score }
        }
    }

    /// Whether rewards differ by more than rounding.
    static func hasSpread(_ scores: [Double]) -> Bool {
        guard let least = scores.min(), let most = scores.max() else { return false }
        return most - least > 1e-8 + 1e-6 * max(abs(least), abs(most))
    }

    /// Adds statistics about the spread of rewards in all sampled groups.
    private func recordGroups(_ rollouts: [Rollout]) {
        for group in Dictionary(grouping: rollouts, by: \.group).sorted(by: { $0.key < $1.key }) {
            let scores = group.value.map(\.score)
            objective.statistics.add("frac_reward_zero_std", Self.hasSpread(scores) ? 0 : 1)
            objective.statistics.add("group_reward_std", scores.reduce(into: RunningMoments()) { $0.add($1) }.deviation)
        }
        objective.statistics.add("groups_drawn", Double(rollouts.count / config.generations))
    }
}
