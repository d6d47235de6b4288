import Formats
import Foundation
import Testing
import _TestSupport

/// The header of a GGUF file: what it says, and what is refused before it is believed.
struct GGUFHeaderTests {
    private static func open(_ file: TestGGUF) throws -> GGUFFile { try opening(file.bytes, as: "m.gguf") { try GGUFFile($0) } }

    private static func with(_ key: String, _ type: UInt32, _ bytes: [UInt8]) -> TestGGUF {
        var file = TestGGUF()
        file.pairs = [(key, type, bytes)]
        return file
    }

    @Test func readsValuesOfAllTypes() throws {
        var file = TestGGUF()
        file.pairs = [
            ("u8", 0, [200]), ("i8", 1, [200]), ("u16", 2, littleEndian(UInt16(60_000))), ("i16", 3, littleEndian(Int16(-2))),
            ("u32", 4, littleEndian(UInt32.max)), ("i32", 5, littleEndian(Int32.min)), ("f32", 6, littleEndian(Float(1e-6).bitPattern)),
            ("true", 7, [1]), ("text", 8, TestGGUF.string("größe")), ("u64", 10, littleEndian(UInt64.max)),
            ("i64", 11, littleEndian(Int64(-5))), ("f64", 12, littleEndian(0.1.bitPattern)), ("raw", 8, TestGGUF.string([0xFF, 0])),
            ("strings", 9, TestGGUF.array(8, [TestGGUF.string("a"), TestGGUF.string([0xE2, 0x96]), TestGGUF.string("")])),
            ("i32s", 9, TestGGUF.array(5, [littleEndian(Int32(-1)), littleEndian(Int32(7))])),
            ("floats", 9, TestGGUF.array(6, [littleEndian(Float(-1000).bitPattern)])), ("none", 9, TestGGUF.array(8, [])),
            ("bools", 9, TestGGUF.array(7, [[0], [1]])), ("bytes", 9, TestGGUF.array(0, [[1], [255]])),
            ("nested", 9, TestGGUF.array(9, [TestGGUF.array(7, [[1]]), TestGGUF.array(12, [])])),
        ]
        let metadata = try Self.open(file).metadata
        #expect(metadata["u8"] == .unsigned(200) && metadata["i8"] == .signed(-56) && metadata["u16"] == .unsigned(60_000))
        #expect(metadata["i16"] == .signed(-2) && metadata["u32"] == .unsigned(4_294_967_295) && metadata["i32"]?.int == -2_147_483_648)
        #expect(metadata["f32"] == .float(1e-6) && metadata["f32"]?.double == 1e-6 && metadata["f64"]?.double == 0.1)
        #expect(metadata["true"]?.bool == true && metadata["text"]?.string == "größe" && metadata["u64"] == .unsigned(.max))
        #expect(metadata["u64"]?.int == nil && metadata["i64"]?.int == -5 && metadata["raw"]?.string == nil)
        #expect(metadata["raw"] == .string([0xFF, 0]))
        let strings = try #require(metadata["strings"]?.array?.strings)
        #expect(strings.map(Array.init) == [[97], [0xE2, 0x96], []])
        #expect(strings.text(at: 0) == "a" && strings.text(at: 1) == nil && strings.text(at: 2) == "")
        #expect(metadata["i32s"]?.array?.integers == [-1, 7] && metadata["floats"]?.array?.floats == [-1000])
        #expect(metadata["none"]?.array?.count == 0 && metadata["bools"]?.array?.bools == [false, true])
        #expect(metadata["bytes"]?.array?.integers == [1, 255])
        #expect(metadata["nested"] == .array(.arrays([.bools([true]), .doubles([])])))
    }

    @Test(arguments: [2, 3] as [UInt32]) func readsTensorsOutermostExtentFirst(version: UInt32) throws {
        var file = TestGGUF()
        file.version = version
        file.alignment = 64
        file.pairs = [("general.alignment", 4, littleEndian(UInt32(64)))]
        file.entries = [.init("a", [3, 2]), .init("b", [32, 4], type: 8, offset: 64), .init("s", [], type: 1, offset: 256)]
        file.data = [UInt8](repeating: 1, count: 258)
        let opened = try Self.open(file)
        #expect(opened.version == Int(version))
        #expect(opened.entries.map(\.name) == ["a", "b", "s"] && opened.entries.map(\.shape) == [[2, 3], [4, 32], []])
        #expect(opened.entries.map(\.type) == [.float32, .q8_0, .float16] && opened.entries.map(\.range.count) == [24, 136, 2])
        #expect(opened.entries.allSatisfy { $0.range.lowerBound % 64 == 0 })
    }

    @Test func refusesWhatIsNoGGUFOfToday() throws {
        func reason(_ change: (inout TestGGUF) -> Void) -> String {
            var file = TestGGUF()
            change(&file)
            return checkpointError { try Self.open(file) }?.description ?? ""
        }
        #expect(reason { $0.magic = Array("GGML".utf8) }.contains("not a GGUF file"))
        #expect(reason { $0.version = 1 }.contains("version 1 is not supported"))
        #expect(reason { $0.version = 4 }.contains("version 4 is unknown"))
        #expect(reason { $0.version = 3 << 24 }.contains("big-endian"))
        #expect(checkpointError { try opening([], as: "m.gguf") { try GGUFFile($0) } }?.description.contains("not a GGUF file") == true)
    }

