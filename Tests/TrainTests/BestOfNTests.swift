import Data
import Eval
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

@Suite struct BestOfNTests {
    private func sampler(_ decoder: Llama, temperature: Float = 0.9, promptsPerPass: Int = 16) -> BestOfN {
        configured(
            BestOfN(
                ResponseSampler(
                    Generator(decoder, endOfSequence: 2), tokenizer: NumberTokenizer(),
                    options: SamplingOptions(maxNewTokens: 8, temperature: temperature)),
                rewardFunction: TokenShare(token: 7), random: Philox(seed: 11))
        ) { $0.promptsPerPass = promptsPerPass }
    }

    private func rows(_ sampler: BestOfN, _ prompts: [TokenisedPrompt], count: Int) throws -> [[SampleRow]] {
        var result: [[SampleRow]] = []
        try sampler.sample(prompts, count: count) { prompt, rows in
            #expect(prompt == prompts[result.count])
            result.append(rows)
        }
        #expect(result.count == prompts.count)
        return result
    }

    @Test("rewards that are too large, NaN or too few are errors")
    func unusableRewards() throws {
        struct Constant: RewardFunction {
            var value: Double
            var missing = 0
            func rewards(for requests: [RewardRequest]) -> [Double] { Array(repeating: value, count: requests.count - missing) }
        }
        let decoder = try TinyModel.llama()
        let prompts = ToyData.prompts(1)
        func sample(_ reward: Constant) throws {
            try BestOfN(
                ResponseSampler(
                    Generator(decoder, endOfSequence: 2), tokenizer: NumberTokenizer(), options: SamplingOptions(maxNewTokens: 2)),
                rewardFunction: reward, random: Philox(seed: 1)
            ).sample(prompts, count: 2) { _, _ in }
        }
        try sample(Constant(value: 1e38))
        #expect(throws: RewardError.outOfRange(-1e308, response: 0)) { try sample(Constant(value: -1e308)) }
        #expect(throws: RewardError.self) { try sample(Constant(value: .nan)) }
        #expect(throws: RewardError.wrongCount(1, expected: 2)) { try sample(Constant(value: 1, missing: 1)) }
    }

