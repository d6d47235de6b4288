import Formats
import Foundation
import Models
import ShortFloats
import Tensor
import Testing
import _TestSupport

/// Models that are stored in bfloat16 against the same weights stored in 32-bit floats: the same bits everywhere.
@Suite struct NarrowModelTests {
    private func pair(
        of name: String, _ body: (_ narrow: LanguageModel, _ wide: LanguageModel, _ folder: URL) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let (half, full) = (folder.appendingPathComponent("bf16"), folder.appendingPathComponent("f32"))
            try ModelFixture(name).model.save(to: half, as: .bfloat16)
            let narrow = try LanguageModel.load(half)
            try narrow.save(to: full)
            try body(narrow, LanguageModel.load(full), folder)
        }
    }

    private func matrices(_ decoder: any TransformerDecoder) -> [Parameter] {
        decoder.parameters.filter { $0.value.shape.rank == 2 }
    }

    /// Gemma multiplies embeddings by a number that is rounded to the type of the folder's weights, as Transformers does.
    @Test("the scale of Gemma's embeddings", arguments: ["gemma2", "gemma3_text"])
    func embeddingScale(_ name: String) throws {
        try pair(of: name) { narrow, wide, _ in
            let width = Float(narrow.decoder.shape.hiddenSize)
            let rounded = FloatConversion.widenBFloat16(FloatConversion.narrowToBFloat16(width.squareRoot()))
            #expect(rounded != width.squareRoot())
            for (model, scale) in [(narrow, rounded), (wide, width.squareRoot())] {
                let rows = model.decoder.embeddingParameters[0].value.embedding(of: [3, 5])
                #expect(model.decoder.embed([3, 5], positions: [0, 1], on: nil).isIdentical(to: rows.scaled(by: scale)))
            }
            #expect(Trunk.share(wide.decoder, with: narrow.decoder.copy(), atMost: 9).layers == 0)
        }
    }

    @Test("states, logits, scores and texts", arguments: ModelFixture.all.filter { !$0.hasPrefix("gemma") })
    func asked(_ name: String) throws {
        try pair(of: name) { narrow, wide, folder in
            let sequences = try ModelFixture(name).expected.sequences.map(\.tokens)
            let batch = TokenBatch(sequences)
            for precision in Compute.Precision.allCases {
                try Compute.$precision.withValue(precision) {
                    let states = [narrow, wide].map { $0.decoder.hidden(batch, wanted: batch.rows) }
                    #expect(states[0].isIdentical(to: states[1]))
                    let logits = zip(states, [narrow, wide]).map { $1.decoder.logits($0) }
                    #expect(logits[0].isIdentical(to: logits[1]))
                    let scores = try [narrow, wide].map {
                        RewardModel($0.decoder, head: try #require($0.head)).scores(sequences)
                    }
                    #expect(scores[0] == scores[1])
                    let texts = try [narrow, wide].map {
                        try Generator($0.decoder, endOfSequence: nil).generate(
                            [GenerationRequest(prompt: [5, 6, 7], streams: [Philox(seed: 1)])],
                            options: SamplingOptions(maxNewTokens: 8))[0][0].tokens
                    }
                    #expect(texts[0] == texts[1])
                }
            }
            #expect(
                Trunk.share(wide.decoder.copy(), with: narrow.decoder.copy(), atMost: 9).layers
                    == wide.decoder.shape.layerCount)
            try narrow.save(to: folder.appendingPathComponent("again"), as: .bfloat16)
            let files = try ["bf16", "again"].map {
                try Data(contentsOf: folder.appendingPathComponent("\($0)/model.safetensors"))
            }
            #expect(files[0] == files[1])
            #expect(
                matrices(narrow.decoder).allSatisfy { $0.value.storage.narrow != nil },
                "a model that was only asked and saved was widened")
            #expect(matrices(wide.decoder).allSatisfy { $0.value.storage.narrow == nil })
        }
    }

    @Test("gradients, and weights that are changed", arguments: ["llama-gqa", "opt-post-norm-projected", "gpt2"])
    func trained(_ name: String) throws {
        try pair(of: name) { narrow, wide, _ in
            let batch = TokenBatch([[5, 6, 7, 8, 9, 10]])
            var losses: [Tensor] = []
            for model in [narrow, wide] {
                let decoder = model.decoder
                Freezing(fraction: 0.5).apply(to: decoder)
                let tape = Tape()
                let loss = decoder.crossEntropy(
                    decoder.hidden(batch, wanted: [0..<5], on: tape), targets: [6, 7, 8, 9, 10], rowWeights: [1, 1, 1, 1, 1], on: tape)
                tape.backward(from: loss)
                losses.append(loss.detached)
                for parameter in decoder.parameters where parameter.isTrainable {
                    let gradient = try #require(parameter.gradient).values
                    parameter.value.update { for index in $0.indices { $0[index] -= 0.01 * gradient[index] } }
                }
            }
            #expect(losses[0].isIdentical(to: losses[1]))
            for (a, b) in zip(narrow.decoder.parameters, wide.decoder.parameters) {
                #expect(a.value.isIdentical(to: b.value), "\(a.name)")
            }
            let frozen = matrices(narrow.decoder).filter { !$0.isTrainable }
            #expect(!frozen.isEmpty && frozen.allSatisfy { $0.value.storage.narrow != nil })
        }
    }

    @Test("a classifier whose score was stored in bfloat16 scores, looks for what is not finite and is saved again")
    func classifier() throws {
        try withTemporaryFolder { parent in
            let model = try ModelFixture("llama-tied-biases-llama3").model
            let width = model.decoder.shape.headWidth
            let head = ValueHead(weight: .filled(0.3, [1, width]), bias: 0.5, normalisation: 0.25, normalisationStd: 2)
            let folders = ["a", "b"].map { parent.appendingPathComponent($0) }
            try LanguageModel(decoder: model.decoder, head: head).saveClassifier(to: folders[0], as: .bfloat16)
            let narrow = try LanguageModel.load(folders[0])
            let weight = try #require(narrow.head).weight
            #expect(weight.value.storage.narrow != nil)
            #expect((narrow.decoder.parameters + [weight]).allSatisfy { $0.value.nonFiniteCount == 0 })
            try narrow.saveClassifier(to: folders[1], as: .bfloat16)
            let files = try folders.map { try Data(contentsOf: $0.appendingPathComponent("model.safetensors")) }
            #expect(files[0] == files[1])
            #expect(weight.value.storage.narrow != nil && matrices(narrow.decoder).allSatisfy { $0.value.storage.narrow != nil })
            let loaded = try #require(narrow.head)
            let wide = ValueHead(
                weight: weight.value.widened(), bias: loaded.bias.value.item, normalisation: loaded.normalisation.value.item,
                normalisationStd: loaded.normalisationStd.value.item)
            let scores = [loaded, wide].map { RewardModel(narrow.decoder, head: $0).scores([[5, 6, 7]]) }
            #expect(scores[0] == scores[1])
        }
    }

    /// Matrices in half precision stay so as those in bfloat16 do.
    @Test("half precision", arguments: ["llama-gqa", "gpt2", "opt-post-norm-projected"]) func half(_ name: String) throws {
        try withTemporaryFolder { folder in
            let (half, full) = (folder.appendingPathComponent("f16"), folder.appendingPathComponent("f32"))
            try ModelFixture(name).model.save(to: half, as: .float16)
            let narrow = try LanguageModel.load(half)
            try narrow.save(to: full)
            let wide = try LanguageModel.load(full)
            let batch = TokenBatch(try ModelFixture(name).expected.sequences.map(\.tokens))
            for precision in Compute.Precision.allCases {
                Compute.$precision.withValue(precision) {
                    let logits = [narrow, wide].map { $0.decoder.logits($0.decoder.hidden(batch, wanted: batch.rows)) }
                    #expect(logits[0].isIdentical(to: logits[1]))
                }
            }
            #expect(matrices(narrow.decoder).allSatisfy { $0.value.storage.format == .f16 })
            // what is frozen keeps its type in checkpoints
            narrow.decoder.parameters.forEach { $0.isTrainable = false }
            let (checkpoint, again) = (folder.appendingPathComponent("checkpoint"), folder.appendingPathComponent("again"))
            try narrow.save(to: checkpoint, keepingFrozen: true)
            let loaded = try LanguageModel.load(checkpoint)
            #expect(matrices(loaded.decoder).allSatisfy { $0.value.storage.format == .f16 })
            try loaded.save(to: again, as: .float16)
            let files = try [half, again].map { try Data(contentsOf: $0.appendingPathComponent("model.safetensors")) }
            #expect(files[0] == files[1])
        }
    }

    @Test("a weight of 16 bits that is not finite is named", arguments: [(ElementType.bfloat16, UInt16(0x7F80)), (.float16, 0x7C00)])
    func notFinite(type: ElementType, infinity: UInt16) throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("model.safetensors")
            let bits: [UInt16] = [0x3F80, infinity, 0, 0]
            try SafetensorsWriter().write(
                [
                    WritableTensor("w", shape: [2, 2], elementType: type) { body in
                        try bits.withUnsafeBytes(body)
                    }
                ], to: folder)
            #expect(throws: CheckpointError.notFinite(file: file.path, name: "w", index: 1, value: "inf")) {
                try WeightStore(file: file).tensor("w").tensor()
            }
        }
    }
}
