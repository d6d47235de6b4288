import Eval
import Testing
import _TestSupport

/// Agreement of two people; Tests/Fixtures/agreement has the numbers and the script.
@Suite struct CohenKappaTests {
    private struct Case: Decodable {
        var first: [Int]
        var second: [Int]
        var equal: Double
        var linear: Double
        var quadratic: Double
    }

    @Test("kappa is scikit-learn's, with and without weights")
    func reference() throws {
        let cases = try Fixtures.json([Case].self, from: "agreement/kappa.json")
        #expect(cases.count == 3)
        for one in cases {
            for (weights, expected) in [
                (CohenKappa.Weights.equal, one.equal), (.linear, one.linear), (.quadratic, one.quadratic),
            ] {
                let kappa = try #require(CohenKappa.kappa(one.first, one.second, weights: weights))
                #expect(abs(kappa - expected) < 1e-12, "\(weights)")
            }
        }
    }

    @Test("kappa is not defined without tasks, or where both give one answer alone", arguments: CohenKappa.Weights.allCases)
    func undefined(weights: CohenKappa.Weights) {
        #expect(CohenKappa.kappa([], [], weights: weights) == nil)
        #expect(CohenKappa.kappa([2, 2], [2, 2], weights: weights) == nil)
        #expect(CohenKappa.kappa([1, 2], [1, 2], weights: weights) == 1)
    }
}
