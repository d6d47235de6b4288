import Data
import Models
import Tensor

// The division of work among ranks. With one rank, every share is the whole.
extension PPOTrainer {
    /// Checks that all ranks have the same settings, prompts and weights.
    func checkRanks() throws {
        guard collective.size > 1 else { return }
        try collective.requireSame("\(config) \(step)", what: "the setting of the training loop, or the checkpoint,")
        let sets = [("training", prompts)] + evaluationPrompts
        let lengths = sets.map { name, prompts in "\(name) \(prompts.map { "\($0.id) \($0.tokens.count)" })" }
        try collective.requireSame("\(order.epoch) \(order.batch) \(lengths)", what: "the set of prompts")
        try collective.requireSameWeights(optimization.optimizer.parameters)
    }

    /// The work of sampling a response, in tokens: the prompt, and the maximum length of the response.
    func cost(of prompt: TokenisedPrompt) -> Int { prompt.tokens.count + config.sampling.maxNewTokens }

    // MARK: Sampling

    /// The consecutive prompts that each rank answers. If rewards depend on the batch, responses that are scored together stay on
    /// one rank.
    func promptShares(_ prompts: [TokenisedPrompt]) -> [Range<Int>] {
        let unit = rewardFunction.dependsOnBatch ? max(1, arithmetic.scoredTogether / config.generations) : 1
        let costs = prompts.map(cost)
        return (0..<collective.size).map { BatchShare.indices(tokens: costs, unit: unit, rank: $0, of: collective.size) }
    }

    /// The responses of all ranks, in the order of the prompts. Trunk states stay on the rank that has computed them.
    func gathered(_ own: Drawn, shares: [Range<Int>], of prompts: [TokenisedPrompt], from number: Int) throws -> Drawn {
        var all = Drawn()
        for (rank, bytes) in try collective.gather(bytes: own.bytes).enumerated() {
            let share = shares[rank]
            guard rank != collective.rank else {
                all += own
                continue
            }
            guard let drawn = drawn(from: bytes, prompts: Array(prompts[share]), first: number + share.lowerBound) else {
                throw CollectiveError.broken(rank: collective.rank, message: "rank \(rank) sent damaged responses")
            }
            all += drawn
        }
        if sharedTrunkLayers > 0 {
            for (rank, share) in shares.enumerated() {
                for prompt in share {
                    for i in prompt * config.generations..<(prompt + 1) * config.generations { all.rollouts[i].trunkRank = rank }
                }
            }
        }
        return all
    }

    /// The responses that another rank has sent; nil if the bytes do not fit the prompts.
    private func drawn(from bytes: [UInt8], prompts: [TokenisedPrompt], first: Int) -> Drawn? {
        let count = prompts.count * config.generations
        var arrays = ArrayBytes(bytes)
        guard let lengths = arrays.next(Int.self), lengths.count == count, let tokens = arrays.next(Int32.self),
            let logProbs = arrays.next(Float.self), let values = arrays.next(Float.self), let ended = arrays.next(UInt8.self),
            let scores = arrays.next(Double.self), let shaped = arrays.next(Double.self), let greedy = arrays.next(Double.self)
        else { return nil }
        guard lengths.allSatisfy({ $0 >= 0 && $0 <= tokens.count }), lengths.reduce(0, +) == tokens.count,
            logProbs.count == tokens.count, values.count == (valueHead == nil ? 0 : tokens.count), ended.count == count,
            scores.count == count, shaped.count == count, greedy.isEmpty || greedy.count == count
        else { return nil }
        var (result, begin) = (Drawn(scores: scores), 0)
        for i in 0..<count {
            let (part, place) = (begin..<begin + lengths[i], i / config.generations)
            begin = part.upperBound
            var response = GeneratedResponse()
            (response.tokens, response.logProbs) = (Array(tokens[part]), Array(logProbs[part]))
            response.values = values.isEmpty ? [] : Array(values[part])
            response.ended = ended[i] > 0
            var rollout = Rollout(id: prompts[place].id, prompt: prompts[place].tokens, response: response)
            (rollout.group, rollout.score) = (first + place, shaped[i])
            rollout.greedyScore = greedy.isEmpty ? nil : greedy[i]
            let text = tokenizer.decode(response.tokens, skippingSpecialTokens: true)
            result.responses.append(SampledResponse(prompt: prompts[place], drawn: response, text: text))
            result.rollouts.append(rollout)
        }
        return result
    }

