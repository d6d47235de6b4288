import Models
import Tensor
import Testing
import _TestSupport

/// Tiny encoders against Transformers and sentence-transformers.
@Suite struct EncoderParityTests {
    @Test("hidden states, alone and packed", arguments: EncoderFixture.all)
    func hidden(_ name: String) throws {
        let fixture = try EncoderFixture(name)
        let encoder = try EncoderFolder.load(fixture.folder)
        let together = encoder.states(of: fixture.texts)
        var row = 0
        for (index, input) in fixture.texts.enumerated() {
            let expected = try #require(fixture.tensors["hidden.\(index)"]).tensor
            expectSmallError(encoder.states(of: [input]), expected, 1e-5, "\(name) hidden.\(index)")
            expectSmallError(
                together.rows(row..<row + input.ids.count), expected, 1e-5, "\(name) packed hidden.\(index)")
            row += input.ids.count
        }
        #expect(row == together.shape[0] && fixture.texts.count == 12)
    }

    @Test("every pooling", arguments: EncoderFixture.all)
    func pooling(_ name: String) throws {
        let fixture = try EncoderFixture(name)
        let encoder = try EncoderFolder.load(fixture.folder)
        let width = encoder.shape.hiddenSize
        for mode in Pooling.allCases {
            let expected = try #require(fixture.tensors["pooled.\(mode.rawValue)"]).tensor
            var pooled: [Float] = []
            for input in fixture.texts {
                let states = encoder.states(of: [input])
                var vector = [Float](repeating: .nan, count: width)
                mode.apply(states.pointer, rows: input.ids.count, width: width, into: &vector)
                pooled += vector
            }
            expectSmallError(Tensor(pooled, shape: [fixture.texts.count, width]), expected, 1e-5, "\(name) \(mode)")
        }
    }

    @Test("logits and probabilities of the classifier", arguments: EncoderFixture.all)
    func classifier(_ name: String) throws {
        let fixture = try EncoderFixture(name)
        let classifier = try SequenceClassifier.load(fixture.folder)
        let expected = try #require(fixture.tensors["logits"]).tensor
        expectSmallError(try classifier.logits(of: fixture.pairs), expected, 1e-5, "\(name) logits")
        #expect(!classifier.isMultiLabel)
        let probabilities = try classifier.probabilities(of: fixture.pairs)
        for (actual, expected) in zip(probabilities, fixture.expected.probabilities) {
            #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
        #expect(probabilities.count == 14)
        #expect(classifier.labels.map { $0.lowercased() }.sorted() == ["contradiction", "entailment", "neutral"])
        #expect(try classifier.index(ofLabel: "Entailment") == (name == "bert" ? 0 : 2))
    }

    /// Which inputs run together, in which order and on how many threads, changes rounding at most.
    @Test("every input by itself equals all together", arguments: EncoderFixture.all, [1, 2])
    func order(_ name: String, threads: Int) throws {
        let fixture = try EncoderFixture(name)
        let encoder = try SentenceEncoder.load(fixture.folder)
        let inputs = Array(repeatElement(fixture.texts.reversed(), count: 20).joined())
        let vectors = try Compute.$threads.withValue(threads) { try encoder.embeddings(of: inputs) }
        #expect(vectors.shape == [240, encoder.width])
        for (index, input) in inputs.enumerated() where index % 7 == 0 {
            expectSmallError(vectors.rows([index]), try encoder.embeddings(of: [input]), 1e-5, "\(name) \(index)")
        }
        #expect(try encoder.embeddings(of: []).shape == [0, encoder.width])
    }

    /// Every thread of the pool rounds, not the calling one alone: the numbers of one and of two threads are the same, and near those
    /// of 32-bit floats.
    @Test("bfloat16 on every thread", arguments: EncoderFixture.all)
    func bfloat16(_ name: String) throws {
        let fixture = try EncoderFixture(name)
        let encoder = try SentenceEncoder.load(fixture.folder)
        let inputs = Array(repeatElement(fixture.texts, count: 40).joined())
        #expect(EncoderBatches.indices(lengths: inputs.map(\.ids.count)).count >= 8)
        func vectors(_ precision: Compute.Precision, _ threads: Int) throws -> Tensor {
            try Compute.$precision.withValue(precision) {
                try Compute.$threads.withValue(threads) { try encoder.embeddings(of: inputs) }
            }
        }
        let (exact, rounded) = (try vectors(.f32, 2), try vectors(.bf16, 2))
        #expect(try vectors(.f32, 1).values == exact.values)
        #expect(try vectors(.bf16, 1).values == rounded.values)
        let width = encoder.width
        for index in inputs.indices {
            let (a, b) = (exact.rows([index]), rounded.rows([index]))
            #expect(a.values != b.values, "\(name) \(index) was not rounded")
            let scale = (a.squared().values.reduce(0, +) / Float(width)).squareRoot()
            let error = ((a - b).squared().values.reduce(0, +) / Float(width)).squareRoot()
            #expect(error < 0.05 * scale, "\(name) \(index): \(error) of \(scale)")
        }
    }

    @Test func batchesAreFullAndSortedByLength() {
        let lengths = [5, 900, 1, 7, 7, 300, 212, 3]
        let batches = EncoderBatches.indices(lengths: lengths, tokens: 512)
        #expect(batches == [[1], [5, 6], [3, 4, 0, 7, 2]])
        #expect(EncoderBatches.indices(lengths: [], tokens: 512).isEmpty)
    }
}
