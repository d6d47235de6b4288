import Tensor
import Testing
import _TestSupport

@Suite struct AdamTests {
    private static func step(_ number: Int, weightDecay: Float, gradientScale: Float) -> AdamStep {
        AdamStep(
            learningRate: 0.01 / Float(number), beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: weightDecay,
            number: number, gradientScale: gradientScale)
    }

    @Test(arguments: [0, 1, 7, 16, 17, 33, 100, 140_001], [(Float(0), Float(1)), (0.1, 0.25)])
    func fiveStepsEqualTheFormulasInDouble(count: Int, settings: (weightDecay: Float, gradientScale: Float)) {
        onEveryBuild { label, _ in
            var value = OpCase.Input.normal("value", [count]).tensor
            var (first, second) = (Tensor.zeros([count]), Tensor.zeros([count]))
            var values = value.values.map(Double.init)
            var (firsts, seconds) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
            for number in 1...5 {
                let step = Self.step(number, weightDecay: settings.weightDecay, gradientScale: settings.gradientScale)
                let gradient = OpCase.Input.normal("gradient \(number)", [count]).tensor
                step.apply(gradient: gradient, to: &value, first: &first, second: &second)
                for (index, g) in gradient.values.enumerated() {
                    Naive.adam(
                        step, gradient: Double(g), value: &values[index], first: &firsts[index], second: &seconds[index])
                }
            }
            expectClose(value.values, values, relative: 2e-6, absolute: 2e-7, label: label)
            expectClose(first.values, firsts, relative: 1e-5, absolute: 1e-7, label: label)
            expectClose(second.values, seconds, relative: 1e-5, absolute: 1e-9, label: label)
        }
    }

    @Test func sharedValuesAreCopiedFirst() {
        let start = Tensor([1, 2], shape: [2])
        var (value, first, second) = (start, Tensor.zeros([2]), Tensor.zeros([2]))
        Self.step(1, weightDecay: 0, gradientScale: 1).apply(gradient: start, to: &value, first: &first, second: &second)
        #expect(start.values == [1, 2])
        #expect(value.values != [1, 2])
    }

    @Test func threadsDoNotChangeTheBits() {
        func run() -> [Float] {
            var value = OpCase.Input.normal("value", [200_000]).tensor
            var (first, second) = (Tensor.zeros([200_000]), Tensor.zeros([200_000]))
            let gradient = OpCase.Input.normal("gradient", [200_000]).tensor
            Self.step(1, weightDecay: 0.1, gradientScale: 0.5).apply(gradient: gradient, to: &value, first: &first, second: &second)
            return value.values
        }
        #expect(Compute.$threads.withValue(1, operation: run) == Compute.$threads.withValue(2, operation: run))
    }
}
