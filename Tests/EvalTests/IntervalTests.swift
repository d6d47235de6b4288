import Eval
import Foundation
import Tensor
import Testing
import _TestSupport

private struct StatisticsFixture: Decodable {
    struct Numbers: Decodable {
        var values: [Double]
        var quantiles: [String: Double]
        var std: Double
        var sampleStd: Double
    }
    var statistics: Numbers
}

@Suite struct IntervalTests {
    @Test("an end of a difference that is 0 but for rounding is 0, and no other is")
    func rounding() {
        let ends = Interval(mean: 0.09444, low: 2.255e-18, high: 0.2056).withoutRounding(of: [0.5, -0.9])
        #expect(ends == Interval(mean: 0.09444, low: 0, high: 0.2056) && ends.contains(0))
        #expect(Interval(mean: -1e-17, low: -2e-17, high: -1e-18).withoutRounding(of: [0.3]) == Interval(mean: 0, low: 0, high: 0))
        // of small values small differences are none of rounding
        let small = Interval(mean: 2e-18, low: 1e-18, high: 3e-18)
        #expect(small.withoutRounding(of: [4e-18]) == small)
        // the same three numbers, added up in other orders
        let first = [0.1 + 0.2 + 0.3, 0.5, 0.7], second = [0.3 + 0.2 + 0.1, 0.5, 0.7]
        #expect(first[0] > second[0])
        var random = SplitMix64(seed: 1)
        let zero = Interval(mean: 0, low: 0, high: 0)
        #expect(Bootstrap.pairedDifference(first, second, resamples: 100, using: &random) == zero)
        #expect(Bootstrap.difference([first[0]], [second[0]], resamples: 100, using: &random) == zero)
    }

