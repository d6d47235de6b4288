import Formats
import Foundation
import Testing
import _TestSupport

/// Writing GGUF files.
struct GGUFWriterTests {
    @Test func writesMetadataThatReadsTheSame() throws {
        let values: [(String, GGUFValue)] = [
            ("count", .unsigned(3)), ("large", .unsigned(1 << 40)), ("below", .signed(-3)), ("far", .signed(-1 << 40)),
            ("float", .float(1e-6)), ("double", .double(0.1)), ("flag", .bool(true)), ("text", .string(Array("größe".utf8))),
            ("raw", .string([0xFF])), ("tokens", .array(.strings(GGUFStrings(["a", "", "Ġb"])))),
            ("types", .array(.signed([1, 3, 6]))), ("counts", .array(.unsigned([1, 1 << 33]))), ("scores", .array(.floats([-1, 0.5]))),
            ("doubles", .array(.doubles([0.1]))), ("flags", .array(.bools([true, false]))), ("far below", .array(.signed([-1 << 40]))),
            ("nested", .array(.arrays([.unsigned([1]), .strings(GGUFStrings())]))),
        ]
        var writer = GGUFWriter(architecture: "llama")
        for (key, value) in values { writer.add(key, value) }
        writer.add("count", .unsigned(4))
        writer.add(WritableTensor("a", shape: [2, 3], values: [1, 2, 3, 4, 5, 6]))
        writer.add(WritableTensor("s", shape: [], as: .bfloat16, values: [7]))
        writer.addQuantised(WritableTensor("q", shape: [2, 32], values: (0..<64).map(Float.init)))
        writer.add(WritableTensor("v", shape: [5], as: .float16, values: [1, 2, 3, 4, 5]))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("m.gguf")
            try writer.write(to: url)
            let file = try GGUFFile(url)
            #expect(file.metadata.count == values.count + 1 && file.metadata["general.architecture"]?.string == "llama")
            for (key, value) in values where key != "count" { #expect(file.metadata[key] == value, "\(key)") }
            #expect(file.metadata["count"] == .unsigned(4))
            #expect(file.entries.map(\.name) == ["a", "s", "q", "v"] && file.entries.map(\.shape) == [[2, 3], [], [2, 32], [5]])
            #expect(file.entries.allSatisfy { $0.range.lowerBound % 32 == 0 })
            #expect(try file.tensors[0].floats() == [1, 2, 3, 4, 5, 6] && file.tensors[1].floats() == [7])
            #expect(try file.tensors[3].floats() == [1, 2, 3, 4, 5])
            #expect(try Folder.names(in: folder.path) == ["m.gguf"])
        }
    }

    /// The bytes that the `gguf` package's `quants.quantize` gives.
    @Test(arguments: [GGMLType.float16, .bfloat16, .q8_0]) func roundsAsThePackageDoes(type: GGMLType) throws {
        let fixture = try GGUFFile(Fixtures.url("gguf/types.gguf"))
        let numbers = try #require(fixture.tensors.first { $0.name == "numbers" }).floats()
        let wanted = try #require(fixture.entries.first { $0.name == "numbers.\(type.name)" })
        var writer = GGUFWriter(architecture: "none")
        if let elementType = type.elementType {
            writer.add(WritableTensor("t", shape: [8, 64], as: elementType, values: numbers))
        } else {
            writer.addQuantised(WritableTensor("t", shape: [8, 64], values: numbers))
            // in pieces that are no blocks
            let pieces = WritableTensor("p", shape: [8, 64], elementType: .float32) { sink in
                let bytes = littleEndianBytes(numbers)
                for start in stride(from: 0, to: bytes.count, by: 100) {
                    try bytes[start..<min(start + 100, bytes.count)].withUnsafeBytes(sink)
                }
            }
            writer.addQuantised(pieces)
        }
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("m.gguf")
            try writer.write(to: url)
            let (written, all) = (try GGUFFile(url), try bytes(of: Fixtures.url("gguf/types.gguf")))
            for entry in written.entries {
                #expect(try Array(bytes(of: url)[entry.range]) == Array(all[wanted.range]), "\(entry.name)")
            }
        }
    }

    @Test func leavesNothingBehindWhenItFails() throws {
        try withTemporaryFolder { folder in
            func error(_ values: [Float], name: String = "t") -> CheckpointError? {
                var writer = GGUFWriter(architecture: "none")
                writer.addQuantised(WritableTensor("t", shape: [32], values: [Float](repeating: 0, count: 32)))
                writer.addQuantised(WritableTensor(name == "t" ? "u" : "t", shape: [values.count], values: values))
                return checkpointError { try writer.write(to: folder.appendingPathComponent("m.gguf")) }
            }
            var values = [Float](repeating: 1, count: 64)
            values[40] = .nan
            #expect(error(values) == .notFinite(file: folder.appendingPathComponent("m.gguf").path, name: "u", index: 40, value: "nan"))
            values[40] = 1e8
            #expect(error(values) == .notRepresentable(name: "u", index: 32, value: "1e+08", type: "Q8_0"))
            guard case .duplicateTensor(name: "t", _)? = error(values, name: "twice") else {
                Issue.record("two tensors of one name were written")
                return
            }
            let left = try Folder.names(in: folder.path)
            #expect(left == [])
        }
    }
}
