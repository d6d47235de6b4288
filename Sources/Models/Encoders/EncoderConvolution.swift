public import Tensor

/// A convolution over the embeddings that is added to the output of the first layer, as in some DeBERTa v2 models: n(x + f(conv
/// e)), with a norm n and an activation function f.
public struct EncoderConvolution {
    private let weight: Tensor
    private let bias: Tensor
    private let width: Int
    private let activation: @Sendable (Tensor) -> Tensor
    private let norm: Norm

    /// Creates a convolution.
    /// - Parameters:
    ///   - weight: [C, C / groups, k] with an odd k: output channel, input channel of its group, offset.
    ///   - bias: [C].
    ///   - groups: the number of groups into which channels are divided; each group reads only its own channels.
    ///   - activation: the activation function f.
    ///   - norm: the norm n.
    public init(weight: Parameter, bias: Parameter, groups: Int = 1, activation: @escaping @Sendable (Tensor) -> Tensor, norm: Norm) {
        let (outputs, inputs, width) = (weight.value.shape[0], weight.value.shape[1], weight.value.shape[2])
        self.width = width
        self.bias = bias.value
        self.activation = activation
        self.norm = norm
        // [C, k · C], offset by offset, to match rows of k adjacent tokens
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

    /// Adds the convolution of the embeddings to the states after the first layer, and normalises: [T, C].
    func callAsFunction(_ embedded: Tensor, joining states: Tensor, _ pass: EncoderPass) -> Tensor {
        let (rows, channels) = (embedded.shape[0], embedded.shape[1])
        // the neighbours of every token within its text, padded with zeros
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
