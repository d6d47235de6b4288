import Data
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The memory of weights: allocated, mapped and packed, as stored and in other formats.
@Suite struct WeightMemoryTests {
    /// The storages of some models, each once.
    private func storages(_ models: [any TransformerDecoder]) -> [Storage] {
        var seen: Set<ObjectIdentifier> = []
        return models.flatMap { $0.parameters.map(\.value.storage) }.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// The bytes of parameters with a number of bytes per element.
    private func bytes(_ parameters: [Parameter], of width: Int = 4) -> Int { parameters.reduce(0) { $0 + width * $1.value.count } }

    private func freeze(_ model: any TransformerDecoder) { model.parameters.forEach { $0.isTrainable = false } }

    /// A model whose weights are in a file.
    private func stored(in folder: TemporaryFolder, narrow: Bool = false) throws -> any TransformerDecoder {
        try LanguageModel(decoder: TinyModel.llama()).save(to: folder["model"], as: narrow ? .bfloat16 : .float32)
        let model = try LanguageModel.load(folder["model"]).decoder
        freeze(model)
        return model
    }

    @Test("the packed copies of bf16 runs are those that a step makes", arguments: ["llama", "opt", "gpt2"])
    func packed(family: String) throws {
        try Compute.$precision.withValue(.bf16) {
            let model = try TinyModel.make(family)
            Freezing(fraction: 0.4).apply(to: model)
            let before = WeightMemory(of: [model])
            #expect(before.unpacked() > 0 && before.unpacked() == before.bytes().packed && before.unpacked(.f32) == 0)
            let tape = Tape()
            tape.backward(from: SFTLoss.loss(model, ToyData.examples(6), weight: 1, on: tape))
            model.parameters.forEach { $0.clearGradient() }
            let made = storages([model]).reduce(0) { $0 + $1.packedByteCount }
            #expect(before.unpacked() == made, "\(family)")
            let after = WeightMemory(of: [model])
            #expect(after.unpacked() == 0 && after.bytes().packed == made)
            // a reference that starts with the same weights packs its own copies when the policy has changed them
            let reference = model.copy()
            freeze(reference)
            let trained = model.parameters.filter { $0.isTrainable && $0.value.shape.rank == 2 }
            let more = trained.reduce(0) { sum, parameter in
                let (outputs, inputs) = (parameter.value.shape[0], parameter.value.shape[1])
                return sum
                    + [ProductQuestion.Kind.forward, .inputGradient].reduce(0) {
                        $0 + PackedWeight.keptBytes($1, outputs: outputs, inputs: inputs, precision: .bf16)
                    }
            }
            #expect(WeightMemory(of: [model, reference]).unpacked() == more)
        }
    }

    @Test("copies that are given up are not made, and gradients and steps have the same bits", arguments: PackedCopies.allCases)
    func givenUp(packing: PackedCopies) throws {
        try Compute.$precision.withValue(.bf16) {
            let (model, other) = (try TinyModel.llama(), try TinyModel.llama())
            for model in [model, other] { Freezing(fraction: 0.4).apply(to: model) }
            let before = WeightMemory(of: [model])
            // the frozen weights are in memory, so that all copies can be given up
            let sizes = PackedCopies.allCases.map { before.bytes(packing: $0) }
            #expect(sizes[0].packed > sizes[1].packed && sizes[1].packed > 0 && sizes[2].packed == 0)
            #expect(sizes.allSatisfy { $0.allocated == sizes[0].allocated && $0.mapped == 0 })
            #expect(before.unpacked(packing: packing) == before.bytes(packing: packing).packed)
            func step(_ model: any TransformerDecoder) throws {
                let adam = Adam(model.parameters, config: AdamConfig())
                for _ in 0..<2 {
                    let tape = Tape()
                    tape.backward(from: SFTLoss.loss(model, ToyData.examples(6), weight: 1, on: tape))
                    #expect(storages([model]).reduce(0) { $0 + $1.packedByteCount } > 0 || packing == .none)
                    try adam.step(learningRate: 0.01)
                    adam.clearGradients()
                }
                let tape = Tape()
                tape.backward(from: SFTLoss.loss(model, ToyData.examples(6), weight: 1, on: tape))
            }
            try step(other)
            // copies that exist are freed
            let tape = Tape()
            tape.backward(from: SFTLoss.loss(model, ToyData.examples(6), weight: 1, on: tape))
            model.parameters.forEach { $0.clearGradient() }
            before.apply(packing, to: [model])
            let expected = before.bytes(packing: packing)
            #expect(storages([model]).reduce(0) { $0 + $1.packedByteCount } == expected.packed)
            #expect(WeightMemory(of: [model]).bytes() == expected)
            try step(model)
            #expect(storages([model]).reduce(0) { $0 + $1.packedByteCount } == expected.packed)
            #expect(WeightMemory(of: [model]).bytes() == expected)
            for (a, b) in zip(model.parameters, other.parameters) {
                #expect(a.value.isIdentical(to: b.value), "\(a.name)")
                #expect((a.gradient == nil) == (b.gradient == nil) && a.gradient?.values == b.gradient?.values, "\(a.name)")
            }
        }
    }

    @Test("copies that take no more than the pages of the file that they replace are kept")
    func givenUpInFiles() throws {
        let folder = try TemporaryFolder()
        let model = try stored(in: folder)
        // nothing is trained, so there is one copy of 2 bytes for 4 bytes of the file
        let memory = WeightMemory(of: [model])
        let kept = memory.bytes(.f32, .bf16)
        #expect(kept.packed > 0)
        for packing in PackedCopies.allCases { #expect(memory.bytes(.f32, .bf16, packing: packing) == kept) }
        memory.apply(.none, to: [model])
        #expect(storages([model]).allSatisfy { !$0.packsInPassing })
        // a reference reads the pages of weights that it shares with a policy, whose copies are given up
        let policy = model.copy()
        Freezing(fraction: 0.4).apply(to: policy)
        let both = WeightMemory(of: [policy, model])
        let (all, fewer) = (both.bytes(.f32, .bf16), both.bytes(.f32, .bf16, packing: .frozen))
        #expect(fewer.packed < all.packed && fewer.mapped > all.mapped && fewer.total < all.total)
        both.apply(.frozen, to: [policy, model])
        #expect(WeightMemory(of: [policy, model]).bytes(.f32, .bf16) == fewer)
    }

    @Test("weights in files count where they are read again and again")
    func mapped() throws {
        let folder = try TemporaryFolder()
        let model = try stored(in: folder)
        let all = bytes(model.parameters)
        #expect(WeightMemory(of: [model]).bytes(.f32, .f32).mapped == all)
        #expect(WeightMemory(of: [model]).bytes(.f32, .f32).allocated == 0)
        // packed copies serve all products; embeddings, vectors and short sides are read from the file
        let read = model.parameters.filter { parameter in
            let isShort = parameter.value.shape.rank != 2 || parameter.value.shape.dimensions.contains { $0 < 16 }
            return isShort || model.embeddingParameters.contains { $0 === parameter }
        }
        #expect(WeightMemory(of: [model]).bytes(.f32, .bf16).mapped == bytes(read))
        // a second model in another place counts, until both share one
        let again = try LanguageModel.load(folder["model"]).decoder
        freeze(again)
        #expect(WeightMemory(of: [model, again]).bytes(.f32, .f32).mapped == 2 * all)
        _ = Trunk.share(model, with: again, atMost: 3)
        let own = bytes(again.finalParameters)
        #expect(WeightMemory(of: [model, again]).bytes(.f32, .f32).mapped == all + own)
        // a reward model does not use its output projection
        let head = 4 * model.projection.value.count
        #expect(WeightMemory(of: [], scorers: [model]).bytes(.f32, .f32).mapped == all - head)
        // what is trained is copied into memory by the first step
        Freezing(fraction: 0.4).apply(to: model)
        let frozen = bytes(model.parameters.filter { !$0.isTrainable })
        #expect(frozen < all && WeightMemory(of: [model]).bytes(.f32, .f32).mapped == frozen)
    }

    @Test("matrices in bfloat16 count 2 bytes per number")
    func bfloat16() throws {
        let folder = try TemporaryFolder()
        let model = try stored(in: folder, narrow: true)
        let matrices = bytes(model.parameters.filter { $0.value.shape.rank == 2 }, of: 2)
        #expect(WeightMemory(of: [model]).bytes(.f32, .f32).mapped == matrices)
    }

    @Test("weights that a step copies because a reference shares them")
    func copied() throws {
        let model = try TinyModel.llama()
        Freezing(fraction: 0.4).apply(to: model)
        #expect(WeightMemory(of: [model]).copied == 0)
        let reference = model.copy()
        freeze(reference)
        let trained = model.parameters.filter(\.isTrainable).reduce(0) { $0 + Allocator.capacity(for: 4 * $1.value.count) }
        #expect(trained > 0 && WeightMemory(of: [model, reference]).copied == trained)
    }

    @Test(
        "what another format would take is what it takes",
        arguments: [(FrozenFormat.int8, Compute.Precision.f32), (.int8, .bf16), (.bf16, .f32)])
    func held(format: FrozenFormat, precision: Compute.Precision) throws {
        let folder = try TemporaryFolder()
        for isMapped in [false, true] {
            let model: any TransformerDecoder = isMapped ? try stored(in: folder) : try TinyModel.llama()
            Freezing(fraction: 0.4).apply(to: model)
            let reference = model.copy()
            freeze(reference)
            let before = WeightMemory(of: [model, reference])
            let (expected, frozen) = (before.bytes(format, precision), before.frozen(format, precision))
            #expect(expected.total < before.bytes(.f32, precision).total && frozen < before.frozen(.f32, precision))
            try FrozenWeights.hold([model, reference], as: format)
            let after = WeightMemory(of: [model, reference])
            #expect(after.bytes(.f32, precision) == expected, "\(format), \(precision)")
            #expect(after.frozen(.f32, precision) == frozen && after.bytes(format, precision) == expected)
        }
        // parameters that stay as stored, and vectors, have nothing to save
        let model = try TinyModel.llama()
        freeze(model)
        #expect(WeightMemory(of: [model], asStored: model.parameters).frozen(format, precision) == 0)
    }
}
