import Eval
import Foundation
import Testing
import _TestSupport

/// Agreement of people; Tests/Fixtures/agreement has the numbers and the script.
@Suite struct KrippendorffAlphaTests {
    private struct Case: Decodable {
        var units: [[Double]]
        var nominal: Double
        var ordinal: Double
        var interval: Double
    }

    @Test("alpha is that of the package krippendorff, with missing values")
    func reference() throws {
        let cases = try Fixtures.json([Case].self, from: "agreement/alpha.json")
        #expect(cases.count == 4)
        for one in cases {
            for (level, expected) in [
                (KrippendorffAlpha.Level.nominal, one.nominal), (.ordinal, one.ordinal), (.interval, one.interval),
            ] {
                let alpha = try #require(KrippendorffAlpha.alpha(one.units, level: level))
                #expect(abs(alpha - expected) < 1e-12, "\(level)")
            }
        }
    }

    @Test("alpha is not defined without two people on one task, or with one value alone", arguments: KrippendorffAlpha.Level.allCases)
    func undefined(level: KrippendorffAlpha.Level) {
        #expect(KrippendorffAlpha.alpha([], level: level) == nil)
        #expect(KrippendorffAlpha.alpha([[1], [2], []], level: level) == nil)
        #expect(KrippendorffAlpha.alpha([[2, 2], [2, 2, 2], [1]], level: level) == nil)
        #expect(KrippendorffAlpha.alpha([[1, 1], [2, 2]], level: level) == 1)
    }
}
