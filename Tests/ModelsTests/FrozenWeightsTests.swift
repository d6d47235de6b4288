import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Frozen weights in narrower formats: what is held, how often, and with which numbers.
@Suite struct FrozenWeightsTests {
    private static let narrow: [FrozenFormat] = [.bf16, .int8]

    private func numberFormat(_ format: FrozenFormat) -> NumberFormat { format == .int8 ? .q8 : .bf16 }

    private func withModel(_ type: ElementType, tied: Bool = false, _ body: (LanguageModel, URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try FrozenModels.save(type, to: start, tied: tied)
            try body(FrozenModels.load(start), start)
        }
    }

    /// The sizes of the distinct memories of the matrices that may be held.
    private func bytes(_ models: [any TransformerDecoder]) -> Int {
        var seen: Set<ObjectIdentifier> = []
        return models.flatMap(\.parameters).filter(FrozenModels.isHeld).filter { seen.insert(ObjectIdentifier($0.value.storage)).inserted }
            .reduce(0) { $0 + $1.value.storage.format.byteCount(of: $1.value.count) }
    }

    @Test("policy, reference and reward model share each matrix", arguments: [ElementType.float32, .bfloat16], narrow)
    func shared(type: ElementType, format: FrozenFormat) throws {
        try withModel(type) { model, folder in
            let policy = model.decoder
            let reference = FrozenModels.reference(of: policy)
            let judge = try LanguageModel.load(folder).decoder
            judge.parameters.forEach { $0.isTrainable = false }
            #expect(policy.frozenTrunk == 2 && Trunk.share(policy, with: judge, atMost: policy.frozenTrunk).layers == 2)
            let models = [policy, reference, judge]
            let values = models.map { $0.parameters.map(\.value) }
            let sizes = bytes(models)
            var steps: [Int] = []
            let held = try FrozenWeights.hold(models, as: format) { done, total in
                steps.append(done)
                #expect(done <= total)
            }
            #expect(held.before == sizes && held.after == bytes(models))
            #expect(steps == Array(1...steps.count))
            let isStored = type == .bfloat16 && format == .bf16
            #expect(isStored ? held.after == held.before : held.after < held.before)
            for (model, values) in zip(models, values) {
                for (parameter, value) in zip(model.parameters, values) {
                    guard FrozenModels.isHeld(parameter), !isStored else {
                        #expect(parameter.value.sharesMemory(with: value), "\(parameter.name) is not held")
                        continue
                    }
                    #expect(parameter.value.storage.format == numberFormat(format) && parameter.value.shape == value.shape)
                    #expect(parameter.value.unrounded.isIdentical(to: value), "\(parameter.name)")
                    // half a step of 8 bits, and the rounding of the scale to 11 bits
                    let largest = Double(value.values.map(abs).max() ?? 0)
                    expectClose(
                        parameter.value, value, relative: 0, absolute: largest * (1.0 / 254 + 1.0 / 2048) + 1e-6, label: parameter.name)
                }
            }
            for (index, parameter) in policy.parameters.enumerated() {
                let others = [reference.parameters[index], judge.parameters[index]]
                #expect(others.allSatisfy { $0.name == parameter.name })
                for other in others where !parameter.isTrainable {
                    #expect(other.value.sharesMemory(with: parameter.value), "\(parameter.name)")
                }
                // the reference's upper layers had the policy's memory
                guard parameter.isTrainable, FrozenModels.isHeld(others[0]), !isStored else { continue }
                #expect(others.allSatisfy { $0.value.storage.format == numberFormat(format) })
            }
        }
    }

    @Test("nothing is rounded in f32") func asStored() throws {
        try withModel(.bfloat16) { model, _ in
            let reference = FrozenModels.reference(of: model.decoder)
            let values = reference.parameters.map(\.value)
            let held = try FrozenWeights.hold([model.decoder, reference], as: .f32)
            #expect(held.before == bytes([reference]) && held.after == held.before)
            #expect(zip(reference.parameters, values).allSatisfy { $0.value.sharesMemory(with: $1) })
        }
    }

    @Test("holding again changes nothing, with a file and without", arguments: narrow)
    func again(format: FrozenFormat) throws {
        func check(_ decoder: any TransformerDecoder) throws {
            let first = try FrozenWeights.hold([decoder], as: format)
            let values = decoder.parameters.map(\.value)
            let second = try FrozenWeights.hold([decoder], as: format)
            #expect(first.after < first.before && second.before == first.after && second.after == first.after)
            #expect(zip(decoder.parameters, values).allSatisfy { $0.value.sharesMemory(with: $1) })
            // rounding the rounded numbers, as a resumed run does without the file, gives the same numbers
            let resumed = decoder.copy()
            for parameter in resumed.parameters { parameter.value = parameter.value.widened() }
            try FrozenWeights.hold([resumed], as: format)
            for (a, b) in zip(decoder.parameters, resumed.parameters) {
                #expect(a.value.isIdentical(to: b.value) && a.value.storage.format == b.value.storage.format, "\(a.name)")
            }
        }
        try withModel(.float32) { model, _ in try check(model.decoder) }
        try check(FrozenModels.reference(of: TinyModel.llama()))
    }