    // MARK: Scoring and learning

    /// The indices of the rollouts that each rank runs through its models: the rollouts whose trunk states it holds, or if no rank
    /// holds any, consecutive rollouts with about as many tokens as those of the other ranks.
    private func shares(of rollouts: [Rollout]) -> [[Int]] {
        let size = collective.size
        guard rollouts.allSatisfy({ $0.trunkRank != nil }) else {
            let tokens = rollouts.map(\.count)
            return (0..<size).map { Array(BatchShare.indices(tokens: tokens, rank: $0, of: size)) }
        }
        return (0..<size).map { rank in rollouts.indices.filter { rollouts[$0].trunkRank == rank } }
    }

    /// The indices of the rollouts of a learn batch from which this rank learns; nil for all.
    func share(of rollouts: [Rollout]) -> [Int]? { collective.size > 1 ? shares(of: rollouts)[collective.rank] : nil }

    /// A model's scores of the response tokens of rollouts. Each rank computes those of its share, and gets all.
    /// - Throws: ``CollectiveError``.
    func sharedScores(of rollouts: [Rollout], by scorer: TokenScorer) throws -> [TokenScorer.Scores] {
        guard collective.size > 1 else { return scores(of: rollouts, by: scorer) }
        let shares = shares(of: rollouts)
        let own = scores(of: shares[collective.rank].map { rollouts[$0] }, by: scorer)
        var sent = ArrayBytes()
        for column in [own.flatMap(\.logProbs), own.flatMap(\.values)] { sent.append(column) }
        var result = [TokenScorer.Scores](repeating: .init(logProbs: [], entropies: [], values: []), count: rollouts.count)
        for (rank, bytes) in try collective.gather(bytes: sent.bytes).enumerated() {
            var arrays = ArrayBytes(bytes)
            let count = shares[rank].reduce(0) { $0 + rollouts[$1].response.count }
            guard let logProbs = arrays.next(Float.self), let values = arrays.next(Float.self), logProbs.count == count,
                values.count == (scorer.valueHead == nil ? 0 : count)
            else { throw CollectiveError.broken(rank: collective.rank, message: "rank \(rank) sent damaged log-probabilities") }
            var begin = 0
            for i in shares[rank] {
                let part = begin..<begin + rollouts[i].response.count
                begin = part.upperBound
                (result[i].logProbs, result[i].values) = (Array(logProbs[part]), values.isEmpty ? [] : Array(values[part]))
            }
        }
        return result
    }

    /// Runs work that adds to the statistics on each rank. Afterwards, the statistics of all ranks hold what all have added. If the
    /// work throws, it must do so on all ranks.
    func addingStatistics<Result>(_ body: () throws -> Result) throws -> Result {
        guard collective.size > 1 else { return try body() }
        let (before, seen) = (objective.statistics, objective.entropySeen)
        (objective.statistics, objective.entropySeen) = (PPOStatistics(), (0, 0))
        let result: Result
        do {
            result = try body()
        } catch {
            (objective.statistics, objective.entropySeen) = (before, seen)
            throw error
        }
        let own = AddedStatistics(
            numbers: objective.statistics.numbers, entropy: objective.entropySeen.sum, tokens: objective.entropySeen.tokens)
        (objective.statistics, objective.entropySeen) = (before, seen)
        for added in try collective.gather(values: own) {
            objective.statistics.merge(PPOStatistics(numbers: added.numbers))
            objective.entropySeen.sum += added.entropy
            objective.entropySeen.tokens += added.tokens
        }
        return result
    }
}

/// The statistics that a rank has added.
private struct AddedStatistics: Codable {
    var numbers: [String: Double]
    var entropy: Double
    var tokens: Int
}

extension PPOTrainer.Drawn {
    /// What other ranks need of the responses: everything but prompts, texts and trunk states.
    fileprivate var bytes: [UInt8] {
        var arrays = ArrayBytes()
        arrays.append(rollouts.map(\.response.count))
        arrays.append(rollouts.flatMap(\.response))
        arrays.append(rollouts.flatMap(\.logProbs))
        arrays.append(rollouts.flatMap(\.values))
        arrays.append(rollouts.map { $0.ended ? UInt8(1) : 0 })
        arrays.append(scores)
        arrays.append(rollouts.map(\.score))
        arrays.append(rollouts.compactMap(\.greedyScore))
        return arrays.bytes
    }
}