    @Test("the bound of the KL, also for a number that a table claims")
    func klOfAnyNumber() {
        #expect(BestOfN.kl(claimed: 1) == 0 && abs(BestOfN.kl(claimed: 16) - 1.835088722239781) < 1e-12)
        for absurd in [1e300, -1, 0, 0.5, .infinity] { #expect(BestOfN.kl(claimed: absurd) >= 0) }
    }

    @Test("KL of best-of-N: log N − (N − 1)/N")
    func klFormula() {
        expectClose([1, 2, 4, 16, 64].map(BestOfN.kl(n:)), [0, 0.193147181, 0.636294361, 1.83508872, 3.17450833], relative: 1e-8)
        expectClose([BestOfN.kl(n: 1)], [0], relative: 0, absolute: 0)
    }

    @Test("best-of-1 is plain sampling")
    func plainSampling() throws {
        let decoder = try TinyModel.llama()
        let prompts = ToyData.prompts(5)
        let rows = try rows(sampler(decoder), prompts, count: 1)
        let random = Philox(seed: 11)
        let responses = try Generator(decoder, endOfSequence: 2).generate(
            prompts.map { GenerationRequest(prompt: $0.tokens, streams: [random.split($0.id).split(0)]) },
            options: SamplingOptions(maxNewTokens: 8, temperature: 0.9)
        ).map { $0[0] }
        for (row, answer) in zip(rows.map { $0[0] }, responses) {
            #expect(BestOfN.best(of: [row]) == row)
            #expect(row.response == NumberTokenizer().decode(answer.tokens, skippingSpecialTokens: true))
            #expect(row.numbers["tokens"] == Double(answer.tokens.count) && row.numbers["sample"] == 0)
            #expect(row.numbers["ended"] == (answer.ended ? 1 : 0))
            expectClose(
                [row.numbers["log_prob"] ?? .nan], [answer.logProbs.reduce(0) { $0 + Double($1) }], relative: 1e-5)
            #expect(row.reward == Double(answer.tokens.count { $0 == 7 }) / Double(answer.tokens.count))
        }
        for (row, prompt) in zip(rows, prompts) {
            #expect(row[0].id == prompt.id && row[0].input == prompt.query && row[0].reference == prompt.reference)
        }
    }

    @Test("more samples, other batches and other prompts change no sample")
    func independence() throws {
        let decoder = try TinyModel.llama()
        let prompts = ToyData.prompts(7)
        let all = try rows(sampler(decoder), prompts, count: 6)
        #expect(all.allSatisfy { $0.count == 6 && $0.map { $0.numbers["sample"] } == (0..<6).map(Double.init) })
        #expect(all.allSatisfy { Set($0.map(\.response)).count > 1 })
        let few = try rows(sampler(decoder, promptsPerPass: 2), Array(prompts.reversed()), count: 3).reversed()
        for (a, b) in zip(all, few) {
            #expect(a.prefix(3).map(\.response) == b.map(\.response))
            #expect(a.prefix(3).map(\.reward) == b.map(\.reward))
        }
        var narrow = sampler(decoder)
        narrow.sampler.generator.maxActive = 2
        #expect(try rows(narrow, prompts, count: 6).map { $0.map(\.response) } == all.map { $0.map(\.response) })
    }

    @Test("the KL of a response: Σ log p − log p under the reference", arguments: [1, 0.7, 0] as [Float])
    func sequenceKL(temperature: Float) throws {
        let decoder = try TinyModel.llama()
        let other = try TinyModel.llama(seed: 2)
        let prompts = ToyData.prompts(5)
        var sampler = sampler(decoder, temperature: temperature)
        sampler.reference = decoder.copy()
        for row in try rows(sampler, prompts, count: 3).flatMap({ $0 }) {
            expectClose([row.numbers["kl"] ?? .nan], [0], relative: 0, absolute: 5e-5)
        }
        sampler.reference = other
        let random = Philox(seed: 11)
        let scale = temperature == 0 ? 1 : temperature
        for (prompt, rows) in zip(prompts, try rows(sampler, prompts, count: 3)) {
            let answers = try Generator(decoder, endOfSequence: 2).generate(
                [GenerationRequest(prompt: prompt.tokens, streams: (0..<3).map { random.split(prompt.id).split(UInt64($0)) })],
                options: sampler.sampler.options)[0]
            for (row, answer) in zip(rows, answers) {
                let pass = TargetPass(prompts: [prompt.tokens], targets: [answer.tokens])
                let logProbs = [decoder, other].map { model in
                    model.hidden(pass.batch, wanted: pass.wanted).logProbs(
                        model.projection.value, targets: answer.tokens, temperature: scale
                    ).logProbs.values.reduce(0) { $0 + Double($1) }
                }
                expectClose([row.numbers["kl"] ?? .nan], [logProbs[0] - logProbs[1]], relative: 1e-4, absolute: 1e-4)
            }
        }
    }

    @Test("a prompt that the reference has no positions for is named")
    func shortReference() throws {
        var sampler = sampler(try TinyModel.llama())
        let prompts = ToyData.prompts(5)
        let longest = try #require(prompts.map(\.tokens.count).max())
        func reference(_ context: Int) throws -> OPT {
            try OPT(
                OPTConfiguration(
                    vocabularySize: 24, hiddenSize: 16, feedForwardSize: 24, layerCount: 1, heads: 4, contextLength: context),
                weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
        }
        sampler.reference = try reference(longest + 7)
        #expect(try rows(sampler, prompts, count: 1).count == 5)
        sampler.reference = try reference(longest + 6)
        #expect(throws: TrainingError.self) { try rows(sampler, prompts, count: 1) }
    }

    @Test("the best has the greatest reward; the first of equals wins")
    func best() {
        func row(_ id: String, _ reward: Double?) -> SampleRow { SampleRow(id: id, input: "", response: "", reward: reward) }
        #expect(BestOfN.best(of: [row("a", 1), row("b", 3), row("c", 3), row("d", -1)])?.id == "b")
        #expect(BestOfN.best(of: [row("a", nil), row("b", -9)])?.id == "b")
        #expect(BestOfN.best(of: []) == nil)
    }
}
