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

    /// One Adafactor step on a matrix, in the order of the class `Adafactor` of Transformers with a given learning rate.
    /// - Parameters:
    ///   - rows: the second moments of the rows.
    ///   - columns: those of the columns.
    public static func adafactor(
        _ step: AdafactorStep, gradient: [[Double]], value: inout [[Double]], rows: inout [Double], columns: inout [Double]
    ) {
        let (height, width) = (rows.count, columns.count)
        let beta = 1 - pow(Double(step.number), -0.8)
        func square(_ row: Int, _ column: Int) -> Double { pow(gradient[row][column] * Double(step.gradientScale), 2) + 1e-30 }
        for row in 0..<height {
            let mean = (0..<width).reduce(0) { $0 + square(row, $1) } / Double(width)
            rows[row] = beta * rows[row] + (1 - beta) * mean
        }
        for column in 0..<width {
            let mean = (0..<height).reduce(0) { $0 + square($1, column) } / Double(height)
            columns[column] = beta * columns[column] + (1 - beta) * mean
        }
        let mean = rows.reduce(0, +) / Double(height)
        apply(step, gradient, to: &value) { (rows[$0] * columns[$1] / mean).squareRoot() }
    }

    /// One Adafactor step on a vector.
    public static func adafactor(_ step: AdafactorStep, gradient: [Double], value: inout [Double], second: inout [Double]) {
        let beta = 1 - pow(Double(step.number), -0.8)
        for (index, g) in gradient.enumerated() {
            second[index] = beta * second[index] + (1 - beta) * (pow(g * Double(step.gradientScale), 2) + 1e-30)
        }
        var matrix = [value]
        apply(step, [gradient], to: &matrix) { second[$1].squareRoot() }
        value = matrix[0]
    }

    /// Subtracts the gradient divided by a root, clipped to a root mean square of 1.
    private static func apply(
        _ step: AdafactorStep, _ gradient: [[Double]], to value: inout [[Double]], root: (_ row: Int, _ column: Int) -> Double
    ) {
        let update = gradient.enumerated().map { row, numbers in
            numbers.enumerated().map { column, g in g * Double(step.gradientScale) / root(row, column) }
        }
        let numbers = update.joined()
        let size = (numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)).squareRoot()
        let rate = Double(step.learningRate)
        for row in value.indices {
            for column in value[row].indices {
                value[row][column] -= rate * Double(step.weightDecay) * value[row][column]
                value[row][column] -= rate * update[row][column] / max(1, size)
            }
        }
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

    /// How many numbers of a moment in 8 bits are not those of the nearest codes, or as near as rounding tells, and how many scales are
    /// not the largest absolute numbers of their blocks.
    /// - Parameter exact: the numbers before they are rounded to codes.
    package static func misplaced(_ codes: MomentCodes, of exact: [Double], in map: DynamicMap) -> Int {
        let stored = codes.withCodes(Array.init)
        let scales = codes.withScales(Array.init)
        var wrong = 0
        for start in stride(from: 0, to: exact.count, by: 256) {
            let block = start..<min(start + 256, exact.count)
            let scale = Double(scales[start / 256])
            let largest = exact[block].reduce(0) { max($0, abs($1)) }
            if abs(scale - largest) > 2e-6 * largest + 2e-8 { wrong += 1 }
            for index in block {
                let relative = exact[index] / scale
                let isPositive = exact[index] > 0 && map === DynamicMap.unsigned
                func distance(_ code: Int) -> Double { abs(Double(map.values[code]) - relative) }
                let least = distance(nearest(relative, in: map.values, above: isPositive))
                if distance(Int(stored[index])) > least + 2e-6 * abs(relative) + 1e-12 || (isPositive && stored[index] == 0) { wrong += 1 }
            }
        }
        return wrong
    }
}
