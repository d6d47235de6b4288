import Formats
import Foundation
import Models
import Tensor
import Testing
import _TestSupport

/// Trained weights that are held in bfloat16: which they are, and what is saved of them.
@Suite struct MasterWeightsFilesTests {
    private func isHeld(_ parameter: Parameter) -> Bool {
        let shape = parameter.value.shape.dimensions
        return parameter.isTrainable && shape.count == 2 && shape.allSatisfy { $0 >= 16 }
    }

    @Test("trained matrices are rounded to the nearest number; a checkpoint has them exactly", arguments: [ElementType.float32, .bfloat16])
    func saved(type: ElementType) throws {
        try withTemporaryFolder { folder in
            let start = folder.appendingPathComponent("start")
            try FrozenModels.save(type, to: start)
            let model = try FrozenModels.load(start)
            let (decoder, before) = (model.decoder, try FrozenModels.load(start).decoder)
            try MasterWeights.hold(decoder, as: .bf16)
            #expect(decoder.parameters.contains(where: isHeld))
            for (own, stored) in zip(decoder.parameters, before.parameters) {
                #expect((own.masterFormat == .bf16) == isHeld(own), "\(own.name)")
                guard isHeld(own) else {
                    #expect(own.value.isIdentical(to: stored.value))
                    continue
                }
                // without an original, from which it would be saved when it has changed
                #expect(own.value.storage.format == .bf16 && own.value.storage.narrow?.original == nil)
                #expect(!own.value.storage.isReadableAgain && own.value.storage.narrow?.keepsPacking == false)
                let nearest = try NarrowElements.rounding(stored.value.storage, count: stored.value.count, to: .bf16)
                #expect(own.value.isIdentical(to: Tensor(shape: own.value.shape, narrow: nearest)))
            }
            // as a step of an optimiser leaves them
            for parameter in decoder.parameters where isHeld(parameter) {
                let changed = parameter.value.widened().scaled(by: 1.37)
                parameter.value = Tensor(
                    shape: changed.shape, narrow: .roundingStochastically(changed, with: Philox(seed: 2).split(parameter.name)))
            }
            let checkpoint = folder.appendingPathComponent("checkpoint")
            try model.save(to: checkpoint, keepingFrozen: true)
            let size = try FileStatus.of(checkpoint.appendingPathComponent("model.safetensors"))?.length ?? 0
            let bytes = model.savedBytes(as: .float32, keepingFrozen: true)
            #expect(Int(size) >= bytes && Int(size) < bytes + 20_000)
            #expect(bytes < model.savedBytes(as: .float32))
            let resumed = try FrozenModels.load(checkpoint)
            try MasterWeights.hold(resumed.decoder, as: .bf16)
            for (a, b) in zip(decoder.parameters, resumed.decoder.parameters) {
                #expect(a.value.isIdentical(to: b.value) && a.masterFormat == b.masterFormat, "\(a.name)")
            }
        }
    }

    @Test("a reference is rounded in the same way, and adapters stay floats")
    func others() throws {
        try withTemporaryFolder { folder in
            try FrozenModels.save(.float32, to: folder.appendingPathComponent("start"))
            let policy = try FrozenModels.load(folder.appendingPathComponent("start")).decoder
            let reference = FrozenModels.reference(of: policy)
            try MasterWeights.hold(policy, others: reference.parameters, as: .bf16)
            for (own, other) in zip(policy.parameters, reference.parameters) where isHeld(own) {
                #expect(own.value.isIdentical(to: other.value) && other.masterFormat == .f32)
            }
            let adapted = try reference.adapted(
                by: AdapterConfiguration(rank: 16), base: "base", using: Philox(seed: 1))
            Freezing().apply(to: adapted)
            #expect(try MasterWeights.hold(adapted, as: .bf16) == (0, 0))
            #expect(adapted.parameters.allSatisfy { $0.masterFormat == .f32 })
        }
    }

    @Test("a weight that is too large is named")
    func tooLarge() throws {
        let model = try TinyModel.llama()
        let parameter = try #require(model.parameters.last(where: isHeld))
        parameter.value.update { $0[5] = .greatestFiniteMagnitude }
        let error = #expect(throws: ModelError.self) { try MasterWeights.hold(model, as: .bf16) }
        #expect(error?.description.hasPrefix("the trained weight \(parameter.name): ") == true)
        #expect(error?.description.contains("--master-dtype f32") == true)
        #expect(try MasterWeights.hold(model, as: .f32) == (0, 0))
    }
}
