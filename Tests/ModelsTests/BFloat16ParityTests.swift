import Models
import Tensor
import Testing
import _TestSupport

/// Every tiny model in bfloat16 against Transformers in bfloat16 (Tests/Fixtures/models/make_bf16.py).
@Suite struct BFloat16ParityTests {
    /// Both round, at different places: Transformers every state and product, this package what goes into products with weights. So
    /// neither is the truth, which is what 32-bit floats make of the same rounded weights. The tolerance is of roundings: what
    /// Transformers' do to a text's logits, `theirs` (the script wrote it, by its own 32-bit floats). Ours may not lie further from the
    /// truth than that, nor further from Transformers' than two independent errors of that size do (√2 · theirs). That both mean the same
    /// truth is seen from our 32-bit floats, which must lie as far from Transformers' bfloat16 as its own do, within a hundredth.
    @Test("logits", arguments: ModelFixture.all)
    func logits(_ name: String) throws {
        let fixture = try ModelFixture(name)
        try withTemporaryFolder { folder in
            let copy = folder.appendingPathComponent("bf16")
            try fixture.model.save(to: copy, as: .bfloat16)
            try compare(LanguageModel.load(copy).decoder, name, of: name)
        }
    }

    /// Families whose other models are narrower than the least weight whose products are rounded.
    @Test("logits of wider models", arguments: ["bloom", "gemma3_text", "gpt_neo"])
    func wider(_ name: String) throws {
        let decoder = try LanguageModel.load(Fixtures.url("models/bf16/\(name)")).decoder
        #expect(decoder.shape.hiddenSize >= Self.leastRounded)
        try compare(decoder, "bf16/\(name)", of: name)
    }

    private static let leastRounded = 16

    /// Compares the logits of the sequences of a model of Tests/Fixtures/models.
    private func compare(_ decoder: any TransformerDecoder, _ name: String, of model: String) throws {
        let stored = try Fixtures.safetensors("models/bf16.safetensors")
        let distances = try #require(try Fixtures.json([String: [Double]].self, from: "models/bf16.json")[name])
        for (index, sequence) in try ModelFixture(model).expected.sequences.enumerated() {
            let transformers = try #require(stored["\(name).\(index)"]).tensor
            let (exact, rounded) = (Self.logits(decoder, sequence.tokens, .f32), Self.logits(decoder, sequence.tokens, .bf16))
            func distance(_ a: Tensor, _ b: Tensor) -> Double { (a - b).sumOfSquares().squareRoot() }
            let (theirs, size) = (distances[index], exact.sumOfSquares().squareRoot())
            let label = "\(name) \(index)"
            expectClose([distance(exact, transformers)], [theirs], relative: 0.01, absolute: 0, label: label)
            #expect(distance(rounded, exact) <= theirs, "\(label): \(distance(rounded, exact) / theirs)")
            #expect(distance(rounded, transformers) <= 2.0.squareRoot() * theirs, "\(label): \(distance(rounded, transformers) / theirs)")
            if decoder.shape.hiddenSize >= Self.leastRounded {
                #expect(distance(rounded, exact) > 1e-4 * size, "\(label): nothing was rounded")
            }
        }
    }

    private static func logits(_ decoder: any TransformerDecoder, _ tokens: [Int32], _ precision: Compute.Precision) -> Tensor {
        Compute.$precision.withValue(precision) { decoder.logits(decoder.alone(tokens)) }
    }
}