    /// 8 bits are rounded from the file's numbers, not from those that are rounded to bfloat16.
    @Test func oneFormatAfterTheOther() throws {
        try withModel(.float32) { model, _ in
            let (once, twice) = (FrozenModels.reference(of: model.decoder), FrozenModels.reference(of: model.decoder))
            try FrozenWeights.hold([once], as: .int8)
            try FrozenWeights.hold([twice], as: .bf16)
            try FrozenWeights.hold([twice], as: .int8)
            for (a, b) in zip(once.parameters, twice.parameters) { #expect(a.value.isIdentical(to: b.value), "\(a.name)") }
            // and what is narrower stays
            let values = twice.parameters.map(\.value)
            try FrozenWeights.hold([twice], as: .bf16)
            #expect(zip(twice.parameters, values).allSatisfy { $0.value.sharesMemory(with: $1) })
        }
    }

    /// A rounding error is at most 2⁻⁹ of a weight in bfloat16 and 1/254 of the largest of 32 weights in 8 bits, here about half a percent
    /// of their standard deviation; three layers add those of some twenty products.
    @Test("logits are close to those of the weights as stored", arguments: [false, true])
    func logits(tied: Bool) throws {
        try withModel(.float32, tied: tied) { model, _ in
            let exact = FrozenModels.logits(model.decoder)
            for (format, bound) in [(FrozenFormat.bf16, 0.03), (.int8, 0.1)] {
                let held = FrozenModels.reference(of: model.decoder)
                try FrozenWeights.hold([held], as: format)
                let logits = FrozenModels.logits(held)
                expectSmallError(logits, exact, bound, "\(format)")
                #expect(!logits.isIdentical(to: exact))
                // as those of the same rounded numbers in 32-bit floats
                let wide = held.copy()
                for parameter in wide.parameters { parameter.value = parameter.value.widened() }
                #expect(FrozenModels.logits(wide).isIdentical(to: logits), "\(format)")
            }
        }
    }

    @Test("position embeddings and adapters stay as they are", arguments: narrow)
    func left(format: FrozenFormat) throws {
        let gpt2 = FrozenModels.reference(of: try TinyModel.Kind.gpt2.make())
        try FrozenWeights.hold([gpt2], as: format)
        #expect(gpt2.positionParameter?.value.storage.format == .f32 && gpt2.projection.value.storage.format == numberFormat(format))
        try withModel(.float32) { model, _ in
            let adapted = try model.decoder.adapted(by: AdapterConfiguration(rank: 16), base: "base", using: Philox(seed: 1))
            adapted.shakeAdapter()
            adapted.parameters.forEach { $0.isTrainable = false }
            try FrozenWeights.hold([adapted], as: format)
            let adapter = try #require(adapted.adapter).parameters
            #expect(adapter.contains(where: FrozenModels.isHeld) && adapter.allSatisfy { $0.value.storage.format == .f32 })
            let names = Set(adapter.map(\.name))
            for parameter in adapted.parameters where FrozenModels.isHeld(parameter) && !names.contains(parameter.name) {
                #expect(parameter.value.storage.format == numberFormat(format), "\(parameter.name)")
            }
        }
    }

    @Test("a weight that is too large for a format is named", arguments: narrow)
    func tooLarge(format: FrozenFormat) throws {
        let decoder = try TinyModel.llama()
        let weight = try #require(decoder.parameters(ofLayer: 1).first(where: { $0.name.hasSuffix("o_proj.weight") }))
        weight.value.update { $0[40] = 3.4e38 }
        let error = #expect(throws: ModelError.self) {
            try FrozenWeights.hold([FrozenModels.reference(of: decoder)], as: format)
        }
        let text = error?.description ?? ""
        #expect(text.contains(weight.name) && text.contains("index \(format == .int8 ? 32 : 40)") && !text.contains("\n"), "\(text)")
    }

    /// Products round weights to bfloat16 anyway, and keep that copy.
    @Test("in bf16 precision only embeddings of files are held in bf16", arguments: [false, true])
    func bfloat16Precision(tied: Bool) throws {
        try withModel(.float32, tied: tied) { model, _ in
            let (held, all) = (FrozenModels.reference(of: model.decoder), FrozenModels.reference(of: model.decoder))
            try FrozenWeights.hold([all], as: .bf16)
            try Compute.$precision.withValue(.bf16) {
                let bytes = try FrozenWeights.hold([held], as: .bf16)
                let embedding = held.embeddingParameters[0]
                #expect(bytes.before - bytes.after == 2 * embedding.value.count)
                for parameter in held.parameters {
                    #expect(parameter.value.storage.format == (parameter === embedding ? .bf16 : .f32), "\(parameter.name)")
                }
                #expect(FrozenModels.logits(held).isIdentical(to: FrozenModels.logits(all)))
                // what lies in no file takes memory
                let own = FrozenModels.reference(of: try TinyModel.llama())
                try FrozenWeights.hold([own], as: .bf16)
                #expect(own.projection.value.storage.format == .bf16)
            }
        }
    }
}
