import Formats
import Foundation
import ShortFloats
import Testing
import _TestSupport

/// Matrices in Q8_0 blocks, which are read and written as blocks.
struct Q8MatrixTests {
    private static let types = Fixtures.url("gguf/types.gguf")

    private static func stored(_ name: String = "Q8_0", in url: URL = types) throws -> StoredTensor {
        try #require(try GGUFFile(url).tensors.first { $0.name == name })
    }

    private static func blocks(_ matrix: Q8Matrix) throws -> [UInt8] {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: matrix.byteCount, alignment: 1)
        defer { bytes.deallocate() }
        let start = try #require(bytes.baseAddress)
        try matrix.copy(to: start)
        return Array(bytes)
    }

    /// The numbers of blocks.
    private static func numbers(_ bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBufferPointer { bytes in
            var numbers = [Float](repeating: 0, count: bytes.count / Q8Block.byteCount * Q8Block.count)
            numbers.withUnsafeMutableBufferPointer { numbers in
                guard let from = bytes.baseAddress, let to = numbers.baseAddress else { return }
                for block in 0..<bytes.count / Q8Block.byteCount {
                    Q8Block.decode(from + block * Q8Block.byteCount, into: to + block * Q8Block.count)
                }
            }
            return numbers.map(\.bitPattern)
        }
    }

    @Test func rowsOfTheFileAndOthers() throws {
        let stored = try Self.stored()
        let matrix = try #require(stored.q8Matrix)
        let entry = try #require(try GGUFFile(Self.types).entries.first { $0.name == "Q8_0" })
        #expect(matrix.range == entry.range && matrix.order == nil && matrix.rows == 3 && matrix.rowByteCount == 16 * 34)
        #expect(throws: Never.self) { try matrix.checkFinite() }
        #expect(try Self.blocks(matrix) == Array(bytes(of: Self.types)[entry.range]))
        #expect(try Self.numbers(Self.blocks(matrix)) == stored.floats().map(\.bitPattern))
        let moved = try #require(stored.rows([2, 0, 1, 1]))
        let other = try #require(moved.q8Matrix)
        #expect(other.order == [2, 0, 1, 1] && other.byteCount == 4 * 16 * 34)
        #expect(try Self.numbers(Self.blocks(other)) == moved.floats().map(\.bitPattern))
    }

    @Test func whatIsNoMatrixOfBlocks() throws {
        let stored = try Self.stored()
        for other in try [
            #require(stored.exchanged()), #require(stored.adding(1)), #require(stored.rows([1, 0])?.rows([1, 0])),
            #require(stored.rows([])), Self.stored("Q5_0"), Self.stored("BF16"), Self.stored("vector"),
        ] {
            #expect(other.q8Matrix == nil, "\(other.name) \(other.shape)")
        }
    }

    /// The error names file, tensor and elements. Integers may have any value.
    @Test(arguments: [(0x7E00, "nan"), (0x7C00, "inf"), (0xFC00, "-inf")]) func aScaleThatIsNotFinite(bits: Int, name: String) throws {
        let entry = try #require(try GGUFFile(Self.types).entries.first { $0.name == "Q8_0" })
        var content = try bytes(of: Self.types)
        // the fifth block of the second row and the second block of the third row; the largest finite number elsewhere
        for (block, bits) in [(20, bits), (33, bits), (3, 0x7BFF)] {
            let place = entry.range.lowerBound + block * 34
            (content[place], content[place + 1]) = (UInt8(bits % 256), UInt8(bits / 256))
        }
        try opening(content, as: "damaged.gguf") { url in
            let stored = try Self.stored(in: url)
            func expected(_ first: Int) -> CheckpointError {
                .badTensor(
                    file: url.path, name: "Q8_0",
                    reason: "has the scale \(name) for the elements from \(first) to \(first + 31); weights must be finite, so download or "
                        + "convert the file again")
            }
            let matrix = try #require(stored.q8Matrix)
            #expect(checkpointError { try matrix.checkFinite() } == expected(640))
            let moved = try #require(stored.rows([2, 1])?.q8Matrix)
            #expect(checkpointError { try Self.blocks(moved) } == expected(32))
            let first = try #require(stored.rows([0, 0])?.q8Matrix)
            #expect(throws: Never.self) { try Self.blocks(first) }
        }
    }

    /// A check that is made in parts finds the last block, and leaves no pages of the file in memory.
    @Test func aLargeMatrix() throws {
        let (rows, width) = (513, 1 << 14)
        var file = TestGGUF()
        file.entries = [.init("w", [UInt64(width), UInt64(rows)], type: GGMLType.q8_0.rawValue)]
        file.data = [UInt8](repeating: 0, count: rows * width / 32 * 34)
        file.data[file.data.count - 33] = 0x7C
        try opening(file.bytes, as: "large.gguf") { url in
            let matrix = try #require(try Self.stored("w", in: url).q8Matrix)
            let error = checkpointError { try matrix.checkFinite() }
            #expect(error?.description.contains("from \(rows * width - 32) to \(rows * width - 1)") == true)
        }
        file.data[file.data.count - 33] = 0x3C
        try opening(file.bytes, as: "large.gguf") { url in
            let matrix = try #require(try Self.stored("w", in: url).q8Matrix)
            try matrix.checkFinite()
            #expect((residentBytes(ofFile: url) ?? 0) < 1 << 20)
        }
    }

    // MARK: Writing

    /// Blocks keep their bytes, whatever they hold; floats beside them become blocks.
    @Test func blocksAreWrittenAsTheyAre() throws {
        let entry = try #require(try GGUFFile(Self.types).entries.first { $0.name == "Q8_0" })
        let blocks = try Array(bytes(of: Self.types)[entry.range])
        var writer = GGUFWriter(architecture: "none")
        writer.addBlocks("whole", shape: [3, 512]) { sink in try blocks.withUnsafeBytes(sink) }
        writer.addQuantised(WritableTensor("floats", shape: [1, 32], values: [Float](repeating: 1, count: 32)))
        writer.addBlocks("parts", shape: [3, 512]) { sink in
            for start in stride(from: 0, to: blocks.count, by: 100) {
                try blocks[start..<min(start + 100, blocks.count)].withUnsafeBytes(sink)
            }
        }
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("m.gguf")
            try writer.write(to: url)
            let file = try GGUFFile(url)
            #expect(file.entries.map(\.name) == ["whole", "floats", "parts"])
            #expect(file.entries.map(\.shape) == [[3, 512], [1, 32], [3, 512]])
            #expect(file.entries.allSatisfy { $0.type == .q8_0 })
            let content = try bytes(of: url)
            for index in [0, 2] { #expect(Array(content[file.entries[index].range]) == blocks) }
            #expect(try file.tensors[1].floats().allSatisfy { abs($0 - 1) < 1e-3 })
        }
    }

    @Test func blocksThatDoNotFitTheShape() throws {
        for count in [33, 35] {
            var writer = GGUFWriter(architecture: "none")
            writer.addBlocks("w", shape: [32]) { sink in try [UInt8](repeating: 0, count: count).withUnsafeBytes(sink) }
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("m.gguf")
                #expect(
                    checkpointError { try writer.write(to: url) }
                        == .wrongSize(file: url.path, name: "w", shape: [34], type: "U8", need: 34, have: count))
                let left = try Folder.names(in: folder.path)
                #expect(left == [])
            }
        }
    }

    /// Floats that are passed in parts are those that are passed at once, and errors count from the beginning.
    @Test func floatsInParts() throws {
        let numbers = (0..<100).map { Float($0) / 3 }
        func tensor(_ name: String, _ numbers: [Float], as type: ElementType, parts: [Range<Int>]) -> WritableTensor {
            WritableTensor(name, shape: [10, 10], as: type) { body in
                for part in parts { try Array(numbers[part]).withUnsafeBufferPointer(body) }
            }
        }
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("m.safetensors")
            for type in [ElementType.float32, .bfloat16, .float16] {
                try SafetensorsWriter().write(
                    [tensor("a", numbers, as: type, parts: [0..<100]), tensor("b", numbers, as: type, parts: [0..<1, 1..<64, 64..<100])],
                    toFile: url)
                let file = try SafetensorsFile(url)
                #expect(try file.floats(of: "a") == file.floats(of: "b"), "\(type)")
            }
            let error = checkpointError {
                try SafetensorsWriter().write(
                    [tensor("a", numbers.map { $0 > 30 ? 1e9 : $0 }, as: .float16, parts: [0..<50, 50..<100])], toFile: url)
            }
            #expect(error == .notRepresentable(name: "a", index: 91, value: "1e+09", type: "F16"))
        }
    }
}
