import Foundation
import Tensor
import Testing
import _TestSupport

@Suite struct AdafactorTests {
    private static func step(_ number: Int, weightDecay: Float = 0, gradientScale: Float = 1) -> AdafactorStep {
        AdafactorStep(learningRate: 0.01 / Float(number), weightDecay: weightDecay, number: number, gradientScale: gradientScale)
    }

    private static func matrix(_ tensor: Tensor) -> [[Double]] {
        let (rows, width, values) = (tensor.shape.rows, tensor.shape.width, tensor.values)
        return (0..<rows).map { row in values[row * width..<(row + 1) * width].map(Double.init) }
    }

    /// A gradient whose rows and columns have different sizes; later ones are larger, so that steps are clipped.
    private static func gradient(_ number: Int, _ shape: Shape) -> Tensor {
        let width = max(1, shape.width)
        let values = OpCase.Input.normal("gradient \(number)", shape).tensor.values.enumerated().map { index, x in
            x * [1, 0.01, 3][index / width % 3] * [1, 10][index % width % 2] * Float(number * number)
        }
        return Tensor(values, shape: shape)
    }

    @Test(
        "steps on matrices equal the formulas in Double",
        arguments: [[1, 1], [1, 40], [40, 1], [3, 5], [17, 33], [700, 19], [33, 1030], [2, 40_000], [3000, 50]])
    func matrices(dimensions: [Int]) {
        let shape = Shape(dimensions)
        onEveryBuild { label, threads in
            guard shape.count < 20_000 || threads < 3 else { return }
            var value = OpCase.Input.normal("value", shape).tensor
            var (rows, columns) = (Tensor.zeros([shape.rows]), Tensor.zeros([shape.width]))
            var values = Self.matrix(value)
            var (exactRows, exactColumns) = ([Double](repeating: 0, count: shape.rows), [Double](repeating: 0, count: shape.width))
            for number in 1...3 {
                let step = Self.step(number, weightDecay: 0.1, gradientScale: 0.25)
                let gradient = Self.gradient(number, shape)
                step.apply(gradient: gradient, to: &value, rows: &rows, columns: &columns)
                Naive.adafactor(step, gradient: Self.matrix(gradient), value: &values, rows: &exactRows, columns: &exactColumns)
                let label = "step \(number), \(label)"
                expectClose(value.values, Array(values.joined()), relative: 2e-6, absolute: 1e-6, label: label)
                expectClose(rows.values, exactRows, relative: 1e-5, absolute: 0, label: label)
                expectClose(columns.values, exactColumns, relative: 1e-5, absolute: 0, label: label)
            }
        }
    }

    @Test("steps on vectors equal the formulas in Double", arguments: [1, 7, 16, 17, 513, 1025, 40_000])
    func vectors(count: Int) {
        onEveryBuild { label, _ in
            var value = OpCase.Input.normal("value", [count]).tensor
            var second = Tensor.zeros([count])
            var values = value.values.map(Double.init)
            var exact = [Double](repeating: 0, count: count)
            for number in 1...3 {
                let step = Self.step(number, weightDecay: 0.1, gradientScale: 0.25)
                let gradient = Self.gradient(number, [count])
                step.apply(gradient: gradient, to: &value, second: &second)
                Naive.adafactor(step, gradient: gradient.values.map(Double.init), value: &values, second: &exact)
                expectClose(value.values, values, relative: 2e-6, absolute: 1e-6, label: "step \(number), \(label)")
                expectClose(second.values, exact, relative: 1e-5, absolute: 0, label: "step \(number), \(label)")
            }
        }
    }

    @Test("a change is clipped to a root mean square of the learning rate")
    func clipping() {
        var (value, rows, columns) = (Tensor.zeros([8, 8]), Tensor.zeros([8]), Tensor.zeros([8]))
        func size(_ gradient: Float, _ number: Int) -> Double {
            let before = value.values
            let step = AdafactorStep(learningRate: 0.5, weightDecay: 0, number: number, gradientScale: 1)
            step.apply(gradient: .filled(gradient, [8, 8]), to: &value, rows: &rows, columns: &columns)
            return zip(before, value.values).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
        }
        expectClose([size(1, 1), size(100, 2)], [0.5, 0.5], relative: 1e-5)
        // a gradient below the mean of the earlier ones is not clipped: β of the third step is 1 − 3^−0.8
        let second = pow(2, -0.8) * 1e4 + (1 - pow(2, -0.8))
        let third = (1 - pow(3, -0.8)) * second + pow(3, -0.8)
        expectClose(size(1, 3), 0.5 / third.squareRoot(), relative: 1e-5)
    }

