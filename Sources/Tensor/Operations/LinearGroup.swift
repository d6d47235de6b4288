// Several linear layers with the same input, such as queries, keys and values, or the two of a gated MLP.

/// A linear layer: a weight and an optional bias.
public struct LinearLayer {
    /// The weight, [outputs, inputs], as in `torch.nn.Linear`.
    public var weight: Tensor
    /// The bias, [outputs]; nil for none.
    public var bias: Tensor?

    /// Creates a layer from its weight and bias.
    public init(_ weight: Tensor, bias: Tensor? = nil) { (self.weight, self.bias) = (weight, bias) }
}

extension Tensor {
    /// Several linear layers with this input: x[T, I] · Wᵢ[Oᵢ, I]ᵀ + bᵢ[Oᵢ] → [T, Oᵢ] for each layer.
    ///
    /// All products are one parallel region, and x is rounded at most once. The results and all gradients have the bits of
    /// ``linear(_:bias:)`` for each layer.
    public func linear(_ layers: [LinearLayer]) -> [Tensor] {
        guard layers.count > 1 else { return layers.map { linear($0.weight, bias: $0.bias) } }
        let (x, rows) = (asLinearInput, shape[0])
        let group = LinearCall(x, layers)
        let results = layers.map { Tensor.uninitialized([rows, $0.weight.shape[0]]) { _ in } }
        LinearProducts.forward(zip(layers.indices, results).map { group.member($0, into: $1) }, rows: rows)
        return group.recorded(results, of: x, layers)
    }

    /// A gated activation of two linear layers with this input: f(x W₁ᵀ + b₁) · (x W₂ᵀ + b₂), where x is [T, I] and the result [T, O].
    /// The bits are those of ``linear(_:)`` and ``gated(_:up:)``.
    ///
    /// If nothing is recorded on a tape, f is applied in the parallel region of the products, to each of their blocks.
    public func gatedLinear(_ activation: GatedActivation, gate: LinearLayer, up: LinearLayer) -> Tensor {
        precondition(
            gate.weight.shape == up.weight.shape,
            "a gate and its input need weights of the same shape, not \(gate.weight.shape) and \(up.weight.shape)")
        guard !Tensor.anyRecorded(self, gate.weight, gate.bias, up.weight, up.bias) else {
            let results = linear([gate, up])
            return results[0].gated(activation, up: results[1])
        }
        let (x, rows) = (asLinearInput, shape[0])
        let group = LinearCall(x, [gate, up])
        let other = Tensor.uninitialized([rows, up.weight.shape[0]]) { _ in }
        return Tensor.uninitialized([rows, gate.weight.shape[0]]) { out in
            LinearProducts.gatedForward(
                gate: group.member(0, into: out), up: group.member(1, into: other.mutablePointer), rows: rows, activation)
            withExtendedLifetime((x, group, other)) {}
        }
    }
}

extension GatedActivation {
    /// out = f(gate) · up for some elements; `out` may be `gate`.
    func apply(
        _ kernels: UnsafePointer<Kernels.Table>, count: Int, gate: UnsafePointer<Float>, up: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>
    ) {
        switch self {
        case .silu: kernels.pointee.swiglu(count, gate, up, out)
        case .geluTanh: kernels.pointee.geglu_tanh(count, gate, up, out)
        }
    }
}

/// One call of a group of layers: what their products read.
private struct LinearCall {
    private let inputs: [LinearInput]
    private let weights: [Tensor]
    private let biases: [Tensor?]

    init(_ x: Tensor, _ layers: [LinearLayer]) {
        for layer in layers { x.checkLinear(layer.weight, layer.bias) }
        weights = layers.map(\.weight)
        biases = layers.map { $0.bias?.widened() }
        inputs = layers.map { LinearInput(x, for: $0.weight) }
    }

