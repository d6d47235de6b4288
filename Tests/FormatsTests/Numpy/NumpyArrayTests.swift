import Formats
import Foundation
import Testing
import _TestSupport

struct NumpyArrayTests {
    /// What numpy says of the arrays in Fixtures/corpora/npy.
    private struct Expected: Decodable {
        struct Array: Decodable {
            var shape: [Int]
            var numbers: [String]
        }
        var npy: [String: Array]
    }

    private static func url(_ path: String) -> URL { Fixtures.url("corpora/" + path) }

    @Test func arraysAreThoseOfNumpy() throws {
        for (name, expected) in try Fixtures.json(Expected.self, from: "corpora/expected.json").npy {
            let array = try NumpyArray(Self.url("npy/\(name).npy"))
            #expect(array.shape == expected.shape, "\(name)")
            switch array.elements {
            case .integers(let integers): #expect(integers.map { "\($0)" } == expected.numbers, "\(name)")
            case .flags(let flags): #expect(flags.map { $0 ? "True" : "False" } == expected.numbers, "\(name)")
            case .reals(let reals):
                let wanted = expected.numbers.map { Double($0) ?? .nan }
                #expect(reals.map(\.bitPattern) == wanted.map(\.bitPattern), "\(name)")
            }
        }
    }

    static let refused: [(String, String)] = [
        ("map.npy", "pickle"), ("objects.npy", "pickle"), ("pickle.npy", "pickle"), ("structures.npy", "structures"),
        ("complex.npy", "<c16"), ("texts.npy", "<U1"), ("half.npy", "<f2"), ("huge.npy", "18446744073709551615"),
        ("fortran.npy", "Fortran"), ("archive.npz", ".npz"),
    ]

    @Test(arguments: refused.indices)
    func otherThingsAreRefusedByName(_ index: Int) throws {
        let (name, word) = Self.refused[index]
        let file = Self.url("npy/refused/\(name)")
        guard case .badFile(file.path, let reason) = formatError({ _ = try NumpyArray(file) }) else {
            Issue.record("\(name) was read")
            return
        }
        #expect(reason.contains(word), "\(reason)")
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let numbers: [Double] = [0.5, -.infinity, 1e-300, -3]
        try withTemporaryFolder { folder in
            for count in 0...4 {
                let file = folder.appendingPathComponent("\(count).npy")
                let array = NumpyArray(shape: [count], elements: .reals(Array(numbers.prefix(count))))
                try array.write(to: file)
                #expect(try NumpyArray(file) == array)
                // numpy wants the data aligned
                #expect(try (Foundation.Data(contentsOf: file).count - 8 * count) % 64 == 0)
            }
        }
    }

    @Test func everyCutIsRefused() throws {
        let bytes = Array(try Foundation.Data(contentsOf: Self.url("npy/int32.npy")))
        try withTemporaryFolder { folder in
            for length in 0..<bytes.count {
                let file = try folder.adding("a.npy", bytes: Array(bytes[..<length]))
                guard case .badFile = formatError({ _ = try NumpyArray(file) }) else {
                    Issue.record("the first \(length) bytes were read")
                    continue
                }
            }
            let longer = try folder.adding("a.npy", bytes: bytes + [0])
            #expect(formatError { _ = try NumpyArray(longer) } != nil)
        }
    }

    @Test func shapesBeyondTheFileAreRefused() throws {
        for shape in [
            "(9223372036854775807,)", "(4294967296, 4294967296)", "(3,)", "(99999999999999999999,)", "(-1,)", "(2", "2",
        ] {
            let header = "{'descr': '<i4', 'fortran_order': False, 'shape': \(shape), }\n"
            let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
            try withTemporaryFolder { folder in
                let file = try folder.adding("a.npy", bytes: bytes)
                #expect(formatError { _ = try NumpyArray(file) } != nil, "\(shape)")
            }
        }
    }
}
