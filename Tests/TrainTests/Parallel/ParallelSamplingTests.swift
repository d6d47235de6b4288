import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Best-of-N, samples, references and scores with several ranks against one process.
@Suite struct ParallelSamplingTests {
    private static let prompts = ToyData.prompts(11)

    private static func sampler(_ decoder: any TransformerDecoder) -> ResponseSampler {
        ResponseSampler(
            Generator(decoder, endOfSequence: 2), tokenizer: NumberTokenizer(), options: SamplingOptions(maxNewTokens: 8, temperature: 0.9))
    }

    /// The rows of best-of-3 with the prompts to which they belong.
    private static func best(_ group: any Collective, reward: any RewardFunction = TokenShare(token: 7)) throws -> [[SampleRow]] {
        let decoder = try TinyModel.llama()
        var best = BestOfN(sampler(decoder), rewardFunction: reward, random: Philox(seed: 11))
        (best.reference, best.promptsPerPass) = (try TinyModel.llama(seed: 3), 2)
        var rows: [[SampleRow]] = []
        try best.sample(prompts, count: 3, among: group) { prompt, new in
            #expect(prompt == prompts[rows.count] && new.count == 3)
            rows.append(new)
        }
        return rows
    }

    @Test("best-of-N has the bits of one process, on every rank and in the order of the prompts", arguments: [2, 3, 7])
    func bestOfN(ranks: Int) throws {
        let one = try Compute.$threads.withValue(1) { try Self.best(LocalCollective()) }
        #expect(one.count == 11 && one.flatMap { $0 }.contains { ($0.numbers["kl"] ?? 0) != 0 })
        for rows in try ThreadCollective.run(ranks, { try Self.best($0) }) { #expect(rows == one) }
    }

    @Test("an error of the reward of one pass is one of all ranks")
    func reward() throws {
        struct Failing: RewardFunction {
            func rewards(for requests: [RewardRequest]) throws -> [Double] {
                requests.map { $0.query == ParallelSamplingTests.prompts[3].query ? .nan : 1 }
            }
        }
        let results = ThreadCollective.results(2) { try Self.best($0, reward: Failing()) }
        // the second pass is that of rank 1
        let own = #expect(throws: RewardError.self) { try results[1].get() }
        #expect(throws: CollectiveError.rankFailed(rank: 1, message: "\(try #require(own))")) { try results[0].get() }
    }

    @Test("sampled rows of an evaluation, also with a reward that depends on the batch", arguments: [false, true])
    func evaluation(dependsOnBatch: Bool) throws {
        func rows(_ ranks: Int) throws -> [[SampleRow]] {
            try ThreadCollective.run(ranks) { group in
                try SampleEvaluation(
                    Self.sampler(TinyModel.llama()), random: Philox(seed: 5),
                    rewardFunction: TokenIDReward(threshold: 12, excluded: nil, dividesByWidth: dependsOnBatch)
                ).rows(Self.prompts, among: group)
            }
        }
        let one = try rows(1)[0]
        #expect(one.map(\.id) == Self.prompts.map(\.id))
        for ranks in 2...3 { for found in try rows(ranks) { #expect(found == one) } }
    }

    @Test("the KL of sampled responses")
    func divergence() throws {
        func values(_ ranks: Int) throws -> [[String: Double]] {
            try ThreadCollective.run(ranks) { group in
                try SampledDivergence(
                    Self.sampler(TinyModel.llama()), reference: TinyModel.llama(seed: 3), random: Philox(seed: 5)
                ).values(Self.prompts, name: "v", among: group)
            }
        }
        let one = try values(1)[0]
        #expect((one["v_kl"] ?? 0) > 0.1)
        for ranks in [2, 3, 12] {
            for found in try values(ranks) {
                #expect(Set(found.keys) == Set(one.keys))
                for (name, value) in found { expectClose([value], [one[name] ?? .nan], relative: 1e-5, label: name) }
            }
        }
    }

    @Test("reference log-probabilities have the bits of one process, and progress counts those of all ranks", arguments: [2, 3])
    func references(ranks: Int) throws {
        typealias Found = (pairs: [PreferencePair], answers: [UnpairedAnswer], done: [Int])
        @Sendable func found(_ group: any Collective) throws -> Found {
            let reference = try TinyModel.llama()
            var config = PreferenceConfig()
            config.loop.steps.tokensPerPass = 16
            var single = UnpairedConfig()
            single.loop.steps.tokensPerPass = 16
            var done: [Int] = []
            let pairs = try ReferenceLogProbs(reference, config: config).pairs(ToyData.comparisons(13), among: group) { done.append($0) }
            let answers = try UnpairedReference(reference, config: single).answers(
                UnpairedAnswer.answers(of: ToyData.comparisons(7)), among: group
            ) { done.append($0) }
            return (pairs, answers, done)
        }
        let one = try Compute.$threads.withValue(1) { try found(LocalCollective()) }
        #expect(one.done.count > 6 && one.done.last == 14 && one.pairs.allSatisfy { ($0.reference?.chosen ?? 0) < 0 })
        for other in try ThreadCollective.run(ranks, found) {
            #expect(other.pairs == one.pairs && other.answers == one.answers && other.done == one.done)
        }
    }

    @Test("scores and the normalisation of a reward model", arguments: [2, 3])
    func rewardModel(ranks: Int) throws {
        typealias Found = (scores: [Float], normalisation: RewardNormalisation, after: Weights)
        @Sendable func found(_ group: any Collective) throws -> Found {
            let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
            let trainer = try RewardTrainer(model, config: RewardConfig(), comparisons: ToyData.comparisons(12), collective: group)
            let scores = try trainer.scores(of: ToyData.comparisons(5, seed: 9))
            return (scores, try trainer.normalise(), Weights([model.head.normalisation, model.head.normalisationStd]))
        }
        let one = try found(LocalCollective())
        #expect(one.scores.count == 10 && one.normalisation.isApplied)
        let all = try ThreadCollective.run(ranks, found)
        for other in all {
            expectClose(other.scores, one.scores, relative: 1e-5, absolute: 1e-6)
            expectClose(
                [other.normalisation.mean, other.normalisation.std], [one.normalisation.mean, one.normalisation.std], relative: 1e-5,
                absolute: 1e-6)
            #expect(other.normalisation.isApplied && other.scores == all[0].scores)
            other.after.expectIdentical(to: all[0].after)
        }
    }

    @Test("every rank reports the beginning and end of a part, and its estimate of the progress", arguments: [2, 3])
    func parts(ranks: Int) throws {
        let all = try ThreadCollective.run(ranks) { group -> [PartProgress] in
            let log = EventLog()
            var config = RewardConfig()
            config.tokensPerPass = 1
            let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
            let trainer = try RewardTrainer(
                model, config: config, comparisons: ToyData.comparisons(12), collective: group, handler: log.handler)
            _ = try trainer.normalise()
            return log.parts
        }
        for parts in all {
            let done = parts.map(\.done)
            #expect(done.first == 0 && done.last == 12 && done.count > 2 && zip(done, done.dropFirst()).allSatisfy { $0 < $1 }, "\(done)")
        }
    }

    @Test("sampled responses are counted when they are finished")
    func finishedResponses() throws {
        var counts: [(done: Int, tokens: Int)] = []
        let rows = try SampleEvaluation(Self.sampler(TinyModel.llama()), random: Philox(seed: 5)).rows(Self.prompts) {
            counts.append(($0, $1))
        }
        let tokens = rows.reduce(0) { $0 + Int($1.numbers["tokens"] ?? 0) }
        #expect(counts.last?.done == rows.count && counts.last?.tokens == tokens)
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $0.done <= $1.done && $0.tokens < $1.tokens } && counts[0].done < rows.count)
    }

    @Test("arrays as bytes, and bytes that end too soon")
    func arrays() {
        var arrays = ArrayBytes()
        arrays.append([Int32(3), -4])
        arrays.append([Float]())
        arrays.append([Double.infinity, 0.1])
        var read = ArrayBytes(arrays.bytes)
        #expect(read.next(Int32.self) == [3, -4] && read.next(Float.self) == [] && read.next(Double.self) == [.infinity, 0.1])
        #expect(read.next(UInt8.self) == nil)
        var cut = ArrayBytes(arrays.bytes.dropLast())
        #expect(cut.next(Int32.self) != nil && cut.next(Float.self) != nil && cut.next(Double.self) == nil)
        var wrong = ArrayBytes([UInt8](repeating: 0xff, count: 16))
        #expect(wrong.next(Double.self) == nil)
    }

    @Test("shares of whole units cover all items once, in order", arguments: [1, 2, 3, 4, 20], [1, 2, 3, 5])
    func units(unit: Int, ranks: Int) {
        let tokens = [3, 1, 7, 7, 2, 9, 4, 4, 1, 30, 2]
        let shares = (0..<ranks).map { BatchShare.indices(tokens: tokens, unit: unit, rank: $0, of: ranks) }
        #expect(shares.flatMap { Array($0) } == Array(tokens.indices))
        #expect(shares.allSatisfy { $0.isEmpty || $0.lowerBound % unit == 0 })
    }
}
