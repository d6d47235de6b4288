public import Tensor

/// The adapter of one projection: the matrices A and B and, with DoRA, the magnitudes of rows.
public final class AdapterModule {
    /// The name of the projection, such as `model.layers.0.self_attn.q_proj`.
    public let name: String
    /// A: [rank, inputs].
    public let down: Parameter
    /// B: [outputs, rank].
    public let up: Parameter
    /// DoRA's trained magnitude of every row of the weight, [outputs]; nil without DoRA.
    public let magnitude: Parameter?
    /// The scale s of B A.
    public let scale: Float
    /// The dropout rate of the input of A.
    public let dropout: Double
    /// Whether checkpoints store the projection's weight as [inputs, outputs].
    let isStoredTransposed: Bool
    /// The latest inverse lengths of rows, and the tensors that they were computed from.
    private var known: (weight: Tensor, down: Tensor, up: Tensor, inverse: Tensor)?
    /// The sums of squares of the rows of the frozen weight.
    private var squares: (weight: Tensor, sums: [Double])?

    init(
        _ name: String, down: Tensor, up: Tensor, magnitude: Tensor?, scale: Float, dropout: Double, isStoredTransposed: Bool
    ) {
        self.name = name
        self.down = Parameter(Self.downName(name), down)
        self.up = Parameter(Self.upName(name), up)
        self.magnitude = magnitude.map { Parameter(Self.magnitudeName(name), $0) }
        (self.scale, self.dropout, self.isStoredTransposed) = (scale, dropout, isStoredTransposed)
    }

    static func downName(_ module: String) -> String { "\(module).lora_A.weight" }
    static func upName(_ module: String) -> String { "\(module).lora_B.weight" }
    static func magnitudeName(_ module: String) -> String { "\(module).lora_magnitude_vector" }

    /// A, B and, with DoRA, the magnitudes.
    public var parameters: [Parameter] { [down, up] + [magnitude].compactMap { $0 } }

    /// An independent copy of the module.
    func copy() -> AdapterModule {
        let copy = AdapterModule(
            name, down: down.value, up: up.value, magnitude: magnitude?.value, scale: scale, dropout: dropout,
            isStoredTransposed: isStoredTransposed)
        for (new, old) in zip(copy.parameters, parameters) { new.isTrainable = old.isTrainable }
        return copy
    }

    /// Applies the projection together with the adapter to rows [T, inputs]: [T, outputs].
    /// - Parameter mask: the dropout mask of the input of A; nil for none.
    func callAsFunction(_ x: Tensor, weight: Parameter, bias: Parameter?, mask: DropoutMask?, on tape: Tape?) -> Tensor {
        let read = mask.map(x.dropped) ?? x
        let low = read.linear(down.on(tape)).scaled(by: scale)
        guard let magnitude else { return low.linear(up.on(tape), addedTo: x.linear(weight.on(tape), bias: bias?.on(tape))) }
        let factors = magnitude.on(tape) * inverseLengths(weight.value)
        guard mask != nil else {
            return low.linear(up.on(tape), addedTo: x.linear(weight.on(tape))).columnsScaled(by: factors, shift: bias?.on(tape))
        }
        let more = read.linear(weight.on(tape)).columnsScaled(by: factors - .filled(1, factors.shape))
        return x.linear(weight.on(tape), bias: bias?.on(tape)) + more + low.linear(up.on(tape)).columnsScaled(by: factors)
    }

    /// The inverse lengths of the rows of W + s · B A, as constants: [outputs]. They are recomputed whenever A or B has changed.
    ///
    /// They follow from ‖w + s b A‖² = ‖w‖² + 2 s b · (A w) + s² b A Aᵀ bᵀ, without another matrix of the size of the weight.
    private func inverseLengths(_ weight: Tensor) -> Tensor {
        if let known, known.weight.sharesMemory(with: weight), known.down.sharesMemory(with: down.value),
            known.up.sharesMemory(with: up.value)
        {
            return known.inverse
        }
        known = nil
        let own = squares.flatMap { $0.weight.sharesMemory(with: weight) ? $0.sums : nil } ?? weight.rowSumsOfSquares()
        squares = (weight, own)
        let (a, b) = (down.value, up.value)
        let (outputs, rank) = (b.shape[0], b.shape[1])
        let crossed = a.linear(weight).values  // [rank, outputs]
        let gram = b.linear(a.linear(a)).values  // [outputs, rank]
        let scale = Double(scale)
        let inverse = b.withUnsafeBufferPointer { b in
            (0..<outputs).map { row -> Float in
                var sum = own[row]
                for k in 0..<rank {
                    sum +=
                        Double(b[row * rank + k]) * scale * (2 * Double(crossed[k * outputs + row]) + scale * Double(gram[row * rank + k]))
                }
                // a row of zeros has no direction and stays zero
                return sum > 0 ? Float(1 / sum.squareRoot()) : 0
            }
        }
        let result = Tensor(inverse, shape: [outputs])
        known = (weight, a, b, result)
        return result
    }

    /// The weight [outputs, inputs] that is equivalent to the projection with the adapter. If the weight is held in a narrower format
    /// than the file that it was read from, the adapter is merged into the file's numbers, as QLoRA does.
    func merged(_ weight: Tensor) -> Tensor {
        let weight = weight.unrounded
        defer { weight.storage.forget() }
        let sum = weight.widened() + up.value.matmul(down.value).scaled(by: scale)
        guard let magnitude else { return sum }
        let factors = zip(magnitude.value.values, sum.rowSumsOfSquares()).map { $1 > 0 ? Float(Double($0) / $1.squareRoot()) : 0 }
        let width = sum.shape[1]
        var result = sum
        result.update { elements in
            for (row, factor) in factors.enumerated() {
                for index in row * width..<(row + 1) * width { elements[index] *= factor }
            }
        }
        return result
    }
}
