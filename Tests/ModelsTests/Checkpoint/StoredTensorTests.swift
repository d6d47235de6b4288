import Formats
import Foundation
import Models
import ShortFloats
import Tensor
import Testing
import _TestSupport

struct StoredTensorTests {
    @Test func becomesATensor() throws {
        for name in ["f32", "f16", "bf16", "f64", "scalar", "empty"] {
            let stored = try SafetensorsFile(Fixtures.url("checkpoints/types.safetensors")).tensor(name)
            let tensor = try stored.tensor()
            #expect(tensor.shape.dimensions == stored.shape)
            #expect(try tensor.values == stored.floats())
        }
        let turned = try WeightStore(file: Fixtures.url("checkpoints/views.bin")).tensor("transposed")
        #expect(try turned.tensor().values == turned.floats())
    }

    @Test func becomesAParameter() throws {
        let url = Fixtures.url("models/gpt2")
        let store = try WeightStore(folder: url)
        let parameter = try store.parameter("transformer.wte.weight", [48, 16], fresh: .normal)
        #expect(parameter.name == "transformer.wte.weight" && parameter.isTrainable)
        #expect(try parameter.value.values == store.floats(of: parameter.name))
        let file = url.appendingPathComponent("model.safetensors").path
        #expect(
            checkpointError { try store.parameter("w", [1], fresh: .zeros) } == .missingTensor(name: "w", file: file))
        #expect(
            checkpointError { try store.parameter(parameter.name, [16, 48], fresh: .ones) }
                == .wrongShape(name: parameter.name, got: [48, 16], expected: [16, 48]))
    }

    @Test func floatsStayInTheFileUntilTheyAreChanged() throws {
        let values = (0..<5_000).map { Float($0) - 0.5 }
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("t.safetensors")
            try SafetensorsWriter().write([WritableTensor("a", Tensor(values, shape: [5_000]))], toFile: file)
            var tensor = try SafetensorsFile(file).tensor("a").tensor()
            #expect(tensor.storage.isView)
            // what was given back to the system is there again
            tensor.storage.forget()
            #expect(tensor.values == values)
            let copy = tensor
            tensor.update { $0[4_999] = 7 }
            #expect(!tensor.storage.isView && tensor.values == values.dropLast() + [7])
            #expect(copy.storage.isView && copy.values == values)
            #expect(try SafetensorsFile(file).tensor("a").floats() == values)
            // an update of the only tensor of a view copies, too: the file is never written to
            var alone = try SafetensorsFile(file).tensor("a").tensor()
            alone.update { $0[0] = 7 }
            #expect(try SafetensorsFile(file).tensor("a").floats() == values)
        }
    }

    @Test func writesTensorsAndParameters() throws {
        let values: [Float] = [1, -2.5, 3.14159, 0, 65504, 1e-3]
        let tensor = Tensor(values, shape: [2, 3])
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("t.safetensors")
            try SafetensorsWriter().write(
                [
                    WritableTensor("a", tensor), WritableTensor("b", tensor, as: .bfloat16),
                    WritableTensor(Parameter("c", tensor), as: .float16), WritableTensor("s", Tensor(7)),
                ], toFile: file)
            let stored = try SafetensorsFile(file)
            #expect(try stored.tensor("a").tensor().isIdentical(to: tensor))
            #expect(try stored.tensor("b").bfloat16Bits() == values.map { FloatConversion.narrowToBFloat16($0) })
            #expect(try stored.tensor("c").shape == [2, 3])
            #expect(try stored.tensor("s").shape == [] && stored.floats(of: "s") == [7])
        }
    }

    @Test func mapsWhatLiesInOrderAndAligned() throws {
        let storage = try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("t.safetensors")
            let values: [Float] = [1, 2, 3, 4]
            try SafetensorsWriter().write(
                [WritableTensor("b", shape: [4], as: .bfloat16, values: values)], toFile: file)
            return try #require(try SafetensorsFile(file).tensor("b").mappedStorage())
        }
        // The file is gone from its folder; the mapping is not.
        let bits = UnsafeRawBufferPointer(start: storage.pointer, count: storage.byteCount)
        #expect(Array(bits) == [0x80, 0x3F, 0, 0x40, 0x40, 0x40, 0x80, 0x40])
        let views = try WeightStore(file: Fixtures.url("checkpoints/views.bin"))
        #expect(try views.tensor("transposed").mappedStorage() == nil)
        #expect(try views.tensor("empty").mappedStorage() == nil)
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
        try opening(safetensors(header: header, data: [0, 0, 0, 0x80, 0x3F]), as: "odd.safetensors") { url in
            let odd = try SafetensorsFile(url).tensor("w")
            #expect(odd.mappedStorage() == nil)
            #expect(try odd.floats() == [1])
        }
    }
}
