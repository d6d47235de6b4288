import Eval
import Foundation
import Testing
import _TestSupport

/// Length-controlled win rates as alpaca_eval finds them; Tests/Fixtures/alpaca-eval has the numbers and the script.
@Suite struct AlpacaEvalTests {
    private struct Fixture: Decodable {
        struct Row: Decodable {
            var preference: Double?
            var index: Int
            var length_1: Int
            var length_2: Int
        }
        struct Rates: Decodable {
            var length_controlled_winrate: Double
            var lc_standard_error: Double
            var C: Double
            var coefficients: [Double]
        }
        struct Both: Decodable {
            var `default`: Rates
            var exact: Rates
        }
        struct Case: Decodable {
            var name: String
            var rows: [Row]
            var rates: [String: Both]
        }
        var difficulty: [Double]
        var gamed: [AlpacaEvalWinRate.GamedComparison]
        var cases: [Case]
    }

    /// alpaca_eval's first output is the baseline's, and 2 means that the second one wins; 0 and 1.5 are ties.
    private func comparison(_ row: Fixture.Row, _ difficulty: [Double]) -> AlpacaEvalWinRate.Comparison {
        .init(
            outcome: row.preference.map { $0 == 0 ? 0.5 : $0 - 1 }, lengthDifference: Double(row.length_1 - row.length_2),
            difficulty: difficulty[row.index])
    }

    @Test("all three forms equal alpaca_eval's", arguments: AlpacaEvalWinRate.Form.allCases)
    func equalsThePackage(form: AlpacaEvalWinRate.Form) throws {
        let fixture = try Fixtures.json(Fixture.self, from: "alpaca-eval/winrates.json")
        #expect(fixture.cases.count == 9)
        for example in fixture.cases {
            let expected = try #require(example.rates[form.rawValue])
            let found = try #require(
                AlpacaEvalWinRate.estimate(form, of: example.rows.map { comparison($0, fixture.difficulty) }, gamed: fixture.gamed))
            let rate = 100 * found.rate
            // liblinear stops early; with a tighter tolerance it comes to the same numbers
            #expect(abs(rate - expected.exact.length_controlled_winrate) < 0.005, "\(example.name): \(rate) \(expected.exact)")
            #expect(abs(rate - expected.default.length_controlled_winrate) < 0.02, "\(example.name): \(rate) \(expected.default)")
            #expect(abs(100 * found.standardError - expected.exact.lc_standard_error) < 0.005, "\(example.name)")
            #expect((found.difficultyCoefficient == nil) == (form == .minimal))
            #expect(found.fitted == example.rows.count { $0.preference != nil })
            // where two tolerances choose differently, the folds' losses are as good as equal
            if abs(expected.exact.C / expected.default.C - 1) < 1e-9 {
                #expect(abs(found.strength / expected.exact.C - 1) < 1e-9, "\(example.name): \(found.strength) \(expected.exact.C)")
            }
        }
    }

    @Test("lengths are code points, of the other text minus the first")
    func lengths() {
        let comparison = AlpacaEvalWinRate.Comparison(outcome: 1, first: "e\u{301}e", second: "\u{1F600}\n")
        #expect(comparison.lengthDifference == -1)
    }

    @Test("too few comparisons have no estimate; a difficulty that is missing leaves the others' numbers")
    func missing() throws {
        let fixture = try Fixtures.json(Fixture.self, from: "alpaca-eval/winrates.json")
        let rows = fixture.cases[2].rows.map { comparison($0, fixture.difficulty) }
        #expect(AlpacaEvalWinRate.estimate(.minimal, of: Array(rows.prefix(4))) == nil)
        #expect(AlpacaEvalWinRate.estimate(.minimal, of: []) == nil)
        #expect(AlpacaEvalWinRate.estimate(.unregularised, of: rows.map { .init(outcome: $0.outcome, lengthDifference: 1) }) == nil)
        var one = rows
        one[3].difficulty = nil
        let found = try #require(AlpacaEvalWinRate.estimate(.unregularised, of: one))
        let whole = try #require(AlpacaEvalWinRate.estimate(.unregularised, of: rows))
        #expect(found.withoutDifficulty == 1 && found.fitted == rows.count - 1 && abs(found.rate - whole.rate) < 0.02)
        // equal lengths throughout: there is nothing to control
        let equal = try #require(
            AlpacaEvalWinRate.estimate(.minimal, of: (0..<40).map { .init(outcome: $0 % 4 == 0 ? 0 : 1, lengthDifference: 0) }))
        #expect(equal.lengthCoefficient == 0 && abs(equal.rate - 0.75) < 0.05)
    }

    @Test("the penalised fit has no better neighbour")
    func optimum() {
        var random = SplitMix64(seed: 9)
        func uniform() -> Double { Double(random.next() >> 11) / 9_007_199_254_740_992 }
        let problem = L1LogisticRegression(
            features: (0..<80).map { _ in [2 * uniform() - 1, uniform(), 1] }, outcomes: (0..<80).map { _ in uniform() },
            weights: (0..<80).map { _ in uniform() })
        for strength in [0.01, 0.3, 5, 1000] {
            let w = problem.fit(strength: strength)
            func value(_ w: [Double]) -> Double {
                w.reduce(0) { $0 + abs($1) } + strength * Double(problem.features.count) * problem.logLoss(w)
            }
            for place in w.indices {
                for step in [-1e-4, 1e-4] {
                    var other = w
                    other[place] += step
                    #expect(value(other) >= value(w))
                }
            }
        }
        #expect(problem.fit(strength: 0.001) == [0, 0, 0])
    }
}