    /// Standard normal numbers, by the Box–Muller transform.
    private func normals(_ count: Int, seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        func uniform() -> Double { (Double(random.next() >> 11) + 0.5) / 9007199254740992 }
        return (0..<count).map { _ in (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
    }

    @Test func statisticsEqualNumpy() throws {
        let expected = try Fixtures.json(StatisticsFixture.self, from: "diversity/sets.json").statistics
        for (text, value) in expected.quantiles {
            let q = try #require(Double(text))
            #expect(isClose(try #require(Statistics.quantile(q, of: expected.values)), value))
        }
        #expect(isClose(try #require(Statistics.standardDeviation(of: expected.values)), expected.std))
        #expect(isClose(try #require(Statistics.sampleStandardDeviation(of: expected.values)), expected.sampleStd))
        #expect(Statistics.mean(of: []) == nil)
        #expect(Statistics.median(of: []) == nil)
        #expect(Statistics.sampleStandardDeviation(of: [1]) == nil)
    }

    @Test func sameSeedGivesTheSameInterval() {
        let values = normals(50, seed: 3)
        var a = SplitMix64(seed: 1)
        var b = SplitMix64(seed: 1)
        var c = SplitMix64(seed: 2)
        let first = Bootstrap.mean(of: values, using: &a)
        #expect(first == Bootstrap.mean(of: values, using: &b))
        #expect(first != Bootstrap.mean(of: values, using: &c))
        #expect(a.next() == b.next())
    }

    @Test("resamples are those of one stream of draws, for any number of threads", arguments: [1, 2, 7, 16])
    func resamplesOfOneStream(threads: Int) {
        let values = normals(37, seed: 41)
        var (random, copy) = (SplitMix64(seed: 43), SplitMix64(seed: 43))
        var stream = SplitMix64(from: &copy)
        func resampledMean() -> Double {
            (0..<37).reduce(0.0) { sum, _ in sum + values[stream.index(below: 37)] } / 37
        }
        let means = (0..<1000).map { _ in resampledMean() }.sorted()
        let (interval, median) = Compute.$threads.withValue(threads) {
            (
                Bootstrap.mean(of: values, resamples: 1000, using: &random),
                Bootstrap.statistic(count: 37, resamples: 1000, using: &random) { indices in
                    Statistics.median(of: indices.map { values[$0] }) ?? .nan
                }
            )
        }
        #expect(interval.low == Statistics.quantile(0.025, ofSorted: means))
        #expect(interval.high == Statistics.quantile(0.975, ofSorted: means))
        stream = SplitMix64(from: &copy)
        let medians = (0..<1000).map { _ in
            Statistics.median(of: (0..<37).map { _ in values[stream.index(below: 37)] }) ?? .nan
        }.sorted()
        #expect(median.low == Statistics.quantile(0.025, ofSorted: medians))
        #expect(median.high == Statistics.quantile(0.975, ofSorted: medians))
    }

    @Test func meanIntervalHasTheWidthOfTheCentralLimit() {
        let values = normals(400, seed: 5)
        var random = SplitMix64(seed: 7)
        let interval = Bootstrap.mean(of: values, resamples: 4000, using: &random)
        let error = (Statistics.sampleStandardDeviation(of: values) ?? 0) / 20
        #expect(abs(interval.high - interval.mean - 1.96 * error) < 0.1 * error)
        #expect(abs(interval.mean - interval.low - 1.96 * error) < 0.1 * error)
    }

    @Test func intervalsCoverTheTruthAboutNineteenTimesInTwenty() {
        var covered = 0
        var random = SplitMix64(seed: 13)
        for trial in 0..<300 {
            let values = normals(60, seed: UInt64(1000 + trial))
            covered += Bootstrap.mean(of: values, resamples: 500, using: &random).contains(0) ? 1 : 0
        }
        #expect((270...294).contains(covered), "\(covered) of 300")
    }

    @Test func pairingRemovesWhatInputsShare() {
        let base = normals(80, seed: 17).map { $0 * 10 }
        let noise = normals(80, seed: 18)
        let better = zip(base, noise).map { $0 + 1 + 0.1 * $1 }
        var random = SplitMix64(seed: 19)
        let paired = Bootstrap.pairedDifference(better, base, using: &random)
        let unpaired = Bootstrap.difference(better, base, using: &random)
        #expect(paired.low > 0.9 && paired.high < 1.1)
        #expect(unpaired.contains(0))
        #expect(isClose(paired.mean, unpaired.mean))
    }

    @Test func groupedIntervalIsWiderForValuesThatRepeatInAGroup() {
        let groups = normals(40, seed: 23).map { Array(repeating: $0, count: 16) }
        var random = SplitMix64(seed: 29)
        let grouped = Bootstrap.groupedMean(of: groups, using: &random)
        let naive = Bootstrap.mean(of: groups.flatMap { $0 }, using: &random)
        #expect(isClose(grouped.mean, naive.mean))
        let ratio = (grouped.high - grouped.low) / (naive.high - naive.low)
        #expect(ratio > 3.3 && ratio < 4.7)
        let uneven = Bootstrap.groupedMean(of: [[1, 1, 1], [], [5]], using: &random)
        #expect(uneven.mean == 2 && uneven.low == 1 && uneven.high == 5)
    }

    @Test func medianAndStatisticResampleUnits() {
        var random = SplitMix64(seed: 31)
        let values = [1.0, 2, 3, 4, 100]
        let median = Bootstrap.statistic(count: 5, using: &random) { indices in
            Statistics.median(of: indices.map { values[$0] }) ?? .nan
        }
        #expect(median.mean == 3 && median.low >= 1 && median.high <= 100)
        let constant = Bootstrap.statistic(count: 3, resamples: 10, using: &random) { Double($0.count) }
        #expect(constant == Interval(mean: 3, low: 3, high: 3))
    }

    @Test func gapsAreDifferencesOfMeans() throws {
        var random = SplitMix64(seed: 37)
        let gap = GroupedMeans.generalisationGap(inDistribution: [4, 4], outOfDistribution: [1, 1], using: &random)
        #expect(gap == Interval(mean: 3, low: 3, high: 3))
    }

    @Test func intervalsCompareAndPrint() {
        let a = Interval(mean: 1, low: 0.5, high: 1.5)
        #expect(a.contains(0.5) && !a.contains(1.6))
        #expect(a.description == "1 [0.5, 1.5]")
    }

    @Test func indicesAreUniform() {
        var random = SplitMix64(seed: 41)
        var counts = [0, 0, 0]
        for _ in 0..<30000 { counts[random.index(below: 3)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10000) < 400 })
        #expect(random.distinctIndices(50, below: 50).sorted() == Array(0..<50))
        #expect(Set(random.distinctIndices(10, below: 50)).count == 10)
    }
}
