import Eval
import Models
import Tensor
import Testing
import _TestSupport

@Suite struct RewardModelRewardTests {
    private func policy() throws -> Llama {
        try Llama(
            LlamaConfiguration(
                vocabularySize: 30, hiddenSize: 16, intermediateSize: 24, layerCount: 3, heads: 4, keyHeads: 2,
                contextLength: 64),
            weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
    }

    private func judge(_ decoder: any TransformerDecoder) -> RewardModel {
        var random = Philox(seed: 9)
        return RewardModel(
            decoder,
            head: ValueHead(
                weight: .normal([1, 16], standardDeviation: 0.3, using: &random), bias: 0.1, normalisation: 1,
                normalisationStd: 2))
    }

    private let requests: [RewardRequest] = [
        ([5, 6, 7], [8, 9, 2]), ([5, 6, 7], [8, 9]), ([5, 6, 7], [2]), ([4], [10, 11, 12, 13]), ([5, 6, 7], [20]),
        ([3, 3, 3, 3, 3, 3], []),
    ].map { RewardRequest(query: "", response: "", promptTokens: $0.0, responseTokens: $0.1) }

    @Test("the score is that of prompt, response and one end, at the end")
    func scores() throws {
        let model = judge(try policy())
        let texts: [[Int32]] = [
            [5, 6, 7, 8, 9, 2], [5, 6, 7, 8, 9, 2], [5, 6, 7, 2], [4, 10, 11, 12, 13, 2], [5, 6, 7, 20, 2],
            [3, 3, 3, 3, 3, 3, 2],
        ]
        let expected = texts.map { model.scores([$0])[0] }
        #expect(Set(expected.map { ($0 * 1e4).rounded() }).count == 5)
        for tokensPerPass in [4096, 9, 1] {
            let reward = RewardModelReward(model, endOfSequence: 2, tokensPerPass: tokensPerPass)
            expectClose(try reward.rewards(for: requests), expected, relative: 1e-5, absolute: 1e-6)
        }
        #expect(try RewardModelReward(model, endOfSequence: 2).rewards(for: []).isEmpty)
    }

    @Test("a model reads its own end, whichever end a response has drawn")
    func severalEnds() throws {
        let model = judge(try policy())
        // 20 is a word that ends responses, 21 another special end
        let ends = EndTokens(closing: 2, ids: [2, 20, 21], visible: [20])
        let responses: [[Int32]] = [[8, 9], [8, 9, 2], [8, 20], [8, 9, 21], [21], [8, 21, 9]]
        let texts: [[Int32]] = [[8, 9, 2], [8, 9, 2], [8, 20, 2], [8, 9, 2], [2], [8, 21, 9, 2]]
        let found = try RewardModelReward(model, endOfSequence: 2, ends: ends).rewards(
            for: responses.map { RewardRequest(query: "", response: "", promptTokens: [5, 6], responseTokens: $0) })
        expectClose(found, texts.map { model.scores([[5, 6] + $0])[0] }, relative: 1e-5, absolute: 1e-6)
    }

    @Test("a text beyond the table of positions is refused; one that fills it is read")
    func tooLong() throws {
        let decoder = try OPT(
            OPTConfiguration(
                vocabularySize: 30, hiddenSize: 16, feedForwardSize: 24, layerCount: 2, heads: 4, contextLength: 6),
            weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
        let reward = RewardModelReward(judge(decoder), endOfSequence: 2)
        #expect(try reward.rewards(for: Array(requests.prefix(5))).count == 5)
        #expect(throws: RewardError.tooLong(tokens: 7, limit: 6)) { try reward.rewards(for: requests) }
    }

    @Test("trunk states are used when they come from common layers, and only then")
    func trunk() throws {
        let policy = try policy()
        let model = judge(policy.copy())
        model.decoder.parameters(ofLayer: 2)[1].value.update { for i in $0.indices { $0[i] += 0.1 } }
        let plain = try RewardModelReward(model, endOfSequence: 2).rewards(for: requests)
        func scores(trunkLayers: Int, shared: Int, damaged: Bool = false, missing: Int? = nil) throws -> [Double] {
            let batch = TokenBatch(
                requests.map { request in
                    request.promptTokens + request.responseTokens + (request.responseTokens.last == 2 ? [] : [2])
                })
            let states = policy.run(batch, layers: 0..<trunkLayers).scaled(by: damaged ? 3 : 1)
            var texts = batch.rows.map { TrunkRows(states, rows: $0) }
            if let missing { texts[missing] = texts[missing].prefix(1) }
            return try RewardModelReward(model, endOfSequence: 2, sharedTrunkLayers: shared, tokensPerPass: 12)
                .rewards(for: requests, trunk: TrunkStates(texts, layers: trunkLayers))
        }
        func isClose(_ scores: [Double]) -> Bool { zip(scores, plain).allSatisfy { abs($0 - $1) < 1e-5 } }
        #expect(isClose(try scores(trunkLayers: 2, shared: 2)))
        #expect(isClose(try scores(trunkLayers: 1, shared: 2)), "fewer layers than are common are as good")
        #expect(!isClose(try scores(trunkLayers: 2, shared: 2, damaged: true)), "the states are what is read")
        // states from behind layers that are not common, or no states, or unknown ones: the model runs in full
        #expect(isClose(try scores(trunkLayers: 3, shared: 2)))
        #expect(isClose(try scores(trunkLayers: 2, shared: 0, damaged: true)))
        #expect(isClose(try scores(trunkLayers: 2, shared: 2, missing: 3)))
    }
}
