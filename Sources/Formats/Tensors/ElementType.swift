/// How the elements of a stored tensor are written; raw values are the names of the safetensors format.
///
/// The order of the cases is the order in which the safetensors library writes tensors of mixed types into one file,
/// widest first, so that each stays aligned.
public enum ElementType: String, Sendable, CaseIterable {
    /// Whole numbers from 0, 64 bits.
    case uint64 = "U64"
    /// Whole numbers, 64 bits.
    case int64 = "I64"
    /// IEEE 754, 64 bits.
    case float64 = "F64"
    /// IEEE 754, 32 bits.
    case float32 = "F32"
    /// Whole numbers from 0, 32 bits.
    case uint32 = "U32"
    /// Whole numbers, 32 bits.
    case int32 = "I32"
    /// The upper half of a 32-bit float.
    case bfloat16 = "BF16"
    /// IEEE 754, 16 bits.
    case float16 = "F16"
    /// Whole numbers from 0, 16 bits.
    case uint16 = "U16"
    /// Whole numbers, 16 bits.
    case int16 = "I16"
    /// 8 bits, 4 of them exponent.
    case float8E4M3 = "F8_E4M3"
    /// 8 bits, 5 of them exponent.
    case float8E5M2 = "F8_E5M2"
    /// Whole numbers, 8 bits.
    case int8 = "I8"
    /// Whole numbers from 0, 8 bits.
    case uint8 = "U8"
    /// 0 or 1 in a byte.
    case bool = "BOOL"

    /// Bytes of one element.
    public var width: Int {
        switch self {
        case .uint64, .int64, .float64: 8
        case .float32, .uint32, .int32: 4
        case .bfloat16, .float16, .uint16, .int16: 2
        case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
        }
    }

    /// Whether `StoredTensor.floats()` can read it.
    public var isReadableAsFloat: Bool {
        switch self {
        case .float64, .float32, .bfloat16, .float16: true
        default: false
        }
    }

    /// Bytes of a tensor of this type; nil when a dimension is negative or the number does not fit an `Int`.
    package func byteCount(shape: [Int]) -> Int? {
        var total = width
        var isEmpty = false
        for dimension in shape {
            guard dimension >= 0 else { return nil }
            if dimension == 0 { isEmpty = true }
            let (product, overflow) = total.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow else { return nil }
            total = product
        }
        return isEmpty ? 0 : total
    }
}
