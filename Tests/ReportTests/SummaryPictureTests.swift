import Eval
import Foundation
import Testing

import Report
import Runs
import Study

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

    /// A reward that is 10 000 000 for every text must not end the program.
    @Test("numbers of any size make an axis", arguments: [1e7, -1e17, 1e300, -1.7e308])
    func large(value: Double) {
        let axis = PictureAxis([Self.interval(value, 0)], from: 0, to: 10)
        #expect(axis.place(value).isFinite && axis.ticks.count < 20)
        let wide = PictureAxis([Interval(mean: 0, low: -abs(value), high: abs(value))], from: 0, to: 10)
        #expect(abs(wide.place(0) - 5) < 1e-6 && wide.ticks.map(wide.label).contains("0"))
    }

    @Test("the picture is well-formed and has a point for each system in each panel")
    func document() {
        let svg = SummaryPicture(summary: SummaryTests.summary).svg
        #expect(svg.components(separatedBy: "class=\"m ").count == 1 + 6)
        let parser = XMLParser(data: Foundation.Data(svg.utf8))
        #expect(parser.parse(), "\(parser.parserError as Any)")
        for name in ["SFT", "PPO", "best-of-N"] { #expect(svg.contains(">\(name)</text>")) }
    }
}
