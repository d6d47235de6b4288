import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Layers that run again in the backward pass: the same numbers bit for bit, in less memory.
@Suite struct RecomputationTests {
    /// Every parameter's gradient after one backward pass over ragged examples.
    private static func gradients(_ decoder: any TransformerDecoder, recomputing: Bool) -> [String: [UInt32]] {
        let tape = Tape(recomputingLayers: recomputing)
        let loss = SFTLoss.loss(decoder, ToyData.examples(9), weight: 0.1, on: tape)
        tape.backward(from: loss)
        var result = ["loss": [loss.item.bitPattern]]
        for parameter in decoder.parameters {
            result[parameter.name] = parameter.gradient?.values.map(\.bitPattern)
            parameter.clearGradient()
        }
        return result
    }

    @Test(arguments: TinyModel.families, [0, 0.34, 0.67, 1]) func gradientsHaveTheSameBits(
        family: String, fraction: Double
    ) throws {
        let decoder = try TinyModel.make(family)
        for freezesEmbeddings in [true, false] {
            Freezing(fraction: fraction, freezesEmbeddings: freezesEmbeddings).apply(to: decoder)
            for precision in Compute.Precision.allCases {
                Compute.$precision.withValue(precision) {
                    let plain = Self.gradients(decoder, recomputing: false)
                    #expect(Self.gradients(decoder, recomputing: true) == plain)
                    #expect(plain.count == 1 + decoder.parameters.count { $0.isTrainable })
                }
            }
        }
    }

    @Test func theTapeHoldsOneEntryForATrainedLayer() throws {
        let decoder = try TinyModel.llama(layers: 4)
        Freezing(fraction: 0.5).apply(to: decoder)
        let batch = TokenBatch([[3, 4, 5]])
        let (plain, short) = (Tape(), Tape(recomputingLayers: true))
        _ = decoder.hidden(batch, wanted: batch.rows, on: plain)
        _ = decoder.hidden(batch, wanted: batch.rows, on: short)
        #expect(short.count == 2 + 2)  // two layers, the last norm and its weight
        #expect(plain.count > 2 * 15)
    }

    @Test func supervisedTraining() throws {
        func trained(_ recomputes: Bool) throws -> Weights {
            let decoder = try TinyModel.llama()
            try SFTTrainer(
                decoder,
                config: configured(SFTConfig()) {
                    $0.maxSteps = 3
                    $0.batchSize = 8
                    $0.tokensPerPass = 40
                    $0.optimizer = AdamConfig(learningRate: 3e-3)
                    $0.freezing = Freezing(fraction: 0.4)
                    $0.recomputesLayers = recomputes
                },
                examples: ToyData.examples(20), handler: { _ in }
            ).run()
            return Weights(decoder)
        }
        try trained(true).expectIdentical(to: trained(false))
    }

    @Test func rewardTraining() throws {
        func trained(_ recomputes: Bool) throws -> Weights {
            let model = RewardModel(try TinyModel.llama(), head: TinyModel.head())
            try RewardTrainer(
                model,
                config: configured(RewardConfig()) {
                    $0.maxSteps = 3
                    $0.batchSize = 8
                    $0.optimizer = AdamConfig(learningRate: 3e-3)
                    $0.freezing = Freezing(fraction: 0.4)
                    $0.recomputesLayers = recomputes
                },
                comparisons: ToyData.comparisons(20), handler: { _ in }
            ).run()
            return Weights(model.decoder, model.head)
        }
        try trained(true).expectIdentical(to: trained(false))
    }

    @Test func policyTraining() throws {
        func trained(_ recomputes: Bool) throws -> Weights {
            let (policy, head) = (try TinyModel.llama(), TinyModel.head())
            try PPOTrainer(
                policy: policy, valueHead: head, reference: policy.copy(),
                config: configured(PPOConfig()) {
                    $0.totalSteps = 2
                    $0.rolloutBatchSize = 8
                    $0.learnBatchSize = 4
                    $0.epochs = 2
                    $0.sampling = SamplingOptions(maxNewTokens: 6)
                    $0.optimizer = AdamConfig(learningRate: 2e-3)
                    $0.freezing = Freezing(fraction: 0.34)
                    $0.recomputesLayers = recomputes
                },
                prompts: ToyData.prompts(20), rewardFunction: TokenShare(token: 7), tokenizer: NumberTokenizer(),
                endOfSequence: 2, handler: { _ in }
            ).run()
            return Weights(policy, head)
        }
        try trained(true).expectIdentical(to: trained(false))
    }

    /// In a process of its own, where nothing else uses the allocator.
    @Test func memoryGrowsWithOneLayerInsteadOfAll() async {
        await #expect(processExitsWith: .success) {
            func peak(_ recomputes: Bool) throws -> Int {
                // activations that are large beside the weights
                let decoder = try Llama(
                    LlamaConfiguration(
                        vocabularySize: 24, hiddenSize: 32, intermediateSize: 96, layerCount: 12, heads: 2,
                        contextLength: 1024),
                    weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.1))
                let before = Allocator.shared.bytesInUse
                let tape = Tape(recomputingLayers: recomputes)
                let example = TokenisedExample(
                    id: "e", prompt: [1], target: (0..<1000).map { 3 + Int32($0 % 20) })
                tape.backward(from: SFTLoss.loss(decoder, [example], weight: 1, on: tape))
                return Allocator.shared.peakBytesInUse - before
            }
            // the peak never falls, so the smaller one comes first
            let short = try peak(true)
            let whole = try peak(false)
            precondition(short * 3 < whole, "\(short) bytes with recomputation, \(whole) without")
        }
    }
}
