import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Damaged files never bring the process down: they are read, or refused with an error that names the file.
@Suite(.serialized) struct MutationTests {
    /// The file's bytes after a few random changes: bits, bytes, pieces cut, doubled, moved or replaced by marks of a format.
    private func mutated(_ bytes: [UInt8], using generator: inout PCG64) -> [UInt8] {
        let marks: [[UInt8]] =
            [
                "\"", ",", "\n", "\r\n", "{", "}", "[", "]", "\\", "\\u", "\\ud800", "\"\"", "null", "1e999", "-", "\0",
                ":", "(", "'",
            ].map { Array($0.utf8) } + [[0xff], [0xef, 0xbb, 0xbf], [0xc3], [0x1f, 0x8b], [0x80, 0, 0, 0]]
        var bytes = bytes
        for _ in 0..<1 + generator.below(3) {
            guard !bytes.isEmpty else { return bytes }
            let place = generator.below(bytes.count)
            let end = min(bytes.count, place + 1 + generator.below(20))
            switch generator.below(6) {
            case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
            case 1: bytes[place] = UInt8(generator.below(256))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: generator.below(bytes.count))
            case 4: bytes.replaceSubrange(place..<min(end, place + 1), with: marks[generator.below(marks.count)])
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }

    /// Reads `count` mutations of a file; gives back how many were refused.
    private func refusals(
        of bytes: [UInt8], name: String, count: Int, seed: UInt64, read: (URL) throws -> Void
    ) throws -> Int {
        var generator = PCG64(seed: seed)
        return try withTemporaryFolder { folder in
            var refused = 0
            for round in 0..<count {
                // gzip has tests of its own; here a mark at the start would only test that program
                let bytes = mutated(bytes, using: &generator)
                guard !bytes.starts(with: [0x1f, 0x8b]) else { continue }
                let file = try folder.adding(name, bytes: bytes)
                do {
                    try read(file)
                } catch let error as any Error & CustomStringConvertible where error is DataError || error is FormatError {
                    refused += 1
                    #expect(error.description.contains(name), "seed \(seed), round \(round): \(error)")
                } catch {
                    Issue.record("seed \(seed), round \(round): \(error)")
                }
            }
            return refused
        }
    }

    @Test(arguments: [
        ("posts/train.jsonl", "f.jsonl"), ("posts/test.json", "f.json"), ("posts/valid.csv", "f.csv"),
        ("comparisons/validation.json", "f.json"), ("comparisons/test.csv", "f.csv"),
        ("comparisons/ood_train.jsonl", "f.jsonl"),
    ])
    func rowFiles(_ path: String, _ name: String) throws {
        // the first few rows: enough to break, quick to read
        let bytes = Array(try Foundation.Data(contentsOf: CorporaFixture.url(path)).prefix(2600))
        let isComparison = path.hasPrefix("comparisons")
        let refused = try refusals(of: bytes, name: name, count: 500, seed: 7) { file in
            for policy in BadRowPolicy.allCases.reversed() {
                let counts =
                    try isComparison
                    ? RowFile<Comparison>(file, onBadRow: policy, rowLimit: 2000).readEach { _, _ in }
                    : RowFile<SummaryExample>(file, onBadRow: policy, rowLimit: 2000).readEach { _, _ in }
                #expect(counts.read + counts.skipped < 400)
                if policy == .fail { #expect(counts.skipped == 0) }
            }
        }
        #expect(refused > 100)
    }

    @Test(arguments: ["int32", "flags", "float64", "version2"])
    func arrays(_ name: String) throws {
        let bytes = Array(try Foundation.Data(contentsOf: CorporaFixture.url("npy/\(name).npy")))
        let refused = try refusals(of: bytes, name: "a.npy", count: 1000, seed: 8) { file in
            let array = try NumpyArray(file)
            #expect(array.shape.reduce(1, *) == array.elements.reals.count)
        }
        #expect(refused > 300 && refused < 1000)
    }

    @Test func indexes() throws {
        let bytes = Array(try Foundation.Data(contentsOf: CorporaFixture.url("index.json")))
        let refused = try refusals(of: bytes, name: "i.json", count: 1000, seed: 9) { _ = try SplitIndex($0) }
        #expect(refused > 300)
    }

    @Test(arguments: ["lists", "arrays", "scalars", "arrays-2"])
    func maps(_ name: String) throws {
        let bytes = Array(try Foundation.Data(contentsOf: CorporaFixture.url("maps/\(name).npy")))
        let refused = try refusals(of: bytes, name: "a.npy", count: 1000, seed: 10) { _ = try SplitIndex($0) }
        #expect(refused > 300)
    }
}
