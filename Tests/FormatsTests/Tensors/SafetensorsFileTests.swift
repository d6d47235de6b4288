import Formats
import Foundation
import Testing
import _TestSupport

struct SafetensorsFileTests {
    @Test func readsWhatTheLibraryWrote() throws {
        let file = try SafetensorsFile(Fixtures.url("checkpoints/types.safetensors"))
        #expect(file.metadata == ["format": "pt"])
        try expectTensors(file.tensors, toBe: "types.safetensors")
        #expect(try file.tensor("scalar").shape == [])
        #expect(try file.floats(of: "empty") == [])
        #expect(try file.tensor("größe.weight").isContiguous)
    }

    @Test func handsOutTheMappedBytes() throws {
        let url = Fixtures.url("checkpoints/types.safetensors")
        let tensor = try SafetensorsFile(url).tensor("bf16")
        let all = try bytes(of: url)
        let own = tensor.withUnsafeBytes { Array($0) }
        #expect(own.count == tensor.byteCount)
        #expect(all.indices.contains { all[$0...].starts(with: own) })
        let first = tensor.withUnsafeBytes { $0.baseAddress }
        #expect(tensor.withUnsafeBytes { $0.baseAddress } == first)
        #expect(
            try tensor.bfloat16Bits()
                == own.indices.filter { $0 % 2 == 0 }.map { UInt16(own[$0]) | UInt16(own[$0 + 1]) << 8 })
    }

    @Test func aTensorOutlivesItsFile() throws {
        let tensor = try withTemporaryFolder { folder in
            let copy = folder.appendingPathComponent("copy.safetensors")
            try FileManager.default.copyItem(at: Fixtures.url("checkpoints/types.safetensors"), to: copy)
            return try SafetensorsFile(copy).tensor("f32")
        }
        #expect(try tensor.floats() == SafetensorsFile(Fixtures.url("checkpoints/types.safetensors")).floats(of: "f32"))
    }

    @Test func namesMissingTensorsAndWrongTypes() throws {
        let url = Fixtures.url("checkpoints/types.safetensors")
        let file = try SafetensorsFile(url)
        #expect(checkpointError { try file.tensor("w") } == .missingTensor(name: "w", file: url.path))
        #expect(
            checkpointError { try file.floats(of: "i64") }
                == .wrongElementType(name: "i64", got: "I64", expected: "F32, F16, BF16 or F64"))
        #expect(
            checkpointError { try file.tensor("f32").bfloat16Bits() }
                == .wrongElementType(name: "f32", got: "F32", expected: "BF16"))
        #expect(
            checkpointError { try file.tensor("f32").checkShape([3, 2]) }
                == .wrongShape(name: "f32", got: [2, 3], expected: [3, 2]))
    }

    @Test func reportsWeightsThatAreNotFinite() throws {
        let header =
            #"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"#
            + #""b":{"dtype":"BF16","shape":[3],"data_offsets":[12,18]}}"#
        let data = littleEndianBytes([1, -.infinity, 2]) + [0, 0, 0x80, 0x3F, 0xC0, 0x7F]
        try opening(safetensors(header: header, data: data), as: "w.safetensors") { url in
            let file = try SafetensorsFile(url)
            #expect(checkpointError { try file.floats(of: "w") } == .notFinite(file: url.path, name: "w", index: 1, value: "-inf"))
            #expect(
                checkpointError { try file.tensor("b").checkFinite() } == .notFinite(file: url.path, name: "b", index: 2, value: "nan"))
            #expect(checkpointError { try file.floats(of: "b") } == .notFinite(file: url.path, name: "b", index: 2, value: "nan"))
            #expect(
                checkpointError { try file.tensor("w").checkFinite() }
                    == .wrongElementType(name: "w", got: "F32", expected: "BF16 or F16"))
            #expect(try file.tensor("w").floats(allowingNonFinite: true) == [1, -.infinity, 2])
            #expect(try file.tensor("b").bfloat16Bits(allowingNonFinite: true) == [0, 0x3F80, 0x7FC0])
        }
    }

    /// Wherever the element is, and whatever finite numbers are beside it, the largest ones and zeros too.
    @Test(arguments: [ElementType.float32, .bfloat16, .float16]) func findsTheFirstElementThatIsNotFinite(type: ElementType) throws {
        let (count, width) = (100, type.width)
        let (largest, infinity, nan): (UInt32, UInt32, UInt32) =
            switch type {
            case .float32: (0xFF7F_FFFF, 0xFF80_0000, 0x7F80_0001)
            case .bfloat16: (0xFF7F, 0xFF80, 0x7F81)
            default: (0xFBFF, 0xFC00, 0x7C01)
            }
        let header = #"{"w":{"dtype":"\#(type.rawValue)","shape":[\#(count)],"data_offsets":[0,\#(count * width)]}}"#
        for place in [nil, 0, 1, 15, 16, 31, 33, 63, 64, 97, 99] {
            var bits = (0..<count).map { $0 % 3 == 0 ? largest : 0 }
            // a second one behind the first one
            if let place { (bits[count - 1], bits[place]) = (infinity, nan) }
            let data = bits.flatMap { bits in (0..<width).map { UInt8(truncatingIfNeeded: bits >> UInt32(8 * $0)) } }
            try opening(safetensors(header: header, data: data), as: "w.safetensors") { url in
                let file = try SafetensorsFile(url)
                guard let place else {
                    #expect(throws: Never.self) { try file.floats(of: "w") }
                    if type != .float32 { #expect(throws: Never.self) { try file.tensor("w").checkFinite() } }
                    return
                }
                let expected = CheckpointError.notFinite(file: url.path, name: "w", index: place, value: "nan")
                #expect(checkpointError { try file.floats(of: "w") } == expected, "\(place)")
                if type != .float32 { #expect(checkpointError { try file.tensor("w").checkFinite() } == expected, "\(place)") }
            }
        }
    }

    // MARK: Files that lie

    func error(_ bytes: [UInt8]) throws -> CheckpointError? {
        checkpointError { try opening(bytes, as: "bad.safetensors") { try SafetensorsFile($0) } }
    }

    /// The error without the path of its temporary file.
    func error(header: String, dataCount: Int = 16, announcing length: UInt64? = nil) throws -> String {
        let bytes = safetensors(header: header, data: [UInt8](repeating: 0, count: dataCount), announcing: length)
        let text = try #require(try error(bytes)).description
        let name = try #require(text.range(of: "bad.safetensors"))
        return String(text[name.upperBound...])
    }

    func entry(_ type: String = "F32", _ shape: String = "[4]", _ offsets: String = "[0,16]") -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    @Test func aSoundFileIsTheStartingPoint() throws {
        let header = #" {"a":\#(entry()), "__metadata__": {"note": "a \"quote\"", "format": "pt"}}   "#
        let bytes = safetensors(header: header, data: [UInt8](repeating: 0, count: 16))
        let file = try opening(bytes, as: "good.safetensors") { try SafetensorsFile($0) }
        #expect(file.names == ["a"])
        #expect(file.metadata == ["format": "pt", "note": "a \"quote\""])
    }

    @Test func refusesLengthsThatLie() throws {
        let short = try #require(try error([1, 2, 3]))
        guard case .truncated(_, _, need: 8, have: 3) = short else {
            Issue.record("\(short)")
            return
        }
        guard case .truncated(_, _, need: 8, have: 0) = try error([]) else {
            Issue.record("an empty file")
            return
        }
        #expect(try error(header: "{}", dataCount: 0, announcing: 3).contains("needs 11 bytes, but only 10 are available"))
        #expect(try error(header: "{}", announcing: .max).contains("more than the limit of 100000000"))
        #expect(try error(header: "{}", announcing: 100_000_001).contains("100000001"))
        #expect(try error(header: "{}", dataCount: 4).contains("bytes 0..<4 of the data do not belong to any tensor"))
        #expect(try error(header: #"{"a":\#(entry())}"#, dataCount: 15).contains("0..<16, outside the 15 bytes"))
    }

    @Test func everyTruncationIsAnError() throws {
        let whole = try bytes(of: Fixtures.url("checkpoints/types.safetensors"))
        for count in 0..<whole.count {
            #expect(try error(Array(whole[..<count])) != nil)
        }
        #expect(try error(whole + [0]) != nil)
    }

    @Test func refusesOffsetsThatLie() throws {
        #expect(
            try error(header: #"{"a":\#(entry("F32", "[4]", "[4,20]"))}"#).contains("4..<20, outside the 16 bytes"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[4]", "[16,0]"))}"#).contains("16..<0"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[4]", "[-16,0]"))}"#).contains("-16..<0"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[4]", "[0]"))}"#).contains("data_offsets [begin, end]"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[4]", "[0,8,16]"))}"#).contains("more than 2 numbers"))
        let overlapping = #"{"a":\#(entry("F32", "[3]", "[0,12]")),"b":\#(entry("F32", "[2]", "[8,16]"))}"#
        #expect(try error(header: overlapping).contains(#"tensors "a" and "b" overlap"#))
        let same = #"{"a":\#(entry()),"b":\#(entry())}"#
        #expect(try error(header: same).contains("overlap"))
        let gap = #"{"a":\#(entry("F32", "[1]", "[0,4]")),"b":\#(entry("F32", "[1]", "[12,16]"))}"#
        #expect(try error(header: gap).contains("bytes 4..<12 of the data do not belong to any tensor"))
    }

    @Test func refusesShapesThatDoNotMultiplyOut() throws {
        #expect(try error(header: #"{"a":\#(entry("F32", "[5]"))}"#).contains("needs 20 bytes, but it has 16"))
        #expect(try error(header: #"{"a":\#(entry("BF16", "[4]"))}"#).contains("needs 8 bytes, but it has 16"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[-2,-2]"))}"#).contains("impossible shape [-2, -2]"))
        let huge = "[4611686018427387904,4]"
        #expect(try error(header: #"{"a":\#(entry("F32", huge))}"#).contains("impossible shape"))
        let wraps = "[4294967296,4294967296,0]"
        #expect(try error(header: #"{"a":\#(entry("F32", wraps, "[0,0]"))}"#).contains("impossible shape"))
        #expect(
            try error(header: #"{"a":\#(entry("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"))}"#).contains(
                "more than 16"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[9223372036854775808]"))}"#).contains("64-bit"))
        #expect(try error(header: #"{"a":\#(entry("F32", "[4.0]"))}"#).contains("whole number"))
    }

    @Test func refusesHeadersOfAnotherKind() throws {
        #expect(try error(header: #"{"a":\#(entry("F31"))}"#).contains("unknown type F31"))
        #expect(try error(header: #"{"a":{"dtype":"F32","shape":[4]}}"#).contains("data_offsets"))
        #expect(try error(header: #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"zip":1}}"#).contains("zip"))
        #expect(try error(header: #"{"a":\#(entry()),"a":\#(entry())}"#).contains("repeated"))
        #expect(try error(header: #"{"__metadata__":{"a":1}}"#).contains("expected '\"'"))
        #expect(try error(header: "[]").contains("expected '{'"))
        #expect(try error(header: #"{"a":\#(entry())} x"#).contains("expected the end"))
        #expect(try error(header: #"{"a":"#).contains(":1:"))
        let zip = TestArchive(members: [("a", [])]).bytes
        guard case .badFormat(_, let reason) = try error(zip) else {
            Issue.record("a zip archive")
            return
        }
        #expect(reason.contains("zip archive"))
        guard case .badFormat(_, let reason) = try error(Array("version https://git-lfs.github.com/spec/v1\n".utf8))
        else {
            Issue.record("a pointer file")
            return
        }
        #expect(reason.contains("Git LFS"))
    }

    @Test func refusesWhatIsNoFile() throws {
        try withTemporaryFolder { folder in
            let missing = folder.appendingPathComponent("missing.safetensors")
            #expect(
                checkpointError { try SafetensorsFile(missing) }
                    == .unreadable(file: missing.path, reason: "No such file or directory"))
            #expect(
                checkpointError { try SafetensorsFile(folder) }
                    == .unreadable(file: folder.path, reason: "it is not a regular file"))
            let pipe = folder.appendingPathComponent("pipe")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            #expect(
                checkpointError { try SafetensorsFile(pipe) }
                    == .unreadable(file: pipe.path, reason: "it is not a regular file"))
        }
    }

    @Test func mutatedFilesNeverCrash() throws {
        let original = try bytes(of: Fixtures.url("checkpoints/types.safetensors"))
        var generator = SplitMix(state: 91)
        var accepted = 0
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("mutated.safetensors")
            for _ in 0..<4000 {
                try Data(mutated(original, using: &generator)).write(to: file)
                do {
                    for tensor in try SafetensorsFile(file).tensors {
                        #expect(tensor.byteCount <= original.count * 2)
                        if tensor.elementType.isReadableAsFloat { _ = try tensor.floats(allowingNonFinite: true) }
                    }
                    accepted += 1
                } catch is CheckpointError {}
            }
        }
        #expect(accepted > 100)
    }
}
