import Formats
import Foundation
import Testing
import _TestSupport

/// The tensors of GGUF files: every type that is read, and what is made of tensors when they are asked for.
struct GGUFTensorTests {
    /// What the `gguf` package's `quants.dequantize` gives, bit by bit.
    @Test(arguments: GGMLType.allCases) func readsBlocksBitByBit(type: GGMLType) throws {
        let stored = try GGUFFile(Fixtures.url("gguf/types.gguf")).tensors.first { $0.name == type.name }
        let tensor = try #require(stored)
        let expected = try SafetensorsFile(Fixtures.url("gguf/types.safetensors")).tensor(type.name).floats()
        #expect(tensor.shape == [3, 512] && tensor.elementType == type.elementType ?? .float32)
        #expect(try tensor.floats().map(\.bitPattern) == expected.map(\.bitPattern))
        #expect(tensor.isContiguous == (type.elementType != nil))
        // as bytes, in whatever type it says
        let bytes = tensor.withUnsafeBytes { Array($0) }
        #expect(bytes.count == tensor.byteCount)
        if tensor.elementType == .float32 { #expect(bytes == littleEndianBytes(expected)) }
        #expect(throws: Never.self) { try tensor.checkShape([3, 512]) }
        if tensor.elementType != .bfloat16 {
            #expect(
                checkpointError { try tensor.bfloat16Bits() }
                    == .wrongElementType(name: type.name, got: tensor.elementType.rawValue, expected: "BF16"))
        }
    }

