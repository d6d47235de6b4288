import Foundation
public import Tensor

extension Naive {
    /// One AdamW step in the order of torch.optim.AdamW, on one number.
    public static func adam(
        _ step: AdamStep, gradient: Double, value: inout Double, first: inout Double, second: inout Double
    ) {
        let g = gradient * Double(step.gradientScale)
        let (beta1, beta2, rate) = (Double(step.beta1), Double(step.beta2), Double(step.learningRate))
        value *= 1 - rate * Double(step.weightDecay)
        first = beta1 * first + (1 - beta1) * g
        second = beta2 * second + (1 - beta2) * g * g
        let corrected = first / (1 - pow(beta1, Double(step.number)))
        let deviation = (second / (1 - pow(beta2, Double(step.number)))).squareRoot()
        value -= rate * corrected / (deviation + Double(step.epsilon))
    }

    /// One Lion step in the order of the paper's code, on one number.
    /// - Returns: how far the mean of momentum and gradient is from 0, relative to its two terms: where this is about the rounding of a
    ///   float, a kernel may find the other sign.
    @discardableResult
    public static func lion(_ step: LionStep, gradient: Double, value: inout Double, momentum: inout Double) -> Double {
        let g = gradient * Double(step.gradientScale)
        let (beta1, beta2, rate) = (Double(step.beta1), Double(step.beta2), Double(step.learningRate))
        let terms = (beta1 * momentum, (1 - beta1) * g)
        let mean = terms.0 + terms.1
        value *= 1 - rate * Double(step.weightDecay)
        value -= mean == 0 ? 0 : mean > 0 ? rate : -rate
        momentum = beta2 * momentum + (1 - beta2) * g
        return mean == 0 ? 1 : abs(mean) / (abs(terms.0) + abs(terms.1))
    }

    /// The index of the number that is nearest to `x`, by comparing with all; the first of several that are equally near.
    /// - Parameter above: whether the first number is left out.
    public static func nearest(_ x: Double, in numbers: [Float], above: Bool = false) -> Int {
        var (best, least) = (0, Double.infinity)
        for (index, number) in numbers.enumerated() where index > 0 || !above {
            let distance = abs(Double(number) - x)
            if distance < least { (best, least) = (index, distance) }
        }
        return best
    }
}
