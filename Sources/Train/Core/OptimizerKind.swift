package import Tensor

/// The rule by which an optimiser changes weights.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
    /// AdamW with two moments per weight, as 32-bit floats (Kingma & Ba 2015; Loshchilov & Hutter 2019).
    case adamw
    /// AdamW with two moments per weight in 8 bits, with a scale for every 256 of them (Dettmers et al. 2022, "8-bit optimizers via
    /// block-wise quantization"). The moments of parameters with fewer than 4096 weights are 32-bit floats.
    case adamw8bit
    /// Lion with one momentum per weight, as a 32-bit float (Chen et al. 2023).
    case lion
    /// Adafactor (Shazeer & Stern 2018) with the given learning rate and without a first moment. It keeps a 32-bit float for every row
    /// and every column of a matrix, and one for every weight of a vector.
    case adafactor

    /// The kind with a name, which may also be one that Transformers gives to `optim`; nil for an unknown name.
    public init?(named name: String) {
        let name = name.lowercased().replacing("-", with: "_")
        switch name {
        case "adamw_torch", "adamw_torch_fused", "adamw_torch_xla", "adamw_torch_npu_fused", "adamw_apex_fused", "adamw_hf",
            "paged_adamw", "paged_adamw_32bit":
            self = .adamw
        case "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit": self = .adamw8bit
        case "lion_32bit", "paged_lion_32bit": self = .lion
        default: self.init(rawValue: name)
        }
    }

    /// The names of all kinds, for messages: "adamw, adamw8bit, lion or adafactor".
    public static var list: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    /// The number of weights from which on a parameter has moments in 8 bits, as `min_8bit_size` of bitsandbytes.
    static let leastCoded = 4096

    /// The bytes per weight of what the optimiser keeps of large parameters.
    package var bytesPerWeight: Double {
        switch self {
        case .adamw: 8
        case .adamw8bit: 2 * (1 + 4 / Double(MomentCodes.block))
        case .lion: 4
        case .adafactor: 0
        }
    }

    /// Whether a step depends on β₁ and β₂.
    package var usesBetas: Bool { self != .adafactor }

    /// Whether a step depends on ε.
    package var usesEpsilon: Bool { self == .adamw || self == .adamw8bit }

    /// The memory that the optimiser takes for a parameter of a shape, in bytes.
    package func momentBytes(of shape: Shape) -> Int { momentParts(of: shape).reduce(0) { $0 + Allocator.capacity(for: $1) } }

    /// The bytes of what the optimiser keeps of a parameter of a shape, as in a checkpoint.
    package func storedBytes(of shape: Shape) -> Int { momentParts(of: shape).reduce(0, +) }

    /// The bytes of each of the arrays that the optimiser keeps of a parameter of a shape.
    private func momentParts(of shape: Shape) -> [Int] {
        let (count, floats) = (shape.count, 4 * shape.count)
        switch self {
        case .adamw8bit where count >= Self.leastCoded:
            let scales = 4 * MomentCodes.blocks(of: count)
            return [count, scales, count, scales]
        case .adamw, .adamw8bit: return [floats, floats]
        case .lion: return [floats]
        case .adafactor: return shape.rank == 2 ? [4 * shape.rows, 4 * shape.width] : [floats]
        }
    }

    /// What the optimiser keeps of a parameter before the first step.
    func moments(of value: Tensor) -> any Moments {
        switch self {
        case .adamw: AdamMoments(value.shape)
        case .adamw8bit: value.count < Self.leastCoded ? AdamMoments(value.shape) : CodedAdamMoments(value.shape)
        case .lion: LionMoments(value.shape)
        case .adafactor: value.shape.rank == 2 ? FactoredMoments(value.shape) : SecondMoments(value.shape)
        }
    }
}
