import Eval
import Foundation
import Testing

import Runs

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct SummaryPictureTests {
    private static func interval(_ mean: Double, _ half: Double) -> Interval {
        Interval(mean: mean, low: mean - half, high: mean + half)
    }

    @Test("an axis holds its intervals and marks a few round numbers")
    func axis() {
        let axis = PictureAxis([Self.interval(-0.3, 0.1), Self.interval(0.8, 0.2)], from: 100, to: 0)
        #expect(axis.place(-0.3) > axis.place(0.8))
        #expect(axis.place(-0.4) < 100 && axis.place(1) > 0)
        #expect(axis.ticks.map(axis.label) == ["-0.5", "0.0", "0.5", "1.0"])
        let fine = PictureAxis([Self.interval(0.601, 0.004)], from: 0, to: 300)
        #expect((3...7).contains(fine.ticks.count))
        #expect(Set(fine.ticks.map(fine.label)).count == fine.ticks.count)
    }

    @Test("values that are all equal still make an axis")
    func degenerate() {
        let axis = PictureAxis([Self.interval(2, 0)], from: 0, to: 10)
        #expect(axis.place(2).isFinite && !axis.ticks.isEmpty && axis.ticks.count < 20)
    }

    @Test("the picture is well-formed and has a point for each system in each panel")
    func document() {
        let svg = SummaryPicture(summary: SummaryTests.summary).svg
        #expect(svg.components(separatedBy: "<circle ").count == 1 + 6)
        let parser = XMLParser(data: Foundation.Data(svg.utf8))
        #expect(parser.parse(), "\(parser.parserError as Any)")
        for name in ["SFT", "PPO", "best-of-N"] { #expect(svg.contains(">\(name)</text>")) }
    }
}
