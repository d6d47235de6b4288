import Tensor
import Testing
import _TestSupport

/// The judge is judged first.
@Suite struct TestSupportTests {
    private func complaint(_ actual: [Float], _ expected: [Double]) -> String {
        Closeness(actual, expected, relative: 1e-3, absolute: 1e-6).complaint ?? "close"
    }

    @Test func closeNumbersAreClose() {
        #expect(complaint([], []) == "close")
        #expect(complaint([1, -2, 0], [1.0009, -2.0019, 9e-7]) == "close")
        #expect(complaint([.infinity, -.infinity, .nan], [.infinity, -.infinity, .nan]) == "close")
        #expect(Closeness([Float(1), 2], [1.25, 2.5], relative: 1, absolute: 0).largestError == 0.5)
    }

    @Test func countsComeFirst() {
        #expect(complaint([1], [1, 2]) == "1 numbers, expected 2")
        withKnownIssue { expectClose(Tensor.zeros([2, 3]), Tensor.zeros([3, 2])) }
    }

    @Test func thenNumbersThatAreNotFinite() {
        let text = complaint([1, .nan, 5, -.infinity], [1, 2, 3, .infinity])
        #expect(text.hasPrefix("2 of 4 numbers are not finite on one side only; the first is at 1: nan, expected 2.0"))
        #expect(complaint([3], [.nan]).hasPrefix("1 of 1"))
    }

    @Test func thenTheWorstElement() {
        let text = complaint([1, 2.5, 3, 5], [1, 2, 3, 4])
        #expect(text.hasPrefix("2 of 4 numbers are outside") && text.hasSuffix("the worst is at 3: 5.0, expected 4.0"))
        withKnownIssue { expectClose([Float(1)], [2.0]) }
        withKnownIssue { expectClose(Float(1), 2.0) }
    }

    @Test func aBrokenOperationIsFound() {
        let wrongValue = OpCases.unary("wrong", 33, { $0.scaled(by: 1.0001) }, { $0 })
        withKnownIssue { wrongValue.checkValues() }
        // right values, but the gradient of one of the two uses of x is lost
        let wrongGradient = OpCases.unary("wrong", 33, { $0 * $0.detached }, { $0 * $0 })
        wrongGradient.checkValues()
        withKnownIssue { wrongGradient.checkGradients() }
    }

    @Test func fixturesAreFound() throws {
        let tensors = try Fixtures.safetensors("ppo/parameters.safetensors")
        #expect(!tensors.isEmpty)
        #expect(tensors.values.allSatisfy { $0.tensor.nonFiniteCount == 0 && $0.values.count == $0.tensor.count })
    }
}
