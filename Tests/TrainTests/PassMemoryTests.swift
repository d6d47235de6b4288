import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The estimate of the memory of passes: the same each time, for any lengths of texts and any number of threads.
@Suite struct PassMemoryTests {
    /// Whole pages on every system.
    private static let page = 16_384

    /// The estimate for items that are their own lengths, with passes that take a page per token, and `fixed` pages in call number n.
    private func measured(_ lengths: [Int], limit: Int, fixed: (Int) -> Int) -> PassMemory {
        var calls = 0
        return PassMemory.measured(lengths, length: { $0 }, limit: limit) { part in
            let storages = [part.reduce(0, +), fixed(calls)].filter { $0 > 0 }.map { Storage(byteCount: $0 * Self.page) }
            withExtendedLifetime(storages) {}
            calls += 1
        }
    }

    @Test("the line goes through two passes of different lengths: copies of a text, or the shortest text")
    func line() {
        let expected = PassMemory(fixed: Double(50 * Self.page), perToken: Double(Self.page))
        for (lengths, limit) in [([10, 12, 14], 100), ([12, 12, 12], 24), ([30, 118, 118], 120), ([10, 12, 14], 30)] {
            #expect(measured(lengths, limit: limit) { _ in 50 } == expected, "\(lengths), \(limit)")
        }
        #expect(measured([], limit: 10) { _ in 1 } == .none)
    }

    /// A text that fills a pass, and others that are about as long: a small difference of two passes must not become a slope.
    @Test("texts of about the same length give bytes in proportion to tokens")
    func proportion() {
        for lengths in [[118], [110, 118, 120]] {
            let memory = measured(lengths, limit: 120) { 10 * $0 }
            #expect(memory.fixed == 0)
            #expect((118...140).contains(Int(memory.bytes(tokens: 120)) / Self.page), "\(lengths)")
        }
    }

    @Test("a longer pass that takes less gives a constant")
    func lessForMore() {
        #expect(PassMemory(small: (50, 2000), large: (100, 1000)) == PassMemory(fixed: 2000, perToken: 0))
        #expect(PassMemory(small: (50, 1000), large: (50, 2000)) == PassMemory(fixed: 2000, perToken: 0))
    }

    /// Products with trained weights in bfloat16 widen and pack them in temporary memory of each thread. With 16 tokens a pass
    /// has no room for a second text.
    @Test("a trainer estimates the same each time", arguments: [2, 3], [16, 1000])
    func sameEachTime(threads: Int, tokensPerPass: Int) throws {
        let decoder = try Llama(
            LlamaConfiguration(
                vocabularySize: 24, hiddenSize: 64, intermediateSize: 768, layerCount: 2, heads: 4, keyHeads: 2, contextLength: 64,
                normEpsilon: 1e-5),
            weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3))
        let examples = ToyData.examples(20)
        let trainer = try SFTTrainer(
            decoder,
            config: configured(SFTConfig()) {
                ($0.maxSteps, $0.batchSize, $0.tokensPerPass) = (1, 8, tokensPerPass)
                $0.freezing = Freezing(fraction: 0.5, freezesEmbeddings: false)
            },
            examples: examples, evaluations: [("test", examples)], handler: { _ in })
        try MasterWeights.hold(decoder, as: .bf16)
        Compute.$threads.withValue(threads) {
            Compute.$precision.withValue(.bf16) {
                let first = trainer.memory()
                #expect(first.training.bytes(tokens: 24) > 0 && first.evaluation.bytes(tokens: 24) > 0)
                for _ in 0..<10 {
                    let memory = trainer.memory()
                    #expect(memory.training == first.training && memory.evaluation == first.evaluation)
                }
            }
        }
    }
}
