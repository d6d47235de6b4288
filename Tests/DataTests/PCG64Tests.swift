import Data
import Foundation
import Testing
import _TestSupport

/// Against numpy's own output (`Fixtures/data/make_pcg64.py`).
struct PCG64Tests {
    struct Vectors: Decodable {
        struct Sequence: Decodable {
            var entropy: String
            var spawnKey: [UInt32]
            var words: [String]
            var outputs: [String]
        }
        struct Bounded: Decodable {
            var seed: UInt64
            var n: Int
            var count: Int
            var first: [Int]
            var sum: Int
            var distinct: Int
        }
        var sequences: [Sequence]
        var bounded: [Bounded]
        var permutation: [Int]

        static func load() throws -> Vectors {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Vectors.self, from: Foundation.Data(contentsOf: Fixtures.url("data/pcg64.json")))
        }
    }

    @Test func seedSequencesAndWordsAreThoseOfNumpy() throws {
        for vector in try Vectors.load().sequences {
            let entropy = try #require(UInt64(vector.entropy))
            let sequence = SeedSequence(entropy, spawnKey: vector.spawnKey)
            #expect(sequence.words(6).map(String.init) == vector.words)
            var generator = PCG64(sequence)
            #expect(vector.outputs.map { _ in String(generator.next() as UInt64) } == vector.outputs)
        }
    }

    @Test func boundedDrawsAreThoseOfNumpy() throws {
        for vector in try Vectors.load().bounded {
            var generator = PCG64(seed: vector.seed)
            let draws = (0..<vector.count).map { _ in generator.below(vector.n) }
            #expect(Array(draws.prefix(40)) == vector.first)
            #expect(draws.reduce(0, +) == vector.sum)
            #expect(Set(draws).count == vector.distinct)
        }
    }

    @Test func storedGeneratorGoesOn() throws {
        var generator = PCG64(seed: 7)
        _ = generator.nextHalf()  // leaves half a word in the buffer
        var copy = try JSONDecoder().decode(PCG64.self, from: JSONEncoder().encode(generator))
        #expect(copy == generator)
        for _ in 0..<5 { #expect(copy.below(1000) == generator.below(1000)) }
    }

    @Test func permutationsHoldEachIndexOnce() {
        var generator = PCG64(seed: 1)
        for count in 0..<20 { #expect(generator.permutation(count).sorted() == Array(0..<count)) }
        // Every order of three comes about equally often.
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[generator.permutation(3), default: 0] += 1 }
        #expect(counts.count == 6)
        for count in counts.values { #expect(abs(count - 1000) < 150) }
    }
}
