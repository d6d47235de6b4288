/// A protocol-buffer message as bytes, written field by field, and read back as fields.
///
/// swift-protobuf would need generated code and its build plug-in for the five small messages of an event file, and a dependency of
/// `Formats`; the wire format (https://protobuf.dev/programming-guides/encoding) is a page.
package struct ProtobufMessage: Equatable, Sendable {
    /// The encoded fields.
    package private(set) var bytes: [UInt8] = []

    /// A message without fields.
    package init() {}

    /// A message that `fill` puts fields into.
    package init(_ fill: (inout ProtobufMessage) -> Void) { fill(&self) }

    /// A whole number (int32, int64, bool, enum).
    package mutating func add(_ field: Int, _ value: Int) {
        tag(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// A double.
    package mutating func add(_ field: Int, _ value: Double) {
        tag(field, 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A float.
    package mutating func add(_ field: Int, _ value: Float) {
        tag(field, 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A text.
    package mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

    /// A message within this one.
    package mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

    /// Several doubles, packed.
    package mutating func add(_ field: Int, packed values: [Double]) {
        add(field, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }

    /// Bytes with their length before them.
    package mutating func add(_ field: Int, _ content: [UInt8]) {
        tag(field, 2)
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    private mutating func tag(_ field: Int, _ type: UInt64) { varint(UInt64(field) << 3 | type) }

    private mutating func varint(_ number: UInt64) {
        var number = number
        while number >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: number) | 0x80)
            number >>= 7
        }
        bytes.append(UInt8(number))
    }

    // MARK: Reading

    /// What a field holds.
    package enum Value: Equatable, Sendable {
        /// A varint.
        case integer(UInt64)
        /// Eight bytes, as a number.
        case fixed64(UInt64)
        /// Four bytes, as a number.
        case fixed32(UInt32)
        /// Bytes, a text or a message.
        case bytes([UInt8])

        /// The value as a double.
        package var double: Double? { if case .fixed64(let bits) = self { Double(bitPattern: bits) } else { nil } }
        /// The value as a float.
        package var float: Float? { if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil } }
        /// The value as a whole number.
        package var integer: Int? { if case .integer(let bits) = self { Int(Int64(bitPattern: bits)) } else { nil } }
        /// The value as bytes.
        package var content: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
        /// The value as a text.
        package var text: String? { content.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// The fields of an encoded message in their order; nil for bytes that are no message.
    package static func fields(_ bytes: [UInt8]) -> [(field: Int, value: Value)]? {
        var (fields, place): ([(field: Int, value: Value)], Int) = ([], 0)
        func varint() -> UInt64? {
            var (number, shift): (UInt64, UInt64) = (0, 0)
            while place < bytes.count, shift < 64 {
                let byte = bytes[place]
                place += 1
                number |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return number }
                shift += 7
            }
            return nil
        }
        func fixed(_ count: Int) -> UInt64? {
            guard bytes.count - place >= count else { return nil }
            defer { place += count }
            return bytes[place..<place + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while place < bytes.count {
            guard let tag = varint(), let field = Int(exactly: tag >> 3), field > 0 else { return nil }
            switch tag & 7 {
            case 0:
                guard let number = varint() else { return nil }
                fields.append((field, .integer(number)))
            case 1:
                guard let number = fixed(8) else { return nil }
                fields.append((field, .fixed64(number)))
            case 5:
                guard let number = fixed(4) else { return nil }
                fields.append((field, .fixed32(UInt32(number))))
            case 2:
                guard let length = varint(), length <= UInt64(bytes.count - place) else { return nil }
                fields.append((field, .bytes(Array(bytes[place..<place + Int(length)]))))
                place += Int(length)
            default: return nil
            }
        }
        return fields
    }
}
