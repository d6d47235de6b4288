/// A value of a GGUF file's metadata.
public enum GGUFValue: Sendable, Equatable {
    /// A whole number of one of the types without a sign.
    case unsigned(UInt64)
    /// A whole number of one of the types with a sign.
    case signed(Int64)
    /// A number of 32 bits.
    case float(Float)
    /// A number of 64 bits.
    case double(Double)
    /// True or false.
    case bool(Bool)
    /// Text as its bytes, which nobody has promised to be UTF-8.
    case string([UInt8])
    /// Values of one type.
    case array(GGUFArray)

    /// A whole number of either kind that fits an `Int`; nil for all else.
    public var int: Int? {
        switch self {
        case .unsigned(let value): Int(exactly: value)
        case .signed(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A number of any kind; one of 32 bits reads as its shortest decimal form does: 1e-6 is 0.000001, not 0.00000099999999748.
    public var double: Double? {
        switch self {
        case .unsigned(let value): Double(value)
        case .signed(let value): Double(value)
        case .float(let value): value.isFinite ? Double(value.description) : Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// True or false; nil for all else.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// Text; nil for all else and for bytes that are not UTF-8.
    public var string: String? {
        if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
    }

    /// An array; nil for all else.
    public var array: GGUFArray? {
        if case .array(let value) = self { value } else { nil }
    }

    /// What it is, in words for an error.
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

/// Values of one type.
public enum GGUFArray: Sendable, Equatable {
    /// Whole numbers without a sign.
    case unsigned([UInt64])
    /// Whole numbers with a sign.
    case signed([Int64])
    /// Numbers of 32 bits.
    case floats([Float])
    /// Numbers of 64 bits.
    case doubles([Double])
    /// True or false.
    case bools([Bool])
    /// Texts as their bytes.
    case strings(GGUFStrings)
    /// Arrays.
    case arrays([GGUFArray])

    /// How many values there are.
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

    /// Whole numbers of either kind that all fit an `Int`; nil for all else.
    public var integers: [Int]? {
        switch self {
        case .unsigned(let values): values.allSatisfy { $0 <= UInt64(Int.max) } ? values.map(Int.init(truncatingIfNeeded:)) : nil
        case .signed(let values): values.map(Int.init)
        default: nil
        }
    }

    /// Numbers of 32 bits; nil for all else.
    public var floats: [Float]? {
        if case .floats(let values) = self { values } else { nil }
    }

    /// Texts; nil for all else.
    public var strings: GGUFStrings? {
        if case .strings(let values) = self { values } else { nil }
    }

    /// True or false; nil for all else.
    public var bools: [Bool]? {
        if case .bools(let values) = self { values } else { nil }
    }

    /// What it is, in words for an error.
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

/// Many texts in one piece of memory: a vocabulary of 262,144 tokens takes no allocation for each of them.
///
/// The elements are bytes, because pieces of a vocabulary need not be UTF-8.
public struct GGUFStrings: Sendable, Equatable, RandomAccessCollection {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// No texts.
    public init() {}

    /// Some texts.
    public init(_ texts: some Sequence<String>) {
        for text in texts { append(text.utf8) }
    }

    /// Some texts, as bytes.
    public init(_ texts: some Sequence<ArraySlice<UInt8>>) {
        for text in texts { append(text) }
    }

    /// Puts one more at the end.
    public mutating func append(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Makes room for so many texts.
    mutating func reserve(_ count: Int) { ends.reserveCapacity(count) }

    /// 0.
    public var startIndex: Int { 0 }
    /// How many texts there are.
    public var endIndex: Int { ends.count }
    /// The bytes of a text.
    public subscript(position: Int) -> ArraySlice<UInt8> { bytes[(position == 0 ? 0 : ends[position - 1])..<ends[position]] }

    /// A text; nil where its bytes are not UTF-8.
    public func text(at position: Int) -> String? { String(validating: self[position], as: UTF8.self) }
}
