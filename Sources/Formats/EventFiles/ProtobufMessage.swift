/// A protocol-buffer message: an encoder that appends fields, and a decoder that returns fields.
///
/// swift-protobuf is not used because it would add generated code, a build plug-in and a dependency to `Formats` for five small
/// messages. The wire format (https://protobuf.dev/programming-guides/encoding) is short.
package struct ProtobufMessage: Equatable, Sendable {
    /// The encoded fields.
    package private(set) var bytes: [UInt8] = []

    /// Creates an empty message.
    package init() {}

    /// Creates a message and lets `fill` add its fields.
    package init(_ fill: (inout ProtobufMessage) -> Void) { fill(&self) }

    /// Appends an integer (int32, int64, bool or enum).
    package mutating func add(_ field: Int, _ value: Int) {
        tag(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// Appends a double.
    package mutating func add(_ field: Int, _ value: Double) {
        tag(field, 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a float.
    package mutating func add(_ field: Int, _ value: Float) {
        tag(field, 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a string.
    package mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }

    /// Appends a nested message.
    package mutating func add(_ field: Int, _ message: ProtobufMessage) { add(field, message.bytes) }

    /// Appends packed doubles.
    package mutating func add(_ field: Int, packed values: [Double]) {
        add(field, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }

    /// Appends bytes with their length.
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

    /// The value of a decoded field.
    package enum Value: Equatable, Sendable {
        /// A varint.
        case integer(UInt64)
        /// A 64-bit value.
        case fixed64(UInt64)
        /// A 32-bit value.
        case fixed32(UInt32)
        /// A length-delimited value: bytes, a string or a message.
        case bytes([UInt8])

        /// The value as a double; nil if it is not a 64-bit value.
        package var double: Double? { if case .fixed64(let bits) = self { Double(bitPattern: bits) } else { nil } }
        /// The value as a float; nil if it is not a 32-bit value.
        package var float: Float? { if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil } }
        /// The value as an integer; nil if it is not a varint.
        package var integer: Int? { if case .integer(let bits) = self { Int(Int64(bitPattern: bits)) } else { nil } }
        /// The value as bytes; nil if it is not length-delimited.
        package var content: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
        /// The value as a string; nil if it is not length-delimited.
        package var text: String? { content.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// The fields of an encoded message in order; nil if the bytes are not a message.
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
