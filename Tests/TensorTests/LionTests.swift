import Tensor
import Testing
import _TestSupport

@Suite struct LionTests {
    private static func step(_ number: Int, weightDecay: Float, gradientScale: Float) -> LionStep {
        LionStep(
            learningRate: 0.01 / Float(number), beta1: 0.9, beta2: 0.99, weightDecay: weightDecay, gradientScale: gradientScale)
    }

    @Test(arguments: [0, 1, 7, 16, 17, 33, 100, 140_001], [(Float(0), Float(1)), (0.1, 0.25)])
    func fiveStepsEqualTheFormulasInDouble(count: Int, settings: (weightDecay: Float, gradientScale: Float)) {
        onEveryBuild { label, _ in
            var value = OpCase.Input.normal("value", [count]).tensor
            var momentum = Tensor.zeros([count])
            for number in 1...5 {
                let step = Self.step(number, weightDecay: settings.weightDecay, gradientScale: settings.gradientScale)
                let gradient = OpCase.Input.normal("gradient \(number)", [count]).tensor
                // from the kernel's own numbers, because one other sign would change all that follows
                var values = value.values.map(Double.init)
                var momenta = momentum.values.map(Double.init)
                step.apply(gradient: gradient, to: &value, momentum: &momentum)
                let found = value.values
                for (index, g) in gradient.values.enumerated() {
                    let clearness = Naive.lion(step, gradient: Double(g), value: &values[index], momentum: &momenta[index])
                    if clearness < 1e-6 { values[index] = Double(found[index]) }
                }
                expectClose(found, values, relative: 2e-7, absolute: 2e-9, label: label)
                expectClose(momentum.values, momenta, relative: 1e-6, absolute: 1e-8, label: label)
            }
        }
    }

    /// Where a weight has had no gradient, only the decay changes it.
    @Test func theSignOfZeroIsZero() {
        onEveryBuild { label, _ in
            var (value, momentum) = (Tensor([1, -2, 4], shape: [3]), Tensor.zeros([3]))
            let step = LionStep(learningRate: 0.5, beta1: 0.9, beta2: 0.99, weightDecay: 0.5, gradientScale: 1)
            step.apply(gradient: Tensor([0, -0.0, 1e-30], shape: [3]), to: &value, momentum: &momentum)
            #expect(value.values == [0.75, -1.5, 2.5], "\(label)")
            #expect(momentum.values[0] == 0 && momentum.values[1] == 0, "\(label)")
        }
    }

    @Test func sharedValuesAreCopiedFirst() {
        let start = Tensor([1, 2], shape: [2])
        var (value, momentum) = (start, start)
        Self.step(1, weightDecay: 0, gradientScale: 1).apply(gradient: start, to: &value, momentum: &momentum)
        #expect(start.values == [1, 2])
        #expect(value.values != [1, 2])
    }

    @Test func threadsDoNotChangeTheBits() {
        func run() -> [Float] {
            var value = OpCase.Input.normal("value", [200_000]).tensor
            var momentum = OpCase.Input.normal("momentum", [200_000]).tensor
            let gradient = OpCase.Input.normal("gradient", [200_000]).tensor
            Self.step(1, weightDecay: 0.1, gradientScale: 0.5).apply(gradient: gradient, to: &value, momentum: &momentum)
            return value.values + momentum.values
        }
        #expect(Compute.$threads.withValue(1, operation: run) == Compute.$threads.withValue(2, operation: run))
    }
}