    func member(_ index: Int, into out: UnsafeMutablePointer<Float>) -> LinearProducts.Member {
        LinearProducts.Member(rows: inputs[index].rows, weight: weights[index], bias: biases[index], out: out)
    }

    func member(_ index: Int, into result: Tensor) -> LinearProducts.Member { member(index, into: result.mutablePointer) }

    /// The results as members of a group on the tape of x or of a layer, if any of them is on one.
    func recorded(_ results: [Tensor], of x: Tensor, _ layers: [LinearLayer]) -> [Tensor] {
        let gradients = LinearGroup.Gradients(count: layers.count)
        // stands for the group on the tape
        let entry = Tensor.recorded(Tensor(0), from: [x] + weights + biases) { places in
            let members = layers.indices.map { index -> Linear in
                let (weight, bias) = (places[1 + index], places[1 + layers.count + index])
                return Linear(
                    x: weight == nil ? nil : inputs[index].saved(of: x, for: weights[index]), shape: x.shape,
                    weight: weights[index].detached, places: [places[0], weight, bias])
            }
            return .linearGroup(LinearGroup(members: members, gradients: gradients))
        }
        return results.indices.map { index in
            guard Tensor.anyRecorded(x, weights[index], biases[index]) else { return results[index] }
            return entry.recorded(as: results[index]) { .linearMember(LinearMember(group: $0, index: index, gradients: gradients)) }
        }
    }
}

/// Several linear layers with the same input. On the tape, the group stands before its members, so that its backward pass begins when
/// the gradients of all outputs are known.
struct LinearGroup {
    /// The gradients of the outputs that have arrived.
    final class Gradients {
        var values: [Tensor?]
        init(count: Int) { values = Array(repeating: nil, count: count) }
    }

    /// The layers. Their places of x are the same.
    let members: [Linear]
    let gradients: Gradients

    /// A layer whose output has a gradient.
    private struct Arrived {
        let layer: Linear
        /// The gradient in floats; nil if only its rounded form is still needed.
        let floats: Tensor?
        let dy: ProductRows
    }

    // dx = Σ dy W, dW = dyᵀ x, db = column sums of dy. The last layer first, as for layers one after another.
    func backward(on tape: Tape) {
        guard let first = members.first else { return }
        let rows = first.shape[0]
        let arrived = members.indices.reversed().compactMap { takeGradient($0, on: tape) }
        tape.accumulate(into: first.places[0], shape: first.shape) { out, beta in
            LinearProducts.inputGradient(arrived.map { ($0.dy, $0.layer.weight) }, rows: rows, into: out, beta: beta)
        }
        let packedInput = PackedInput()
        for part in arrived {
            if let x = part.layer.x {
                tape.accumulate(into: part.layer.places[1], shape: part.layer.weight.shape) { out, beta in
                    LinearProducts.weightGradient(
                        part.dy, x.rows, rows: rows, part.layer.weight.shape, into: out, beta: beta, packedInput: packedInput)
                }
            }
        }
        withExtendedLifetime(arrived) {}
    }

    /// Takes the gradient of an output and adds that of the bias; nil if there is none.
    private func takeGradient(_ index: Int, on tape: Tape) -> Arrived? {
        guard let gradient = gradients.values[index] else { return nil }
        gradients.values[index] = nil
        let layer = members[index]
        let dy = layer.rows(of: gradient)
        layer.addBiasGradient(gradient, on: tape)
        if case .rounded = dy { return Arrived(layer: layer, floats: nil, dy: dy) }
        return Arrived(layer: layer, floats: gradient, dy: dy)
    }
}

/// The output of a layer of a group.
struct LinearMember {
    /// The place of the group on the tape.
    let group: Int
    /// The number of the layer in the group.
    let index: Int
    let gradients: LinearGroup.Gradients

    func backward(_ gradient: Tensor, on tape: Tape) {
        gradients.values[index] = gradient
        // any gradient starts the backward pass of the group
        tape.add(Tensor(0), to: group)
    }
}