    @Test(arguments: GGMLType.allCases) func putsRowsIntoAnotherOrder(type: GGMLType) throws {
        let stored = try GGUFFile(Fixtures.url("gguf/types.gguf")).tensors.first { $0.name == type.name }
        let tensor = try #require(stored)
        let all = try tensor.floats()
        let moved = try #require(tensor.rows([2, 0, 1]))
        let expected = [2, 0, 1].flatMap { all[$0 * 512..<($0 + 1) * 512] }
        #expect(moved.shape == [3, 512] && moved.elementType == tensor.elementType && moved.name == type.name)
        #expect(try moved.floats() == expected)
        #expect(moved.withUnsafeBytes { $0.count } == moved.byteCount)
        if type == .bfloat16 { #expect(try moved.bfloat16Bits().count == 3 * 512) }
        let second = try #require(tensor.rows([1]))
        #expect(try second.floats() == Array(all[512..<1024]))
        #expect(tensor.rows([3]) == nil && tensor.rows([-1]) == nil)

        let turned = try #require(tensor.exchanged())
        #expect(turned.shape == [512, 3])
        #expect(try turned.floats() == (0..<512).flatMap { column in (0..<3).map { all[$0 * 512 + column] } })
        #expect(turned.original?.shape == [3, 512] && tensor.original == nil)
        let less = try #require(moved.adding(-1))
        #expect(less.elementType == .float32)
        #expect(try less.floats() == expected.map { $0 - 1 })
        #expect(less.withUnsafeBytes { Array($0) } == littleEndianBytes(expected.map { $0 - 1 }))
    }

    @Test func putsElementsOfAVectorIntoAnotherOrder() throws {
        let tensor = try #require(try GGUFFile(Fixtures.url("gguf/types.gguf")).tensors.last)
        let all = try tensor.floats()
        #expect(tensor.name == "vector" && all.count == 5)
        let moved = try #require(tensor.rows([4, 4, 0]))
        #expect(try moved.named("v").floats() == [all[4], all[4], all[0]])
        #expect(tensor.exchanged() == nil)
    }

    @Test func namesNumbersThatAreNotFinite() throws {
        var file = TestGGUF()
        file.entries = [.init("w", [32], type: GGMLType.q8_0.rawValue)]
        file.data = [0x00, 0x7C] + [UInt8](repeating: 0, count: 5) + [1] + [UInt8](repeating: 0, count: 26)
        try opening(file.bytes, as: "m.gguf") { url in
            let tensor = try GGUFFile(url).tensors[0]
            #expect(checkpointError { try tensor.floats() } == .notFinite(file: url.path, name: "w", index: 0, value: "nan"))
            #expect(try tensor.floats(allowingNonFinite: true)[5] == .infinity)
        }
    }

    @Test func copiesIntoAnotherFile() throws {
        let tensors = try GGUFFile(Fixtures.url("gguf/types.gguf")).tensors
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("t.safetensors")
            try SafetensorsWriter().write(tensors.map { WritableTensor($0) }, toFile: file)
            let copied = try SafetensorsFile(file)
            for tensor in tensors { #expect(try copied.floats(of: tensor.name) == tensor.floats()) }
        }
    }

    // MARK: Parts

    private static let parts = (1...3).map { "split-0000\($0)-of-00003.gguf" }

    @Test func readsAModelInParts() throws {
        let whole = try GGUFShards(Fixtures.url("gguf/llama-mixed.gguf"))
        let parts = try GGUFShards(Fixtures.url("gguf/\(Self.parts[0])"))
        #expect(parts.tensors.count == whole.tensors.count && Set(parts.tensors.map(\.path)).count == 3)
        let values = Dictionary(uniqueKeysWithValues: parts.tensors.map { ($0.name, $0) })
        for tensor in whole.tensors { #expect(try values[tensor.name]?.floats() == tensor.floats()) }
        #expect(parts.metadata["general.architecture"]?.string == "llama")
    }

    @Test func refusesPartsThatDoNotBelongTogether() throws {
        func reason(_ names: [Int: String], opening first: Int = 1) throws -> String {
            try withTemporaryFolder { folder in
                for (number, name) in names {
                    try FileManager.default.copyItem(
                        at: Fixtures.url("gguf/\(Self.parts[number - 1])"), to: folder.appendingPathComponent(name))
                }
                let file = folder.appendingPathComponent(names[first] ?? "")
                return checkpointError { try GGUFShards(file) }?.description ?? ""
            }
        }
        #expect(try reason([1: Self.parts[0], 2: Self.parts[1]]).contains("split-00003-of-00003.gguf: No such file"))
        #expect(try reason([2: Self.parts[1]], opening: 2).contains("this is part 2 of a model; pass the first part, split-00001-of-00003"))
        #expect(try reason([1: "model.gguf"]).contains("one of 3 parts (split.count), but its name does not end with -00001-of-00003.gguf"))
        #expect(
            try reason([1: Self.parts[0], 3: Self.parts[1]]).contains(
                "its name says part 2 of 3, but its metadata says part 3 of 3"))
        #expect(try reason([1: "split-00001-of-00002.gguf"]).contains("part 1 of 2, but its metadata says part 1 of 3"))
    }

    @Test func findsTheFileOfAFolder() throws {
        try withTemporaryFolder { folder in
            func put(_ name: String) throws { try Data("GGUF".utf8).write(to: folder.appendingPathComponent(name)) }
            #expect(try GGUFShards.file(at: folder) == nil)
            try put("mmproj-model.gguf")
            #expect(try GGUFShards.file(at: folder) == nil)
            try put("m-00002-of-00002.gguf")
            try put("m-00001-of-00002.gguf")
            #expect(try GGUFShards.file(at: folder)?.lastPathComponent == "m-00001-of-00002.gguf")
            // as a path is made of an option's text
            let file = URL(fileURLWithPath: folder.appendingPathComponent("m-00002-of-00002.gguf").path, isDirectory: true)
            #expect(try GGUFShards.file(at: file)?.path == file.path)
            try put("other.gguf")
            #expect(
                checkpointError { try GGUFShards.file(at: folder) }?.description.contains(
                    "has 2 GGUF models (m-00001-of-00002.gguf, other.gguf…); pass the path of one") == true)
            try put("model.safetensors")
            #expect(try GGUFShards.file(at: folder) == nil)
            try put("weights")
            #expect(try GGUFShards.file(at: folder.appendingPathComponent("weights")) != nil)
            #expect(try GGUFShards.file(at: folder.appendingPathComponent("none.gguf")) == nil)
        }
    }
}
