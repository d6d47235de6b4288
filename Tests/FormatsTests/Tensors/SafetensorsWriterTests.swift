import Formats
import Foundation
import ShortFloats
import Testing
import _TestSupport

struct SafetensorsWriterTests {
    /// Reading what the safetensors library wrote and writing it again gives its bytes, so it reads what we write.
    @Test(arguments: [
        "checkpoints/types.safetensors", "models/gpt2/model.safetensors", "models/gpt2/expected.safetensors",
    ])
    func writesTheBytesOfTheLibrary(_ path: String) throws {
        let original = try SafetensorsFile(Fixtures.url(path))
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("again.safetensors")
            let tensors = original.tensors.shuffled(seed: 3).map { WritableTensor($0) }
            try SafetensorsWriter().write(tensors, toFile: file)
            #expect(try bytes(of: file) == bytes(of: Fixtures.url(path)))
        }
    }

    @Test func writesMetadata() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("m.safetensors")
            let metadata = ["format": "pt", "step": "3", "note": "\"ü\"\n"]
            try SafetensorsWriter(metadata: metadata).write([], toFile: file)
            #expect(try SafetensorsFile(file).metadata == metadata)
            try SafetensorsWriter(metadata: [:]).write([], toFile: file)
            #expect(try bytes(of: file) == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
        }
    }

    @Test func roundsToShortTypes() throws {
        let values: [Float] = (0..<200_000).map { Float($0) * 0.3 - 3000 }
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("short.safetensors")
            try SafetensorsWriter().write(
                [
                    WritableTensor("b", shape: [400, 500], as: .bfloat16, values: values),
                    WritableTensor("h", shape: [200_000], as: .float16) { values },
                    WritableTensor("f", shape: [1, 200_000], values: values),
                ], toFile: file)
            let stored = try SafetensorsFile(file)
            #expect(try stored.floats(of: "f") == values)
            #expect(try stored.tensor("b").bfloat16Bits() == values.map { FloatConversion.narrowToBFloat16($0) })
            #expect(
                try stored.floats(of: "h")
                    == values.map { FloatConversion.widenFloat16(FloatConversion.narrowToFloat16($0)) })
            #expect(try stored.tensor("b").shape == [400, 500])
        }
    }

    /// Elements in several parts have the bytes of elements in one, and the index of one that does not fit counts from the first.
    @Test(arguments: [ElementType.float32, .bfloat16, .float16]) func writesParts(type: ElementType) throws {
        func tensor(_ values: [Float], parts: [Int]) -> WritableTensor {
            WritableTensor("t", shape: [values.count], as: type) { (body: (UnsafeBufferPointer<Float>) throws -> Void) in
                var first = 0
                for count in parts {
                    try Array(values[first..<first + count]).withUnsafeBufferPointer(body)
                    first += count
                }
            }
        }
        var values = (0..<300).map { Float($0) * 0.37 - 50 }
        try withTemporaryFolder { folder in
            let files = ["whole", "parts"].map { folder.appendingPathComponent($0) }
            try SafetensorsWriter().write([tensor(values, parts: [300])], toFile: files[0])
            try SafetensorsWriter().write([tensor(values, parts: [1, 100, 0, 199])], toFile: files[1])
            #expect(try bytes(of: files[0]) == bytes(of: files[1]))
            #expect(
                checkpointError { try SafetensorsWriter().write([tensor(values, parts: [100, 199])], toFile: files[0]) }
                    == .wrongSize(
                        file: files[0].path, name: "t", shape: [300], type: type.rawValue, need: 300 * type.width, have: 299 * type.width))
            values[150] = 3.4e38
            guard type != .float32 else { return }
            #expect(
                checkpointError { try SafetensorsWriter().write([tensor(values, parts: [100, 200])], toFile: files[0]) }
                    == .notRepresentable(name: "t", index: 150, value: values[150].description, type: type.rawValue))
        }
    }

    @Test func refusesNumbersThatDoNotFit() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("h.safetensors")
            let tensor = WritableTensor("h", shape: [2], as: .float16, values: [1, 70000])
            #expect(
                checkpointError { try SafetensorsWriter().write([tensor], toFile: file) }
                    == .notRepresentable(name: "h", index: 1, value: "70000.0", type: "F16"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty, "nothing is left behind")
        }
    }

    @Test func refusesRepeatedNamesAndWrongCounts() throws {
        try withTemporaryFolder { folder in
            let tensor = WritableTensor("a", shape: [1], values: [1])
            #expect(
                checkpointError { try SafetensorsWriter().write([tensor, tensor], to: folder) }
                    == .duplicateTensor(name: "a", file: folder.path))
            for count in [2, 4] {
                let wrong = WritableTensor("a", shape: [3]) { [Float](repeating: 0, count: count) }
                let file = folder.appendingPathComponent("model.safetensors")
                #expect(
                    checkpointError { try SafetensorsWriter().write([wrong], to: folder) }
                        == .wrongSize(
                            file: file.path, name: "a", shape: [3], type: "F32", need: 12, have: 4 * count))
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty, "nothing is left behind")
        }
    }

    @Test func aFailedWriteKeepsTheFileOfBefore() throws {
        struct Failure: Error {}
        try withTemporaryFolder { folder in
            try SafetensorsWriter().write([WritableTensor("a", shape: [1], values: [1])], to: folder)
            let broken = WritableTensor("a", shape: [1]) { throw Failure() }
            #expect(throws: Failure.self) { try SafetensorsWriter().write([broken], to: folder) }
            #expect(try SafetensorsFile(folder.appendingPathComponent("model.safetensors")).floats(of: "a") == [1])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
        }
    }

    @Test func namesFoldersThatCannotBeWritten() throws {
        let folder = URL(fileURLWithPath: "/proc/nowhere")
        #expect(throws: FileError.self) { try SafetensorsWriter().write([], to: folder) }
    }

    @Test func dividesIntoShards() throws {
        let tensors = (0..<5).map { index in
            WritableTensor("t\(index)", shape: [index + 1], values: (0...index).map { Float($0 + 10 * index) })
        }
        try withTemporaryFolder { folder in
            // 4 + 8 bytes, 12, 16, 20: a tensor that is larger than the limit has a file of its own.
            let names = try SafetensorsWriter(shardLimit: 15).write(tensors, to: folder)
            #expect(names == (1...4).map { "model-0000\($0)-of-00004.safetensors" })
            let index = try JSONValue(contentsOf: folder.appendingPathComponent("model.safetensors.index.json"))
            #expect(index["metadata"]?["total_size"]?.int == 60)
            #expect(index["weight_map"]?.members?.map(\.key) == ["t0", "t1", "t2", "t3", "t4"])
            #expect(index["weight_map"]?["t1"]?.string == names[0])
            let last = try SafetensorsFile(folder.appendingPathComponent(names[3]))
            #expect(try last.names == ["t4"] && last.floats(of: "t4") == [40, 41, 42, 43, 44])

            // The other layout replaces it, in both directions, and other files stay.
            try Data().write(to: folder.appendingPathComponent("model-card.md"))
            try SafetensorsWriter().write(tensors, to: folder)
            #expect(try listing(folder) == ["model-card.md", "model.safetensors"])
            try SafetensorsWriter(shardLimit: 40).write(tensors, to: folder)
            #expect(
                try listing(folder) == [
                    "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model-card.md",
                    "model.safetensors.index.json",
                ])
            try SafetensorsWriter(shardLimit: 15).write(tensors, to: folder)
            #expect(try listing(folder).count == 6)
        }
    }

    func listing(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}

extension Array {
    fileprivate func shuffled(seed: UInt64) -> [Element] {
        var generator = SplitMix(state: seed)
        return shuffled(using: &generator)
    }
}
