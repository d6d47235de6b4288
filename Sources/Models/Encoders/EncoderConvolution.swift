public import Tensor

/// A convolution over the embeddings, whose output joins that of the first layer: n(x + f(conv e)), as some DeBERTa v2 have it.
public struct EncoderConvolution {
    private let weight: Tensor
    private let bias: Tensor
    private let width: Int
    private let activation: @Sendable (Tensor) -> Tensor
    private let norm: Norm

    /// A convolution.
    /// - Parameters:
    ///   - weight: [C, C / groups, k] with an odd k: output channel, input channel of its group, offset.
    ///   - groups: into how many groups of neighbours channels are divided, each of which reads itself alone.
    ///   - bias: [C].
    public init(weight: Parameter, bias: Parameter, groups: Int = 1, activation: @escaping @Sendable (Tensor) -> Tensor, norm: Norm) {
        let (outputs, inputs, width) = (weight.value.shape[0], weight.value.shape[1], weight.value.shape[2])
        self.width = width
        self.bias = bias.value
        self.activation = activation
        self.norm = norm
        // [C, k · C], offset by offset, as rows of several tokens stand side by side
        let (stored, channels) = (weight.value.values, inputs * groups)
        self.weight = Tensor.uninitialized([outputs, width * channels]) { out in
            out.update(repeating: 0, count: outputs * width * channels)
            for o in 0..<outputs {
                let first = o / (outputs / groups) * inputs
                for i in 0..<inputs {
                    for k in 0..<width { out[(o * width + k) * channels + first + i] = stored[(o * inputs + i) * width + k] }
                }
            }
        }
    }

    /// The states behind the first layer with what the convolution makes of the embeddings: [T, C].
    func callAsFunction(_ embedded: Tensor, joining states: Tensor, _ pass: EncoderPass) -> Tensor {
        let (rows, channels) = (embedded.shape[0], embedded.shape[1])
        // the neighbours of every token in its own text; zeros where it has none
        let neighbours = Tensor.uninitialized([rows, width * channels]) { out in
            for segment in pass.layout.segments {
                for row in segment.queries {
                    for k in 0..<width {
                        let (to, from) = (out + (row * width + k) * channels, row + k - width / 2)
                        if segment.queries.contains(from) {
                            to.update(from: embedded.pointer + from * channels, count: channels)
                        } else {
                            to.update(repeating: 0, count: channels)
                        }
                    }
                }
            }
        }
        withExtendedLifetime(embedded) {}
        return norm(states + activation(neighbours.linear(weight, bias: bias)), on: nil)
    }
}
