import Tensor
import Testing
import _TestSupport

/// Where the bytes of a weight are: in a mapped file, in memory, and in the packed copies that products keep.
@Suite struct WeightBytesTests {
    /// Memory that could be read again.
    private final class File: ReadableAgain {
        let block: Storage
        init(byteCount: Int) {
            block = Storage(byteCount: byteCount)
            block.withFloats { $0.update(repeating: 0, count: byteCount / 4) }
        }
        func forget(_ pointer: UnsafeRawPointer, byteCount: Int) {}
    }

    @Test("only what another owner can read again is mapped")
    func mapped() throws {
        let file = File(byteCount: 4 * 640)
        #expect(Storage(byteCount: 64).mappedByteCount == 0)
        #expect(Storage(viewing: file.block.pointer, byteCount: 4 * 640, owner: file).mappedByteCount == 4 * 640)
        #expect(Storage(viewing: file.block.pointer, byteCount: 4 * 640, owner: file.block).mappedByteCount == 0)
        #expect(Storage(NarrowElements(.bf16, file.block.pointer, count: 640, owner: file)).mappedByteCount == 2 * 640)
        #expect(Storage(NarrowElements(.q8, file.block.pointer, count: 640, owner: file)).mappedByteCount == 20 * 34)
        #expect(Storage(try NarrowElements.rounding(file.block, count: 640, to: .bf16)).mappedByteCount == 0)
    }

    @Test("the bytes of packed copies are known before they are made")
    func packed() throws {
        for (outputs, inputs) in [(16, 16), (70, 33), (15, 64), (64, 15), (130, 48)] {
            let weight = Tensor.filled(0.5, [outputs, inputs])
            let x = Tensor.filled(1, [3, inputs])
            func kept(_ kind: ProductQuestion.Kind, keepsPacking: Bool = true, _ precision: Compute.Precision) -> Int {
                PackedWeight.keptBytes(kind, outputs: outputs, inputs: inputs, keepsPacking: keepsPacking, precision: precision)
            }
            #expect(weight.storage.packedByteCount == 0)
            _ = Compute.$precision.withValue(.f32) { x.linear(weight) }
            #expect(weight.storage.packedByteCount == 0 && kept(.forward, .f32) == 0)
            _ = Compute.$precision.withValue(.bf16) { x.linear(weight) }
            #expect(weight.storage.packedByteCount == kept(.forward, .bf16), "\(outputs) x \(inputs)")
            #expect((kept(.forward, .bf16) > 0) == (min(outputs, inputs) >= 16))
            Compute.$precision.withValue(.bf16) {
                let tape = Tape()
                let variable = tape.variable(x)
                tape.backward(from: [(variable.linear(weight), .filled(1, [3, outputs]))], variables: [variable])
            }
            #expect(weight.storage.packedByteCount == kept(.forward, .bf16) + kept(.inputGradient, .bf16), "\(outputs) x \(inputs)")
            #expect(kept(.forward, keepsPacking: false, .bf16) == 0)
        }
    }
}
