import Foundation
import Tensor
import Testing
import _TestSupport

@Suite struct PhiloxTests {
    /// The answers for philox4x32-10 that come with the Random123 library (Salmon et al. 2011): counter, key, result.
    static let knownAnswers: [([UInt64], [UInt32], [UInt64])] = [
        ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        (
            [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        ),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        ),
    ]

    @Test(arguments: knownAnswers) func knownAnswer(counter: [UInt64], key: [UInt32], expected: [UInt64]) {
        let block = Philox.block(
            counter: (counter[0] | counter[1] << 32, counter[2] | counter[3] << 32), key: (key[0], key[1]))
        #expect([block.0, block.1] == [expected[0] | expected[1] << 32, expected[2] | expected[3] << 32])
    }

    @Test func aSeedIsTheKeyAndBlocksFollowEachOther() {
        var generator = Philox(seed: 0x299f_31d0_a409_3822)
        for counter: UInt64 in 0..<3 {
            let block = Philox.block(counter: (counter, 0), key: (0xa409_3822, 0x299f_31d0))
            #expect([generator.next(), generator.next()] == [block.0, block.1])
        }
    }

    @Test func streamsDoNotDependOnWhatWasDrawn() {
        let fresh = Philox(seed: 1)
        var used = Philox(seed: 1)
        for _ in 0..<7 { _ = used.next() }
        #expect(fresh.split(3) == used.split(3))
        #expect(fresh.split("data") == used.split("data"))
        var (a, b) = (fresh.split(3), used.split(3))
        #expect((0..<9).map { _ in a.next() } == (0..<9).map { _ in b.next() })
    }

    @Test func aNameStandsForItsHash() {
        // known values of FNV-1a with 64 bits
        let root = Philox(seed: 1)
        #expect(root.split("") == root.split(0xcbf2_9ce4_8422_2325))
        #expect(root.split("foobar") == root.split(0x8594_4171_f739_67e8))
    }

    @Test func streamsDiffer() {
        let root = Philox(seed: 1)
        var streams = [root, Philox(seed: 2), Philox(seed: 1 << 32)]
        streams += (0..<20).map { root.split(UInt64($0)) } + ["data", "sampling", "atad", ""].map(root.split)
        streams += (0..<20).map { root.split(7).split(UInt64($0)) } + [root.split(8).split(7), root.split(7).split(7).split(7)]
        let firsts = streams.flatMap { stream in
            var stream = stream
            return (0..<4).map { _ in stream.next() }
        }
        #expect(Set(firsts).count == firsts.count)
    }

    @Test func aStoredGeneratorGoesOnWhereItWas() throws {
        var generator = Philox(seed: 12).split("rows")
        _ = generator.next()  // half a block: a spare number must be stored as well
        var restored = try JSONDecoder().decode(Philox.self, from: JSONEncoder().encode(generator))
        #expect(restored == generator)
        #expect((0..<9).map { _ in restored.next() } == (0..<9).map { _ in generator.next() })
    }

    @Test(arguments: [1, 2]) func normalNumbersHaveTheMomentsOfTheNormalDistribution(seed: UInt64) {
        var generator = Philox(seed: seed)
        let count = 400_000
        let x = (0..<count).map { _ in Double(generator.normal()) }
        func moment(_ power: Double) -> Double { x.reduce(0) { $0 + pow($1, power) } / Double(count) }
        // each within five standard errors
        let error = 5 / Double(count).squareRoot()
        #expect(abs(moment(1)) < error)
        #expect(abs(moment(2) - 1) < error * 2.0.squareRoot())
        #expect(abs(moment(3)) < error * 15.0.squareRoot())
        #expect(abs(moment(4) - 3) < error * 96.0.squareRoot())
        for bound in [-1.5, -0.5, 0, 1, 2] {
            let share = Double(x.count { $0 < bound }) / Double(count)
            #expect(abs(share - 0.5 * (1 + erf(bound / 2.0.squareRoot()))) < error / 2)
        }
        let neighbours = zip(x, x.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
        #expect(abs(neighbours) < error)
        #expect(x.allSatisfy { $0.isFinite })
    }

    @Test func uniformNumbersFillTheUnitInterval() {
        var generator = Philox(seed: 4)
        let count = 100_000
        let x = (0..<count).map { _ in generator.uniform() }
        #expect(x.allSatisfy { $0 >= 0 && $0 < 1 })
        var bins = [Int](repeating: 0, count: 50)
        for number in x { bins[Int(number * 50)] += 1 }
        let chiSquared = bins.reduce(0) { $0 + pow(Double($1) - 2_000, 2) / 2_000 }
        #expect(chiSquared > 20 && chiSquared < 95)  // 49 degrees of freedom: mean 49, deviation 9.9
    }

    @Test func tensorsOfRandomNumbers() {
        var generator = Philox(seed: 8)
        let normal = Tensor.normal([100, 50], mean: 2, standardDeviation: 0.5, using: &generator).values.map(Double.init)
        let mean = normal.reduce(0, +) / 5_000
        expectClose(mean, 2, relative: 0, absolute: 0.04)
        expectClose(normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5_000, 0.25, relative: 0, absolute: 0.03)
        let uniform = Tensor.uniform([5_000], in: -3..<1, using: &generator).values
        #expect(uniform.allSatisfy { $0 >= -3 && $0 < 1 })
        expectClose(uniform.reduce(0, +) / 5_000, -1, relative: 0, absolute: 0.1)
        var (a, b) = (Philox(seed: 9), Philox(seed: 9))
        #expect(
            Tensor.normal([7], standardDeviation: 1, using: &a).values == Tensor.normal([7], standardDeviation: 1, using: &b).values)
    }
}