    @Test("rows, columns and tensors without gradients stay numbers")
    func zeros() {
        onEveryBuild { label, _ in
            var (value, rows, columns) = (Tensor.filled(1, [3, 20]), Tensor.zeros([3]), Tensor.zeros([20]))
            var numbers = [Float](repeating: 0, count: 60)
            for number in 1...3 {
                Self.step(number).apply(gradient: Tensor(numbers, shape: [3, 20]), to: &value, rows: &rows, columns: &columns)
                if number == 1 { #expect(value.values.allSatisfy { $0 == 1 }, "\(label)") }
                (numbers[25], numbers[31]) = (1, -1e-3)
            }
            #expect(value.values.allSatisfy(\.isFinite) && rows.values.allSatisfy(\.isFinite), "\(label)")
            let moved = value.values.enumerated().filter { $0.element != 1 }.map(\.offset)
            #expect(moved == [25, 31], "\(label)")
        }
        var (value, rows, columns) = (Tensor.zeros([0, 5]), Tensor.zeros([0]), Tensor.zeros([5]))
        Self.step(1).apply(gradient: Tensor.zeros([0, 5]), to: &value, rows: &rows, columns: &columns)
    }

    @Test func sharedValuesAreCopiedFirst() {
        let start = Tensor([1, 2], shape: [2])
        var (value, second) = (start, start)
        Self.step(1).apply(gradient: start, to: &value, second: &second)
        #expect(start.values == [1, 2])
        #expect(value.values != [1, 2] && second.values != [1, 2])
    }

    @Test("memory beside the given numbers is not touched")
    func extents() {
        let (rows, width, room) = (3, 21, 128)
        onEveryBuild { label, _ in
            let kernels = Kernels.current.pointee
            let gradient = (0..<room).map { $0 < rows * width ? Float($0 + 1) : .nan }
            let factors = (0..<room).map { $0 < width ? Float(2) : .nan }
            var (rowSums, columnSums) = ([Float](repeating: 7, count: room), [Float](repeating: 7, count: room))
            var value = [Float](repeating: 7, count: room)
            kernels.square_sums(rows, width, 0.5, 1, gradient, &rowSums, &columnSums)
            #expect(rowSums[rows...].allSatisfy { $0 == 7 } && columnSums[width...].allSatisfy { $0 == 7 }, "\(label)")
            // the squares of the numbers from 1 to 21 have the sum 3311; the numbers are halved, and every square has 1 more
            #expect(rowSums[0] == 848.75, "\(label)")
            // 7 of before, and the squares of 1, 22 and 43
            #expect(columnSums[0] == 593.5, "\(label)")
            #expect(kernels.sum_of_product_squares(width, gradient, factors) == 13_244, "\(label)")
            kernels.decay_and_subtract(width, 0.5, 0.25, gradient, factors, &value)
            let expected: [Float] = (1...width).map { 3.5 - 0.5 * Float($0) }
            #expect(Array(value[..<width]) == expected, "\(label)")
            #expect(value[width...].allSatisfy { $0 == 7 }, "\(label)")
        }
    }

    @Test func threadsDoNotChangeTheBits() {
        func run() -> [Float] {
            var value = OpCase.Input.normal("value", [900, 230]).tensor
            var (rows, columns) = (Tensor.zeros([900]), Tensor.zeros([230]))
            for number in 1...2 {
                Self.step(number, weightDecay: 0.1, gradientScale: 0.5).apply(
                    gradient: Self.gradient(number, [900, 230]), to: &value, rows: &rows, columns: &columns)
            }
            return value.values + rows.values + columns.values
        }
        for level in Kernels.available {
            let one = Kernels.$level.withValue(level) { Compute.$threads.withValue(1, operation: run) }
            for threads in [2, 3, 7] {
                let more = Kernels.$level.withValue(level) { Compute.$threads.withValue(threads, operation: run) }
                #expect(more == one, "\(level), threads: \(threads)")
            }
        }
    }
}
