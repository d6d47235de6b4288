/// The element type of a stored tensor. Raw values are the names in the safetensors format.
///
/// The cases are in the order in which the safetensors library writes tensors of mixed types into one file: widest first, so that
/// every tensor stays aligned.
public enum ElementType: String, Sendable, CaseIterable {
    /// Unsigned integer, 64 bits.
    case uint64 = "U64"
    /// Signed integer, 64 bits.
    case int64 = "I64"
    /// IEEE 754 double precision, 64 bits.
    case float64 = "F64"
    /// IEEE 754 single precision, 32 bits.
    case float32 = "F32"
    /// Unsigned integer, 32 bits.
    case uint32 = "U32"
    /// Signed integer, 32 bits.
    case int32 = "I32"
    /// bfloat16: the upper 16 bits of a 32-bit float.
    case bfloat16 = "BF16"
    /// IEEE 754 half precision, 16 bits.
    case float16 = "F16"
    /// Unsigned integer, 16 bits.
    case uint16 = "U16"
    /// Signed integer, 16 bits.
    case int16 = "I16"
    /// 8-bit float with 4 exponent bits and 3 mantissa bits.
    case float8E4M3 = "F8_E4M3"
    /// 8-bit float with 5 exponent bits and 2 mantissa bits.
    case float8E5M2 = "F8_E5M2"
    /// Signed integer, 8 bits.
    case int8 = "I8"
    /// Unsigned integer, 8 bits.
    case uint8 = "U8"
    /// Boolean: one byte that is 0 or 1.
    case bool = "BOOL"

    /// The size of one element in bytes.
    public var width: Int {
        switch self {
        case .uint64, .int64, .float64: 8
        case .float32, .uint32, .int32: 4
        case .bfloat16, .float16, .uint16, .int16: 2
        case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
        }
    }

    /// Whether `StoredTensor.floats()` supports this type.
    public var isReadableAsFloat: Bool {
        switch self {
        case .float64, .float32, .bfloat16, .float16: true
        default: false
        }
    }

    /// The size of a tensor of this type in bytes; nil if a dimension is negative or the size overflows `Int`.
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
