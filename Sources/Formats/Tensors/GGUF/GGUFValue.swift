/// A value of a GGUF file's metadata.
public enum GGUFValue: Sendable, Equatable {
    /// An integer of one of the unsigned types.
    case unsigned(UInt64)
    /// An integer of one of the signed types.
    case signed(Int64)
    /// A 32-bit floating-point number.
    case float(Float)
    /// A 64-bit floating-point number.
    case double(Double)
    /// A Boolean.
    case bool(Bool)
    /// A string as bytes, which may not be valid UTF-8.
    case string([UInt8])
    /// An array of values of one type.
    case array(GGUFArray)

    /// The value as an `Int`; nil if it is not an integer or does not fit.
    public var int: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The value as a `Double`; nil if it is not a number. A 32-bit float converts through its shortest decimal form: 1e-6 gives
    /// 0.000001, not 0.00000099999999748.
    public var double: Double? {
        switch self {
        case .unsigned(let value): Double(value)
        case .signed(let value): Double(value)
        case .float(let value): value.isFinite ? Double(value.description) : Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The Boolean; nil for other values.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The string; nil for other values and for bytes that are not valid UTF-8.
    public var string: String? {
        if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
    }

    /// The array; nil for other values.
    public var array: GGUFArray? {
        if case .array(let value) = self { value } else { nil }
    }

    /// A description of the value's type for error messages.
    package var kind: String {
        switch self {
        case .unsigned, .signed: "a whole number"
        case .float, .double: "a number"
        case .bool: "true or false"
        case .string: "a string"
        case .array(let array): array.kind
        }
    }
}

/// An array of metadata values of one type.
public enum GGUFArray: Sendable, Equatable {
    /// Unsigned integers.
    case unsigned([UInt64])
    /// Signed integers.
    case signed([Int64])
    /// 32-bit floating-point numbers.
    case floats([Float])
    /// 64-bit floating-point numbers.
    case doubles([Double])
    /// Booleans.
    case bools([Bool])
    /// Strings as bytes.
    case strings(GGUFStrings)
    /// Nested arrays.
    case arrays([GGUFArray])

    /// The number of elements.
    public var count: Int {
        switch self {
        case .unsigned(let values): values.count
        case .signed(let values): values.count
        case .floats(let values): values.count
        case .doubles(let values): values.count
        case .bools(let values): values.count
        case .strings(let values): values.count
        case .arrays(let values): values.count
        }
    }

    /// The elements as `Int`s; nil if they are not integers or one does not fit.
    public var integers: [Int]? {
        switch self {
        case .unsigned(let values): values.allSatisfy { $0 <= UInt64(Int.max) } ? values.map(Int.init(truncatingIfNeeded:)) : nil
        case .signed(let values): values.map(Int.init)
        default: nil
        }
    }

    /// The elements if they are 32-bit floats; nil otherwise.
    public var floats: [Float]? {
        if case .floats(let values) = self { values } else { nil }
    }

    /// The elements if they are strings; nil otherwise.
    public var strings: GGUFStrings? {
        if case .strings(let values) = self { values } else { nil }
    }

    /// The elements if they are Booleans; nil otherwise.
    public var bools: [Bool]? {
        if case .bools(let values) = self { values } else { nil }
    }

    /// A description of the array's type for error messages.
    package var kind: String {
        switch self {
        case .unsigned, .signed: "an array of whole numbers"
        case .floats, .doubles: "an array of numbers"
        case .bools: "an array of true and false"
        case .strings: "an array of strings"
        case .arrays: "an array of arrays"
        }
    }
}

/// A collection of strings in one contiguous buffer, so that a vocabulary of 262,144 tokens needs no allocation per token.
///
/// The elements are bytes, because vocabulary entries may not be valid UTF-8.
public struct GGUFStrings: Sendable, Equatable, RandomAccessCollection {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// Creates an empty collection.
    public init() {}

    /// Creates a collection of strings.
    public init(_ texts: some Sequence<String>) {
        for text in texts { append(text.utf8) }
    }

    /// Creates a collection of strings given as bytes.
    public init(_ texts: some Sequence<ArraySlice<UInt8>>) {
        for text in texts { append(text) }
    }

    /// Appends one string, given as bytes.
    public mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Reserves capacity for `count` strings.
    mutating func reserve(_ count: Int) { ends.reserveCapacity(count) }

    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of strings.
    public var endIndex: Int { ends.count }
    /// The bytes of one string.
    public subscript(position: Int) -> ArraySlice<UInt8> { bytes[(position == 0 ? 0 : ends[position - 1])..<ends[position]] }

    /// One string; nil if its bytes are not valid UTF-8.
    public func text(at position: Int) -> String? { String(validating: self[position], as: UTF8.self) }
}
