import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Policy optimisation with several ranks against one process.
@Suite struct ParallelPPOTests {
    /// The share of a response's tokens that are above 12. Responses to one prompt rarely have equal rewards, so gradients are not
    /// only rounding errors.
    struct HighTokens: RewardFunction {
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            try TokenIDReward(threshold: 12, excluded: nil).rewards(for: requests)
        }
    }

    static func config(
        _ method: AdvantageEstimator = .gae, _ steps: Int = 3, _ change: (inout PPOConfig) -> Void = { _ in }
    ) -> PPOConfig {
        var config = configured(PPOConfig(method)) {
            $0.totalSteps = steps
            $0.rolloutBatchSize = 6
            $0.learnBatchSize = 3 * $0.generations
            // the loss of each rollout is then a sum over the same tokens in all runs
            $0.tokensPerPass = 1
            $0.sampling = SamplingOptions(maxNewTokens: 7, temperature: 0.9)
            $0.klCoefficient = 0.05
            $0.optimizer = AdamConfig(learningRate: 1e-3)
            $0.freezing = Freezing(fraction: 0.67)
            $0.logSteps = 1
            $0.tableLogs = 2
            $0.evaluationSteps = 3
            $0.seed = 4
        }
        change(&config)
        return config
    }

    /// Trains a policy on a rank, from a snapshot and weights if they are given; without a group if it is nil.
    static func train(
        _ config: PPOConfig, _ group: (any Collective)?, reward: any RewardFunction = HighTokens(), prompts: Int = 20,
        hasReference: Bool = true, from saved: RankOutcome? = nil, stop: Int? = nil
    ) throws -> RankOutcome {
        let policy = try TinyModel.llama()
        let reference = hasReference ? policy.copy() : nil
        let head = config.advantages.usesValues ? TinyModel.head() : nil
        let parameters = policy.parameters + (head?.parameters ?? [])
        if let saved { for (parameter, value) in zip(parameters, saved.weights.values) { parameter.value = value } }
        let log = EventLog()
        let held = [(name: "held", prompts: ToyData.prompts(5, seed: 77))]
        let trainer =
            if let group {
                try PPOTrainer(
                    policy: policy, valueHead: head, reference: reference, config: config, prompts: ToyData.prompts(prompts),
                    evaluationPrompts: held, rewardFunction: reward, tokenizer: NumberTokenizer(), endOfSequence: 2, collective: group,
                    handler: log.handler)
            } else {
                try PPOTrainer(
                    policy: policy, valueHead: head, reference: reference, config: config, prompts: ToyData.prompts(prompts),
                    evaluationPrompts: held, rewardFunction: reward, tokenizer: NumberTokenizer(), endOfSequence: 2,
                    handler: log.handler)
            }
        if let snapshot = saved?.snapshot { try trainer.restore(snapshot) }
        var outcome = RankOutcome(weights: Weights(parameters), log: log)
        outcome.complete = try trainer.run(checkpoint: { outcome.snapshot = try $0.snapshot }, shouldStop: { trainer.step == stop })
        outcome.weights = Weights(parameters)
        return outcome
    }

    private static func train(_ ranks: Int, _ config: PPOConfig, from saved: RankOutcome? = nil, stop: Int? = nil) throws -> [RankOutcome] {
        let start = ReadOnly(value: saved)
        return try ThreadCollective.run(ranks) { try train(config, $0, from: start.value, stop: stop) }
    }

    /// Expects the same events, with numbers that are equal up to rounding.
    static func expectClose(_ found: EventLog, _ expected: EventLog, relative: Double = 1e-4, absolute: Double = 1e-4) {
        _TestSupport.expectClose(found.losses, expected.losses, relative: 1e-6, absolute: 1e-9, label: "scores")
        #expect(found.steps == expected.steps && found.stages == expected.stages)
        found.expectMeasurements(closeTo: expected, relative: relative, absolute: absolute)
        #expect(found.rows.map(\.id) == expected.rows.map(\.id) && found.rows.map(\.response) == expected.rows.map(\.response))
        #expect(found.rows.map(\.tokens) == expected.rows.map(\.tokens))
        _TestSupport.expectClose(
            found.rows.map { $0.reward ?? .nan }, expected.rows.map { $0.reward ?? .nan }, relative: 1e-6, absolute: 1e-9, label: "rewards")
        for (a, b) in zip(found.rows, expected.rows) {
            #expect(Set(a.numbers.keys) == Set(b.numbers.keys))
            for (name, value) in a.numbers {
                _TestSupport.expectClose(
                    [value], [b.numbers[name] ?? .nan], relative: relative, absolute: absolute, label: "\(name) of \(a.id)")
            }
        }
    }

    @Test("scores, metrics, tables and weights are those of one process up to rounding", arguments: [2, 3])
    func equalsOneProcess(ranks: Int) throws {
        let config = Self.config(.gae, 20) {
            ($0.epochs, $0.entropyCost, $0.klTarget, $0.klHorizon) = (1, 0.01, 0.5, 100)
        }
        let one = try Self.train(1, config)[0]
        #expect(one.log.rows.contains { $0.numbers["shaped_reward"] != nil } && one.log.rows.contains { $0.numbers["entropy"] != nil })
        for rank in try Self.train(ranks, config) {
            // 40 updates let rounding errors grow
            Self.expectClose(rank.log, one.log, relative: 5e-4, absolute: 5e-4)
            rank.weights.expectClose(to: one.weights, absolute: 5e-4)
            #expect(rank.log.steps == Array(1...20) && rank.complete && rank.log.notes == one.log.notes)
        }
    }

    @Test("the metrics of the first step, before weights differ", arguments: [2, 3])
    func firstStep(ranks: Int) throws {
        let config = Self.config(.gae, 1) { ($0.epochs, $0.learnBatchSize, $0.evaluationSteps) = (1, 6, nil) }
        let one = try Self.train(1, config)[0]
        for rank in try Self.train(ranks, config) { Self.expectClose(rank.log, one.log, relative: 1e-5, absolute: 1e-5) }
    }

    @Test("a group of one rank has the bits of a trainer without a group")
    func oneRank() throws {
        let config = Self.config(.gae, 4) { ($0.epochs, $0.entropyCost, $0.klTarget) = (2, 0.01, 0.5) }
        let plain = try Compute.$threads.withValue(1) { try Self.train(config, nil) }
        let one = try Self.train(1, config)[0]
        one.expectIdentical(to: plain)
        #expect(one.log.rows == plain.log.rows)
    }

    @Test("the same number of ranks has the same bits, on every rank", arguments: [2, 3])
    func repeatable(ranks: Int) throws {
        let config = Self.config(.gae, 5) { ($0.epochs, $0.entropyCost, $0.klTarget) = (2, 0.01, 0.5) }
        let first = try Self.train(ranks, config)
        for outcome in try first + Self.train(ranks, config) {
            outcome.expectIdentical(to: first[0])
            #expect(outcome.log.rows == first[0].log.rows && outcome.log.notes == first[0].log.notes)
        }
    }

    @Test("every advantage estimator", arguments: AdvantageEstimator.builtIn.map(\.name), [2, 3])
    func methods(_ name: String, ranks: Int) throws {
        let method = try #require(AdvantageEstimator.builtIn.first { $0.name == name })
        let config = Self.config(method, 2)
        let one = try Self.train(1, config)[0]
        for rank in try Self.train(ranks, config) {
            Self.expectClose(rank.log, one.log)
            rank.weights.expectClose(to: one.weights, absolute: 1e-4)
        }
    }

    static let variants = [
        "no trunk", "no reference", "dynamic sampling", "entropy target", "importance", "KL in the loss", "original arithmetic",
    ]

    /// A run with other settings, on one rank.
    private static func variant(_ name: String, _ group: any Collective) throws -> RankOutcome {
        switch name {
        case "no trunk": try train(config { $0.freezing = Freezing(fraction: 0) }, group)
        case "no reference": try train(config { ($0.klCoefficient, $0.klTarget) = (0, nil) }, group, hasReference: false)
        case "dynamic sampling":
            // the parts of a weighted reward are metrics, and a group reward replaces scores
            try train(
                config(.grpo) {
                    ($0.extraBatches, $0.learnBatchSize) = (2, 24)
                    $0.groupReward = GroupReward("above the worst") { scores, _ in scores.map { $0 - (scores.min() ?? 0) } }
                }, group,
                reward: WeightedReward([(1, TokenShare(token: 7)), (0, LengthReward(words: 5))], names: ["share", "length"]))
        case "entropy target": try train(config { ($0.entropyTarget, $0.entropyCost, $0.epochs) = (2.5, 0.01, 2) }, group)
        case "importance":
            try train(
                config {
                    ($0.correctsImportance, $0.epochs) = (true, 2)
                    ($0.normalisesOverRun, $0.masksTruncated) = (true, true)
                }, group)
        case "KL in the loss": try train(config { ($0.klAsReward, $0.klTarget, $0.klHorizon, $0.epochs) = (false, 0.01, 8, 2) }, group)
        default:
            // the reward depends on the longest response of a rollout batch
            try train(
                config {
                    $0.compatibility = .reference
                    ($0.rolloutBatches, $0.learnBatchSize, $0.learnBatches, $0.optimizer.clipNorm) = (2, 6, 2, nil)
                    ($0.klTarget, $0.normalisesOverRun, $0.evaluationBatchSize) = (0.5, true, 2)
                }, group, reward: TokenIDReward(threshold: 12, excluded: nil, dividesByWidth: true))
        }
    }

    @Test("other settings", arguments: variants, [2, 3])
    func settings(_ name: String, ranks: Int) throws {
        let one = try ThreadCollective.run(1) { try Self.variant(name, $0) }[0]
        #expect(one.complete)
        for rank in try ThreadCollective.run(ranks, { try Self.variant(name, $0) }) {
            Self.expectClose(rank.log, one.log)
            rank.weights.expectClose(to: one.weights, absolute: 1e-4)
        }
    }

    @Test("more ranks than prompts")
    func manyRanks() throws {
        let config = Self.config(.gae, 3) { ($0.rolloutBatchSize, $0.learnBatchSize) = (2, 1) }
        let one = try Self.train(1, config)[0]
        for rank in try Self.train(4, config) { Self.expectClose(rank.log, one.log) }
    }

    @Test("a checkpoint of two ranks resumes with one, two and three", arguments: [1, 2, 3])
    func resume(ranks: Int) throws {
        let config = Self.config(.gae, 6) {
            ($0.epochs, $0.entropyTarget, $0.entropyCost, $0.klTarget, $0.logSteps) = (2, 2.5, 0.01, 0.5, 2)
        }
        let whole = try Self.train(2, config)[0]
        let stopped = try Self.train(2, config, stop: 3)
        // it has what one process saves
        let (snapshot, one) = try stopped.snapshot(at: 3, like: Self.train(1, config, stop: 3)[0])
        #expect(snapshot.optimizerSteps == one.optimizerSteps)
        for rank in try Self.train(ranks, config, from: stopped[0]) {
            #expect(rank.complete && rank.log.steps == [4, 5, 6])
            if ranks == 2 {
                rank.weights.expectIdentical(to: whole.weights)
                #expect(rank.log.measurements == whole.log.measurements.filter { $0.step > 3 })
                #expect(stopped[0].log.rows + rank.log.rows == whole.log.rows)
            } else {
                rank.weights.expectClose(to: whole.weights, absolute: 1e-4)
                _TestSupport.expectClose(rank.log.losses, Array(whole.log.losses.dropFirst(3)), relative: 1e-6, absolute: 1e-9)
            }
        }
    }

    /// The share of high tokens, but NaN for the responses to one prompt.
    private struct Odd: RewardFunction {
        let query: String
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            try zip(requests, HighTokens().rewards(for: requests)).map { $0.query == query ? .nan : $1 }
        }
    }

    @Test("a reward that is NaN on one rank is an error of all ranks, with the rank and the prompt", arguments: [2, 3])
    func notFinite(ranks: Int) throws {
        let config = Self.config { $0.evaluatesAtStart = false }
        let results = ThreadCollective.results(ranks) { group in
            // all prompts are in the first step
            try Self.train(config, group, reward: Odd(query: ToyData.prompts(6)[3].query), prompts: 6)
        }
        var errors: [TrainingError] = []
        for result in results {
            let error = #expect(throws: TrainingError.self) { try result.get() }
            errors.append(try #require(error))
        }
        #expect(errors.allSatisfy { $0 == errors[0] })
        guard case .notFinite(let what, let step, let examples) = errors[0] else {
            Issue.record("\(errors[0])")
            return
        }
        #expect(what.hasPrefix("the reward on rank ") && step == 1 && examples == ["p3"])
    }

    @Test("steps with a reward that is NaN are skipped by all ranks, as in one process")
    func skipping() throws {
        let config = Self.config(.gae, 4) { ($0.skippedBatches, $0.evaluatesAtStart, $0.evaluationSteps) = (4, false, nil) }
        func logs(_ ranks: Int) throws -> [EventLog] {
            try ThreadCollective.run(ranks) {
                try Self.train(config, $0, reward: Odd(query: ToyData.prompts(12)[5].query), prompts: 12).log
            }
        }
        let one = try logs(1)[0]
        #expect(one.last("skipped_batches") == 2 && one.losses.count == 2)
        for log in try logs(3) {
            Self.expectClose(log, one)
            #expect(log.notes.count == one.notes.count)
        }
    }

    @Test("ranks with other settings or prompts are refused before the first step")
    func differences() throws {
        func expect(_ what: String, rate: Double, prompts: Int) {
            let results = ThreadCollective.results(3) { group in
                let isOdd = group.rank == 2
                return try Self.train(
                    Self.config { $0.optimizer.learningRate = isOdd ? rate : 1e-3 }, group, prompts: isOdd ? prompts : 20)
            }
            for result in results {
                #expect(throws: CollectiveError.rankDiffers(rank: 2, what: what)) { try result.get() }
            }
        }
        expect("the setting of the training loop, or the checkpoint,", rate: 1, prompts: 20)
        expect("the set of prompts", rate: 1e-3, prompts: 19)
    }

    @Test("updates in the backward pass need one process")
    func inBackward() {
        let results = ThreadCollective.results(2) { group in
            try Self.train(Self.config { ($0.optimizer.appliesInBackward, $0.optimizer.clipNorm) = (true, nil) }, group)
        }
        for result in results {
            let error = #expect(throws: TrainingError.self) { try result.get() }
            #expect(error?.description.hasPrefix("the number of processes is 2") == true)
        }
    }

    @Test("a handler that fails on one rank during an evaluation ends all ranks")
    func handler() throws {
        let results = ThreadCollective.results(2) { group in
            let policy = try TinyModel.llama()
            let trainer = try PPOTrainer(
                policy: policy, valueHead: TinyModel.head(), reference: policy.copy(), config: Self.config(),
                prompts: ToyData.prompts(20), evaluationPrompts: [("held", ToyData.prompts(5, seed: 77))],
                rewardFunction: TokenShare(token: 7), tokenizer: NumberTokenizer(), endOfSequence: 2, collective: group,
                handler: { event in
                    if case .sampled = event, group.rank == 0 { throw DiskFull() }
                })
            try trainer.run()
        }
        expectDiskFull(onRank: 0, results)
    }
}
