import Eval
import Testing
import _TestSupport

@Suite struct CrossedMeanTests {
    @Test("quantiles of Student's distribution, also of broken degrees of freedom (scipy)")
    func quantiles() {
        let expected = [
            1: 12.706204736174694, 1.5: 6.016663104427929, 2: 4.302652729749462, 2.5: 3.5746548420036817,
            3.7: 2.8675207071911895, 10: 2.228138851986274, 49: 2.0095752371292392, 300.25: 1.9678963746654339,
            5000: 1.9604385517065073, .infinity: 1.959963984540054,
        ]
        for (degrees, value) in expected {
            #expect(abs(StudentT.quantile975(degrees: degrees) - value) < 1e-7, "\(degrees)")
        }
    }

    /// Three runs on five units; mean and interval by numpy and scipy.
    @Test func cells() {
        let cells = [
            [2.04, -2.56, 0.42, -0.57, -0.45], [1.83, -4.58, 0.19, -1.43, 2.87], [2.05, -4.93, -0.1, -2.1, 1.82],
        ]
        let found = CrossedMean.interval(of: cells)
        expectClose(
            [found.mean, found.low, found.high], [-0.36666666666666653, -3.3502286673671, 2.6168953340337664],
            relative: 1e-8)
    }

    @Test("one run leaves the units, one unit the runs, one of both the point")
    func edges() {
        let t = StudentT.quantile975(degrees: 2)
        // three values 1, 2, 6: mean 3, variance 7
        for cells in [[[1, 2, 6]], [[1], [2], [6]]] as [[[Double]]] {
            let found = CrossedMean.interval(of: cells)
            #expect(abs(found.mean - 3) < 1e-12 && abs(found.high - 3 - t * (7.0 / 3).squareRoot()) < 1e-9)
        }
        #expect(CrossedMean.interval(of: [[4]]) == Interval(mean: 4, low: 4, high: 4))
        #expect(CrossedMean.interval(of: [4, 4, 4]) == Interval(mean: 4, low: 4, high: 4))
    }

    /// The interval holds the true mean about as often as it says, runs and units being drawn anew.
    @Test func coverage() {
        var random = SplitMix64(seed: 5)
        // a sum of uniform numbers stands for a normal one: mean 0, variance 1
        func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 } }
        var hits = 0
        let trials = 1000
        for _ in 0..<trials {
            let (runs, units) = ((0..<3).map { _ in normal() }, (0..<20).map { _ in 2 * normal() })
            let cells = runs.map { run in units.map { run + $0 + normal() } }
            if CrossedMean.interval(of: cells).contains(0) { hits += 1 }
        }
        #expect((930...1000).contains(hits), "\(hits) of \(trials)")
    }
}