    /// Cut after every byte of the header: always refused, never believed.
    @Test func refusesAFileCutAnywhere() throws {
        var file = Self.with("k", 9, TestGGUF.array(8, [TestGGUF.string("abc")]))
        file.pairs.append(("n", 9, TestGGUF.array(9, [TestGGUF.array(6, [[0, 0, 0, 0]])])))
        file.entries = [.init("a", [3, 2]), .init("b", [2])]
        file.entries[1].offset = 32
        file.data = [UInt8](repeating: 0, count: 40)
        let whole = file.bytes
        #expect(throws: Never.self) { try Self.open(file) }
        for length in 0..<whole.count {
            let error = checkpointError { try opening(Array(whole[..<length]), as: "m.gguf") { try GGUFFile($0) } }
            switch error {
            case .truncated, .badFormat, .outOfRange: break
            default: Issue.record("cut to \(length) bytes: \(String(describing: error))")
            }
        }
    }

    /// Counts and lengths that no file has room for are refused before anything is set aside for them.
    @Test func refusesHugeCounts() throws {
        for huge in [1 << 20, 1 << 32, 1 << 62, .max] as [UInt64] {
            var tensors = TestGGUF()
            tensors.announcedTensors = huge
            var pairs = TestGGUF()
            pairs.announcedPairs = huge
            let files = [
                tensors, pairs, Self.with("k", 8, TestGGUF.string([], announcing: huge)),
                Self.with("k", 9, TestGGUF.array(0, [], announcing: huge)), Self.with("k", 9, TestGGUF.array(8, [], announcing: huge)),
                Self.with("k", 9, TestGGUF.array(9, [], announcing: huge)),
                Self.with("k", 9, TestGGUF.array(9, [TestGGUF.array(12, [], announcing: huge)])),
            ]
            for (index, file) in files.enumerated() {
                switch checkpointError({ try Self.open(file) }) {
                case .tooLarge, .truncated: break
                case let error: Issue.record("file \(index) with \(huge): \(String(describing: error))")
                }
            }
        }
    }

    @Test func refusesBadMetadata() throws {
        func reason(_ file: TestGGUF) -> String { checkpointError { try Self.open(file) }?.description ?? "" }
        var twice = Self.with("k", 0, [1])
        twice.pairs.append(("k", 0, [2]))
        #expect(reason(twice).contains("byte 38 of the header: the key k appears twice"))
        #expect(reason(Self.with("k", 13, [])).contains("k has a value of the unknown type 13"))
        #expect(reason(Self.with("k", 7, [2])).contains("k is 2; expected 0 (false) or 1 (true)"))
        #expect(reason(Self.with("", 0, [1])).contains("a metadata key is empty"))
        var deep = TestGGUF.array(0, [])
        for _ in 0..<5 { deep = TestGGUF.array(9, [deep]) }
        #expect(reason(Self.with("k", 9, deep)).contains("arrays nested"))
        for bytes in [0, 3, 48, 1 << 30] as [UInt32] {
            #expect(reason(Self.with("general.alignment", 4, littleEndian(bytes))).contains("general.alignment is \(bytes)"))
        }
        #expect(reason(Self.with("general.alignment", 8, TestGGUF.string("32"))).contains("general.alignment is a string"))
        // control characters of a file stay out of the terminal
        #expect(!reason(Self.with("k\u{1b}[2J", 13, [])).contains("\u{1b}"))
    }

    @Test func refusesBadTensors() throws {
        func error(_ entries: [TestGGUF.Entry], data: Int = 64) -> CheckpointError? {
            var file = TestGGUF()
            file.entries = entries
            file.data = [UInt8](repeating: 0, count: data)
            return checkpointError { try Self.open(file) }
        }
        func reason(_ entries: [TestGGUF.Entry]) -> String { error(entries)?.description ?? "" }
        #expect(reason([.init("w", [256], type: 19)]).contains("is of type IQ1_S, which is not supported; supported types: F32"))
        #expect(reason([.init("w", [256], type: 99)]).contains("is of the unknown type 99"))
        #expect(reason([.init("w", [31], type: 2)]).contains("rows of 31 elements; type Q4_0 has blocks of 32"))
        #expect(reason([.init("w", [1, 1, 1, 1, 1])]).contains("has 5 dimensions"))
        #expect(reason([.init("w", [1 << 40, 1 << 40])]).contains("impossible dimensions"))
        #expect(reason([.init("w", [.max])]).contains("impossible dimensions"))
        #expect(reason([.init("w", [0, 1 << 62, 1 << 62])]).contains("impossible dimensions"))
        #expect(reason([.init("w", [0, .max])]).contains("impossible dimensions"))
        #expect(reason([.init("w", [2], offset: 4)]).contains("has the offset 4, which is not a multiple of the alignment 32"))
        for case (let extents, let offset)? in [([17], 0), ([1], 64), ([1], .max), ([1], .max - 31), ([9], 32)] as [([UInt64], UInt64)?] {
            guard case .outOfRange? = error([.init("w", extents, offset: offset)]) else {
                Issue.record("\(extents) at \(offset) was taken")
                continue
            }
        }
        guard case .overlap? = error([.init("a", [9]), .init("b", [1], offset: 32)]),
            case .duplicateTensor? = error([.init("a", [1]), .init("a", [1], offset: 32)])
        else {
            Issue.record("tensors that share bytes or a name were taken")
            return
        }
    }
}
