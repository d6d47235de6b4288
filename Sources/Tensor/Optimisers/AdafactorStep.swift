/// The hyperparameters of one step of Adafactor (Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory
/// cost") with a given learning rate: `Adafactor` of Transformers with `relative_step=False`, `scale_parameter=False` and no first
/// moment.
///
/// Of a matrix it keeps the means of the squared gradients over rows and over columns. Their product, divided by the mean of all,
/// stands for the second moment of every weight. Of any other shape it keeps the second moment of every weight. With g the scaled
/// gradient, t the step number, R and C the kept means of a weight's row and column, and RMS the root of the mean square:
///
///     β ← 1 − t^−0.8
///     R ← β · R + (1 − β) · mean over the row of (g² + 1e-30);  C the same over the column
///     u ← g / √(R · C / mean(R))
///     u ← u / max(1, RMS(u))
///     w ← w · (1 − learningRate · weightDecay) − learningRate · u
public struct AdafactorStep: Sendable, Equatable {
    /// The learning rate of this step.
    public var learningRate: Float
    /// The coefficient of decoupled weight decay: the step multiplies the weight by 1 − learningRate · weightDecay.
    public var weightDecay: Float
    /// The step number t, counted from 1, on which the decay rate of the second moments depends.
    public var number: Int
    /// A factor for every gradient, applied first; used for gradient clipping and averaging.
    public var gradientScale: Float

    /// Added to every squared gradient.
    public static let epsilon: Float = 1e-30
    /// The exponent by which the share of the new squares falls with the step number.
    public static let decayExponent = -0.8
    /// The root of the mean square to which the change of a parameter is clipped, before it is multiplied by the learning rate.
    public static let clippingThreshold = 1.0

    /// The largest number of parts of a matrix whose column sums are made separately. The parts depend on the shape alone.
    private static let parts = 32

    /// Creates the settings of a step from the values of the properties.
    public init(learningRate: Float, weightDecay: Float, number: Int, gradientScale: Float) {
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.number = number
        self.gradientScale = gradientScale
    }

    /// Updates a matrix and the means of its rows and columns in place.
    ///
    /// The shapes must be [R, C] for gradient and value, [R] for `rows` and [C] for `columns`; otherwise the program stops.
    public func apply(gradient: Tensor, to value: inout Tensor, rows: inout Tensor, columns: inout Tensor) {
        precondition(
            value.shape.rank == 2 && gradient.shape == value.shape && rows.shape == [value.shape.rows]
                && columns.shape == [value.shape.width],
            "adafactor cannot update \(value.shape) by \(gradient.shape) with rows \(rows.shape) and columns \(columns.shape)")
        guard value.count > 0 else { return }
        let (height, width) = (value.shape.rows, value.shape.width)
        let sums = squareSums(of: gradient, rows: height, width: width)
        merge(sums.rows, count: width, into: &rows)
        merge(sums.columns, count: height, into: &columns)
        let means = rows.values
        let mean = means.reduce(0) { $0 + Double($1) } / Double(height)
        move(
            &value, by: gradient, rowFactors: means.map { Float((mean / Double($0)).squareRoot()) },
            columnFactors: inverseRoots(of: columns))
    }

    /// Updates a value of any shape and the second moments of all of its numbers in place.
    ///
    /// All three tensors must have the same shape; otherwise the program stops.
    public func apply(gradient: Tensor, to value: inout Tensor, second: inout Tensor) {
        precondition(
            gradient.shape == value.shape && second.shape == value.shape,
            "adafactor needs three tensors of the same shape, not \(gradient.shape), \(value.shape), \(second.shape)")
        guard value.count > 0 else { return }
        // a matrix with one row, whose columns have a square each
        merge(squareSums(of: gradient, rows: 1, width: value.count).columns, count: 1, into: &second)
        move(&value, by: gradient, rowFactors: [1], columnFactors: inverseRoots(of: second))
    }

    /// The sums of the squares of the scaled gradient, plus epsilon, over every row and every column.
    private func squareSums(of gradient: Tensor, rows: Int, width: Int) -> (rows: [Float], columns: [Float]) {
        let kernels = Kernels.current
        let grain = max((rows + Self.parts - 1) / Self.parts, max(1, 32_768 / width))
        let parts = (rows + grain - 1) / grain
        var (rowSums, partSums) = ([Float](repeating: 0, count: rows), [Float](repeating: 0, count: parts * width))
        rowSums.withUnsafeMutableBufferPointer { rowSums in
            partSums.withUnsafeMutableBufferPointer { partSums in
                guard let r = rowSums.baseAddress, let c = partSums.baseAddress else { return }
                // each part writes its own elements
                Compute.forChunks(rows, grain: grain) { range in
                    let first = range.lowerBound
                    kernels.pointee.square_sums(
                        range.count, width, gradientScale, Self.epsilon, gradient.pointer + first * width, r + first,
                        c + first / grain * width)
                }
            }
        }
        guard parts > 1 else { return (rowSums, partSums) }
        let columns = (0..<width).map { column in
            Float((0..<parts).reduce(0.0) { $0 + Double(partSums[$1 * width + column]) })
        }
        return (rowSums, columns)
    }

    /// Moves kept means towards those of new sums of `count` squares.
    private func merge(_ sums: [Float], count: Int, into kept: inout Tensor) {
        let share = power(Double(number), Self.decayExponent)
        let (old, new) = (Float(1 - share), Float(share / Double(count)))
        kept.update { kept in
            for index in kept.indices { kept[index] = kept[index] * old + sums[index] * new }
        }
    }

    /// 1 / √x for all numbers of a tensor, times the factor of the gradient.
    private func inverseRoots(of tensor: Tensor) -> [Float] { tensor.values.map { gradientScale / $0.squareRoot() } }

    /// Subtracts the learning rate times the clipped change, which is gradient · row factor · column factor.
    private func move(_ value: inout Tensor, by gradient: Tensor, rowFactors: [Float], columnFactors: [Float]) {
        let kernels = Kernels.current
        let (rows, width, count) = (rowFactors.count, columnFactors.count, value.count)
        let grain = max(1, 32_768 / width)
        var sums = [Double](repeating: 0, count: (rows + grain - 1) / grain)
        sums.withUnsafeMutableBufferPointer { sums in
            guard let sums = sums.baseAddress else { return }
            // each chunk writes its own sum
            Compute.forChunks(rows, grain: grain) { range in
                sums[range.lowerBound / grain] = range.reduce(0) { sum, row in
                    let factor = Double(rowFactors[row])
                    let squares = kernels.pointee.sum_of_product_squares(width, gradient.pointer + row * width, columnFactors)
                    return sum + factor * factor * squares
                }
            }
        }
        let size = (sums.reduce(0, +) / Double(count)).squareRoot()
        let rate = Float(Double(learningRate) / max(1, size / Self.clippingThreshold))
        let decay = 1 - learningRate * weightDecay
        value.update { value in
            guard let v = value.baseAddress else { return }
            Compute.forChunks(rows, grain: grain) { range in
                for row in range {
                    let first = row * width
                    kernels.pointee.decay_and_subtract(
                        width, decay, rate * rowFactors[row], gradient.pointer + first, columnFactors, v + first)
                }
            }
        }
    }
}
