import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Matrices in Q8_0 blocks stay in the file until they are trained. Everything has the bits of the same numbers in floats.
@Suite struct GGUFBlockTests {
    private static let types = Fixtures.url("gguf/types.gguf")

    /// Models whose matrices are in the order of checkpoints, of LLaMA's and of GPT-NeoX's files, fused and transposed.
    static let models = ["llama-mixed", "qwen3", "gemma2", "phi3", "gptneox", "gpt2"]

    private static func bits(_ numbers: [Float]) -> [UInt32] { numbers.map(\.bitPattern) }
    private static func bits(_ tensor: Tensor) -> [UInt32] { bits(tensor.values) }

    // MARK: Files

    /// Calls `body` with a file in Q8_0. A foreign file has blocks that no rounding makes.
    private static func file(of name: String, isForeign: Bool = false, _ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.gguf")
            let model: LanguageModel
            if name == "gpt2" {
                let settings = GPT2Configuration(vocabularySize: 48, hiddenSize: 32, layerCount: 2, heads: 4, contextLength: 32)
                model = LanguageModel(
                    decoder: try GPT2(settings, weights: RandomWeights(generator: Philox(seed: 1), standardDeviation: 0.3)))
            } else {
                model = try LanguageModel.load(Fixtures.url("gguf/\(name).gguf"))
            }
            try model.saveGGUF(to: url, tokens: tokens, as: .q8_0)
            if isForeign { try changeBlocks(of: url) }
            try body(url)
        }
    }

    private static let tokens = SpecialTokens(begin: 1, end: 2, padding: 0)

    /// Replaces all Q8_0 blocks: scales of both signs that do not follow from the largest integer, and integers of −128.
    private static func changeBlocks(of url: URL) throws {
        var content = try bytes(of: url)
        for entry in try GGUFFile(url).entries where entry.type == .q8_0 {
            for (block, start) in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 34).enumerated() {
                let scale = (block % 11 == 0 ? 0xA000 : 0x2000) + block % 7 * 0x40
                (content[start], content[start + 1]) = (UInt8(scale % 256), UInt8(scale / 256))
                for index in 0..<32 {
                    let integer = block % 5 == 0 && index == 3 ? -128 : (block * 31 + index * 17) % 101 - 50
                    content[start + 2 + index] = UInt8(bitPattern: Int8(integer))
                }
            }
        }
        try Data(content).write(to: url)
    }

    /// The model of a file, with all weights as floats.
    private static func wide(_ url: URL) throws -> LanguageModel {
        let model = try LanguageModel.load(url)
        for parameter in model.decoder.parameters { parameter.value = parameter.value.widened() }
        return model
    }

    /// The parameters that a file has in Q8_0 blocks.
    private static func blocks(_ decoder: any TransformerDecoder) -> [Parameter] {
        decoder.parameters.filter { $0.value.shape.rank == 2 && $0.value.shape[1] % 32 == 0 && $0 !== decoder.positionParameter }
    }

    private static func expectBlocks(_ decoder: any TransformerDecoder, location: SourceLocation = #_sourceLocation) {
        for parameter in blocks(decoder) { #expect(parameter.value.storage.format == .q8, "\(parameter.name)", sourceLocation: location) }
    }

    // MARK: Tensors

    /// Random blocks, with the smallest scale and a zero with a sign.
    @Test("a matrix is a view of the file, and a change is made to a copy") func view() throws {
        let stored = try #require(try GGUFFile(Self.types).tensors.first { $0.name == "Q8_0" })
        let tensor = try stored.tensor()
        let expected = try Self.bits(stored.floats())
        #expect(tensor.shape == [3, 512] && tensor.storage.format == .q8 && tensor.storage.isView)
        #expect(Self.bits(tensor) == expected)
        let (narrow, matrix) = (try #require(tensor.storage.narrow), try #require(stored.q8Matrix))
        #expect(narrow.bytes == matrix.file.bytes.baseAddress.map { UnsafeRawPointer($0) + matrix.range.lowerBound }, "a copy was made")
        // pages that were given back are read again
        tensor.storage.forget()
        #expect(Self.bits(tensor) == expected)
        var changed = tensor
        changed.update { $0[700] = 3 }
        #expect(changed.values[700] == 3 && changed.storage.format == .f32)
        #expect(Self.bits(tensor) == expected)
    }

    @Test("rows in another order are copied as blocks; other computed matrices and types become floats") func derived() throws {
        let stored = try #require(try GGUFFile(Self.types).tensors.first { $0.name == "Q8_0" })
        let moved = try #require(stored.rows([2, 0, 1, 1]))
        let tensor = try moved.tensor()
        #expect(tensor.shape == [4, 512] && tensor.storage.format == .q8)
        #expect(try Self.bits(tensor) == Self.bits(moved.floats()))
        for other in try [#require(stored.exchanged()), #require(stored.adding(1)), #require(moved.rows([1, 0]))] {
            let tensor = try other.tensor()
            #expect(tensor.storage.format == .f32)
            #expect(try Self.bits(tensor) == Self.bits(other.floats()))
        }
        let kept = ["Q8_0", "BF16", "F16"].flatMap { [$0, "numbers.\($0)"] }
        for tensor in try GGUFFile(Self.types).tensors where !kept.contains(tensor.name) {
            #expect(try tensor.tensor().storage.format == .f32, "\(tensor.name)")
        }
    }

    @Test("a scale that is not finite is an error with the names of file and tensor", arguments: ["ffn_up", "attn_q"])
    func notFinite(part: String) throws {
        try Self.file(of: "llama-mixed") { url in
            let entry = try #require(try GGUFFile(url).entries.first { $0.name == "blk.1.\(part).weight" })
            var content = try bytes(of: url)
            (content[entry.range.lowerBound], content[entry.range.lowerBound + 1]) = (0, 0x7E)
            try Data(content).write(to: url)
            let error = checkpointError { try LanguageModel.load(url) }
            let name = part == "ffn_up" ? "mlp.up_proj" : "self_attn.q_proj"
            let text = "\(url.path): tensor \"model.layers.1.\(name).weight\": has the scale nan for the elements from 0 to 31"
            #expect(error?.description.hasPrefix(text) == true, "\(error?.description ?? "")")
        }
    }

    // MARK: Models

    @Test("values, states, logits and texts", arguments: models, [false, true])
    func asked(name: String, isForeign: Bool) throws {
        try Self.file(of: name, isForeign: isForeign) { url in
            let (narrow, wide) = (try LanguageModel.load(url), try Self.wide(url))
            #expect(Self.blocks(narrow.decoder).count > 5)
            Self.expectBlocks(narrow.decoder)
            let store = try ModelFolder(url).weights()
            for parameter in narrow.decoder.parameters {
                let value = narrow.decoder.isStoredTransposed(parameter) ? parameter.value.transposed() : parameter.value
                #expect(try Self.bits(value) == Self.bits(store.floats(of: parameter.name)), "\(parameter.name)")
            }
            let kept = try LanguageModel.load(url, keepsPacking: true)
            #expect(Self.blocks(narrow.decoder).allSatisfy { $0.value.storage.narrow?.keepsPacking == false })
            #expect(Self.blocks(kept.decoder).allSatisfy { $0.value.storage.narrow?.keepsPacking == true })
            let batch = TokenBatch([[1, 5, 9, 40, 3, 3, 8, 20, 31, 2, 7, 11], [1, 4]])
            for precision in Compute.Precision.allCases {
                try Compute.$precision.withValue(precision) {
                    let logits = [wide, narrow, kept].map { $0.decoder.logits($0.decoder.hidden(batch, wanted: batch.rows)) }
                    #expect(logits[0].nonFiniteCount == 0)
                    for other in logits.dropFirst() { #expect(Self.bits(other) == Self.bits(logits[0]), "\(precision)") }
                    let texts = try [wide, narrow, kept].map {
                        try Generator($0.decoder, endOfSequence: nil).generate(
                            [GenerationRequest(prompt: [5, 6, 7], streams: [Philox(seed: 1)])],
                            options: SamplingOptions(maxNewTokens: 8))[0][0].tokens
                    }
                    #expect(texts[0] == texts[1] && texts[0] == texts[2], "\(precision)")
                }
            }
            #expect(
                Trunk.share(wide.decoder.copy(), with: narrow.decoder.copy(), atMost: 9).layers == wide.decoder.shape.layerCount)
            Self.expectBlocks(narrow.decoder)
        }
    }

    @Test("saving to Q8_0 writes the same blocks, and saving to other types what floats are saved as", arguments: models, [false, true])
    func saved(name: String, isForeign: Bool) throws {
        try Self.file(of: name, isForeign: isForeign) { url in
            let (narrow, wide) = (try LanguageModel.load(url), try Self.wide(url))
            let folder = url.deletingLastPathComponent()
            func save(_ model: LanguageModel, _ name: String, as type: LanguageModel.GGUFType) throws -> URL {
                let url = folder.appendingPathComponent("\(name)-\(type).gguf")
                try model.saveGGUF(to: url, tokens: Self.tokens, as: type)
                return url
            }
            let (before, again, rounded) = (try bytes(of: url), try save(narrow, "narrow", as: .q8_0), try save(wide, "wide", as: .q8_0))
            let places = Dictionary(uniqueKeysWithValues: try GGUFFile(again).entries.map { ($0.name, $0) })
            let (after, other) = (try bytes(of: again), try bytes(of: rounded))
            var differences = 0
            for entry in try GGUFFile(url).entries where entry.type == .q8_0 {
                let place = try #require(places[entry.name])
                #expect(place.shape == entry.shape && place.type == .q8_0)
                #expect(after[place.range] == before[entry.range], "\(entry.name)")
                if other[place.range] != before[entry.range] { differences += 1 }
            }
            // what this package has rounded is rounded to the same blocks again
            #expect(isForeign ? differences > 5 : differences == 0)
            for type in [LanguageModel.GGUFType.f32, .f16, .bf16] {
                #expect(try bytes(of: save(narrow, "narrow", as: type)) == bytes(of: save(wide, "wide", as: type)), "\(type)")
            }
            for type in [ElementType.float32, .bfloat16, .float16] {
                let files = try [narrow, wide].enumerated().map { index, model in
                    let target = folder.appendingPathComponent("\(index)-\(type.rawValue)")
                    try model.save(to: target, tokens: Self.tokens, as: type)
                    return try bytes(of: target.appendingPathComponent("model.safetensors"))
                }
                #expect(files[0] == files[1], "\(type)")
            }
            Self.expectBlocks(narrow.decoder)
        }
    }

    // MARK: Training

    private static func loss(_ decoder: any TransformerDecoder, on tape: Tape) -> Tensor {
        let batch = TokenBatch([[5, 6, 7, 8, 9, 10], [11, 12, 13]])
        return decoder.crossEntropy(
            decoder.hidden(batch, wanted: [0..<5, 6..<8], on: tape), targets: [6, 7, 8, 9, 10, 12, 13],
            rowWeights: [1, 1, 1, 1, 1, 0.5, 0.5], on: tape)
    }

    /// Trains two decoders by two steps and compares all their numbers.
    private static func train(_ decoders: [any TransformerDecoder], _ precision: Compute.Precision) throws {
        for step in 0..<2 {
            let losses = Compute.$precision.withValue(precision) {
                decoders.map { decoder in
                    let tape = Tape()
                    let loss = Self.loss(decoder, on: tape)
                    tape.backward(from: loss)
                    return loss.detached
                }
            }
            #expect(bits(losses[0]) == bits(losses[1]), "loss of step \(step), \(precision)")
            for (a, b) in zip(decoders[0].parameters, decoders[1].parameters) where a.isTrainable {
                let gradients = [try #require(a.gradient, "\(a.name)"), try #require(b.gradient, "\(a.name)")]
                #expect(bits(gradients[0]) == bits(gradients[1]), "gradient of \(a.name), step \(step), \(precision)")
                for (parameter, gradient) in zip([a, b], gradients) {
                    let numbers = gradient.values
                    parameter.value.update { for index in $0.indices { $0[index] -= 0.01 * numbers[index] } }
                    parameter.clearGradient()
                }
            }
        }
        for (a, b) in zip(decoders[0].parameters, decoders[1].parameters) { #expect(a.value.isIdentical(to: b.value), "\(a.name)") }
    }

    @Test("adapters on blocks have the gradients of those on floats", arguments: ["llama-mixed", "gptneox", "gpt2"], [false, true])
    func adapters(name: String, decomposes: Bool) throws {
        try Self.file(of: name) { url in
            for precision in Compute.Precision.allCases {
                let decoders = try [LanguageModel.load(url), Self.wide(url)].map { model in
                    let decoder = try model.decoder.adapted(
                        by: AdapterConfiguration(rank: 3, alpha: 5, decomposesWeights: decomposes), base: "/models/tiny",
                        using: Philox(seed: 7))
                    decoder.shakeAdapter()
                    Freezing(fraction: 0).apply(to: decoder)
                    return decoder
                }
                try Self.train(decoders, precision)
                let trained = Set((decoders[0].adapter?.parameters ?? []).map(\.name))
                #expect(!trained.isEmpty)
                for parameter in Self.blocks(decoders[0]) where !trained.contains(parameter.name) {
                    #expect(parameter.value.storage.format == .q8, "\(parameter.name)")
                }
                for (a, b) in zip(decoders[0].merged().parameters, decoders[1].merged().parameters) {
                    #expect(a.value.isIdentical(to: b.value), "merged \(a.name)")
                }
            }
        }
    }

    @Test("what is trained becomes floats, what is frozen stays in blocks", arguments: ["llama-mixed", "gptneox", "gpt2"], [0, 0.5])
    func trained(name: String, fraction: Double) throws {
        try Self.file(of: name) { url in
            for precision in Compute.Precision.allCases {
                let decoders = try [LanguageModel.load(url), Self.wide(url)].map(\.decoder)
                decoders.forEach { Freezing(fraction: fraction).apply(to: $0) }
                try Self.train(decoders, precision)
                for parameter in Self.blocks(decoders[0]) {
                    #expect(parameter.value.storage.format == (parameter.isTrainable ? .f32 : .q8), "\(parameter.name)")
                }
                #expect(Self.blocks(decoders[0]).contains { !$0.isTrainable } == (fraction > 0))
            }
        }
    }

    // MARK: Memory

    @Test("loading leaves no pages of the file in memory") func pages() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.gguf")
            let settings = LlamaConfiguration(
                vocabularySize: 32_768, hiddenSize: 128, intermediateSize: 32, layerCount: 1, heads: 2, keyHeads: 2, contextLength: 16,
                tiesEmbeddings: true)
            let random = RandomWeights(generator: Philox(seed: 1))
            try LanguageModel(decoder: Llama(settings, weights: random)).saveGGUF(to: url, tokens: Self.tokens, as: .q8_0)
            let model = try LanguageModel.load(url)
            guard let resident = residentBytes(ofFile: url) else { return }
            #expect(resident < 512 << 10, "loading")
            let embedding = model.decoder.embeddingParameters[0]
            _ = embedding.value.sumOfSquares()
            #expect((residentBytes(ofFile: url) ?? 0) > 2 << 20, "pages in use are counted")
            embedding.value.update { $0[0] = 1 }
            #expect((residentBytes(ofFile: url) ?? 0) < 512 << 10, "training")
        }
    }

    /// In a process of its own, because others allocate, too: only rows in another order are copied.
    @Test("loading takes less memory than the file") func memory() async {
        await #expect(processExitsWith: .success) {
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("model.gguf")
                let settings = LlamaConfiguration(
                    vocabularySize: 8192, hiddenSize: 256, intermediateSize: 512, layerCount: 1, heads: 4, keyHeads: 4, contextLength: 16,
                    tiesEmbeddings: false)
                let random = RandomWeights(generator: Philox(seed: 1))
                let tokens = SpecialTokens(begin: 1, end: 2, padding: 0)
                try LanguageModel(decoder: Llama(settings, weights: random)).saveGGUF(to: url, tokens: tokens, as: .q8_0)
                let size = try bytes(of: url).count
                var models: [LanguageModel] = []
                let loading = try Allocator.shared.peakBytes { models.append(try LanguageModel.load(url)) }
                // queries and keys, 2 · 256 · 256 numbers
                precondition(loading < 200_000 && size > 5_000_000, "loading took \(loading) bytes of \(size)")
                let saving = try Allocator.shared.peakBytes {
                    try models[0].save(to: folder.appendingPathComponent("saved"), as: .bfloat16)
                }
                // an embedding has 8 MiB as floats
                precondition(saving < 2 << 20, "saving took \(saving) bytes")
            }
        }
    }
}
