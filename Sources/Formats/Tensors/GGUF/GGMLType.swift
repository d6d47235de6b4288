/// The storage type of a tensor in a GGUF file: floats, or quantised blocks of small integers with scales. Raw values are ggml's
/// type numbers.
public enum GGMLType: UInt32, Sendable, CaseIterable {
    /// 32-bit floats.
    case float32 = 0
    /// 16-bit IEEE 754 floats.
    case float16 = 1
    /// Blocks of 32 4-bit values with a scale.
    case q4_0 = 2
    /// Blocks of 32 4-bit values with a scale and a minimum.
    case q4_1 = 3
    /// Blocks of 32 5-bit values with a scale.
    case q5_0 = 6
    /// Blocks of 32 5-bit values with a scale and a minimum.
    case q5_1 = 7
    /// Blocks of 32 8-bit values with a scale.
    case q8_0 = 8
    /// Blocks of 256 2-bit values in groups of 16, each with a 4-bit scale and minimum.
    case q2K = 10
    /// Blocks of 256 3-bit values in groups of 16, each with a 6-bit scale.
    case q3K = 11
    /// Blocks of 256 4-bit values in groups of 32, each with a 6-bit scale and minimum.
    case q4K = 12
    /// Blocks of 256 5-bit values in groups of 32, each with a 6-bit scale and minimum.
    case q5K = 13
    /// Blocks of 256 6-bit values in groups of 16, each with an 8-bit scale.
    case q6K = 14
    /// bfloat16 floats.
    case bfloat16 = 30

    /// ggml's name of the type.
    public var name: String { Self.names[rawValue] ?? "\(rawValue)" }

    /// The number of elements in a block, and its size in bytes.
    public var block: (elements: Int, bytes: Int) {
        switch self {
        case .float32: (1, 4)
        case .float16, .bfloat16: (1, 2)
        case .q4_0: (32, 18)
        case .q4_1: (32, 20)
        case .q5_0: (32, 22)
        case .q5_1: (32, 24)
        case .q8_0: (32, 34)
        case .q2K: (256, 84)
        case .q3K: (256, 110)
        case .q4K: (256, 144)
        case .q5K: (256, 176)
        case .q6K: (256, 210)
        }
    }

    /// The equivalent element type; nil for quantised blocks.
    public var elementType: ElementType? {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: nil
        }
    }

    /// The names of all current and former ggml types, for error messages about types that are not supported.
    static let names: [UInt32: String] = [
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 4: "Q4_2", 5: "Q4_3", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
        12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL",
        21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16",
        31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8",
        39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
    ]

    /// The supported types, separated by commas.
    static var known: String { allCases.map(\.name).joined(separator: ", ") }
}
