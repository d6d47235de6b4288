import Diversity
import Eval
import Foundation
import Report
import Tensor
import Testing
import _TestSupport

/// Numbers of a report against what a script with NumPy makes of the same values by other means.
@Suite struct ReportMeasuresTests {
    private struct Expected: Decodable {
        struct Bin: Decodable { var count: Int, predicted: Double, observed: Double, low: Double, high: Double }
        var values: [Double], span: Int, smoothed: [Double], pairs: [[Double]], bins: [Bin], error: Double
        var rewards: [[Double]], best: [Double], kl: [Double]
    }

    private let expected: Expected

    init() throws {
        expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: Fixtures.url("report/measures.json")))
    }

    private func isClose(_ first: Double, _ second: Double) -> Bool { abs(first - second) < 1e-9 }

    @Test("moving averages are weighted means of what came before")
    func smoothing() {
        let smoothed = Smoothing.averages(expected.values, span: expected.span)
        #expect(smoothed.count == expected.smoothed.count && zip(smoothed, expected.smoothed).allSatisfy(isClose))
        #expect(Smoothing.averages([], span: 3).isEmpty && Smoothing.averages([2, 2, 2], span: 5) == [2, 2, 2])
    }

    @Test("thinned lines keep their ends and their extremes")
    func thinning() {
        let values = (0..<10_000).map { sin(Double($0) / 50) + ($0 == 4321 ? 9 : 0) }
        let places = Smoothing.thinned(values, parts: 50)
        #expect(places.count <= 151 && places.first == 0 && places.last == 9999 && places.contains(4321))
        #expect(places == places.sorted() && Set(places).count == places.count)
        #expect(Smoothing.thinned([1, 2, 3], parts: 50) == [0, 1, 2] && Smoothing.thinned([], parts: 5).isEmpty)
        #expect(Smoothing.thinned([Double](repeating: 1, count: 900), parts: 10).count == 11)
    }

    @Test("calibration: bins of equal counts, Wilson intervals, and the expected calibration error")
    func calibration() throws {
        let calibration = Calibration(expected.pairs.map { ($0[0], $0[1]) })
        #expect(calibration.bins.count == expected.bins.count && isClose(calibration.error, expected.error))
        for (bin, wanted) in zip(calibration.bins, expected.bins) {
            #expect(bin.count == wanted.count && isClose(bin.predicted, wanted.predicted) && isClose(bin.observed.mean, wanted.observed))
            #expect(isClose(bin.observed.low, wanted.low) && isClose(bin.observed.high, wanted.high))
        }
        #expect(Calibration([]).bins.isEmpty && Calibration([(1, 0)]).bins.map(\.count) == [1])
    }

    @Test("the reward of the best of n is the mean over all choices of n")
    func bestOfN() throws {
        var random = Philox(seed: 1).split("test")
        let input = DiversityInput(
            expected.rewards.enumerated().map { index, rewards in
                .init(input: "\(index)", outputs: rewards.map { .init("a", reward: $0) })
            })
        let curve = try BestOfNCurve(input, using: &random)
        #expect(curve.points.map(\.n) == [1, 2, 3, 4, 5, 6])
        #expect(zip(curve.points, expected.best).allSatisfy { isClose($0.reward.mean, $1) })
        #expect(zip(curve.points, expected.kl).allSatisfy { isClose($0.divergence, $1) })
    }

    @Test("histograms count everything, also what lies outside")
    func histogram() {
        let histogram = Histogram([-10, 0, 0.5, 0.99, 1, 50, .nan], from: 0, to: 2, bins: 2)
        #expect(histogram.edges == [0, 1, 2])
        #expect(zip(histogram.shares, [4.0 / 7, 2.0 / 7]).allSatisfy(isClose))
        #expect(Histogram.range(of: [[1, 1, 1]])?.low == 0.5)
    }

    @Test("labels keep their distance and stay in the panel")
    func labels() {
        let picture = Picture(
            name: "p", title: "t",
            [
                PicturePanel(
                    title: "a", across: "x", up: "y",
                    (0..<12).map {
                        PictureSeries("run \($0)", PictureStyle($0), [PicturePoint(0, 1), PicturePoint(1, 1)], [.line], label: .atEnd)
                    })
            ])
        let places = picture.document.split(separator: "\n").filter { $0.contains(">run ") }
            .compactMap { $0.firstMatch(of: /y="([0-9.]+)"/).flatMap { Double($0.1) } }
        #expect(places.count == 12)
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 > 10 })
        #expect(picture.document.contains("role=\"img\"") && picture.document.contains("<desc id=\"p-desc\">"))
    }

    @Test("logarithmic axes mark powers, and values of 0 and below do no harm")
    func logarithmic() {
        let axis = PictureAxis([Interval(mean: 10, low: 0.001, high: 1000)], from: 0, to: 100, scale: .logarithmic)
        #expect(axis.place(0.001) < axis.place(1) && abs(axis.place(1) - 50) < 1e-6 && axis.place(0).isFinite && axis.place(-3).isFinite)
        #expect(axis.ticks.count < 12 && axis.ticks.contains(1))
    }
}
