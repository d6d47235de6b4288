import Models
package import Tensor

/// The format in which gradients of weight matrices are kept from their backward pass to the step of the optimiser.
public enum GradientFormat: String, Codable, Sendable, CaseIterable {
    /// 32-bit floats.
    case f32
    /// bfloat16: 2 bytes per weight. A pass adds to a matrix's gradient in 32-bit floats, and rounds it stochastically when it is
    /// complete.
    case bf16

    /// The memory that the gradient of a parameter of a shape takes, in bytes.
    package func byteCount(of shape: Shape) -> Int {
        Allocator.capacity(for: (self == .bf16 && MasterWeights.holds(shape) ? NumberFormat.bf16 : .f32).byteCount(of: shape.count))
    }
}

extension Adam {
    /// Rounds a parameter's gradient to bfloat16, up or down at random so that the expected result is the gradient. Sums over many
    /// passes thus keep contributions that are too small for the nearest number. The gradients of vectors stay as they are.
    /// - Parameter random: the source of the rounding; its stream of a parameter is a function of the parameter's place.
    package func roundGradient(of parameter: Parameter, with random: Philox) {
        guard let index = places[ObjectIdentifier(parameter)], let gradient = parameter.gradient, gradient.storage.format == .f32,
            MasterWeights.holds(gradient.shape)
        else { return }
        parameter.gradient = Tensor(shape: gradient.shape, narrow: .roundingStochastically(gradient, with: random.split(UInt64(index))))
    }
}
