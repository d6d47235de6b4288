/// Reads the fields of a message in the wire format of Protocol Buffers.
///
/// Every length is checked against the remaining bytes, and nothing is copied, so that a damaged file cannot use more
/// memory than its own size.
struct ProtobufReader {
    /// The value of a field, by wire type.
    enum Value {
        case integer(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }

    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let file: String

    /// Creates a reader of a message.
    /// - Parameters:
    ///   - bytes: The message.
    ///   - file: The name of the file in errors.
    init(_ bytes: ArraySlice<UInt8>, file: String) {
        self.bytes = bytes
        position = bytes.startIndex
        self.file = file
    }

    /// The next field; `nil` at the end of the message.
    ///
    /// - Throws: `TokenizerError.malformed` if a field is truncated or has an unknown wire type.
    mutating func next() throws -> (field: Int, value: Value)? {
        guard position < bytes.endIndex else { return nil }
        let key = try varint()
        guard let field = Int(exactly: key >> 3), field > 0 else { throw fault("the field number is 0") }
        switch key & 7 {
        case 0: return (field, .integer(try varint()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(bytes.endIndex - position) else {
                throw fault("field \(field) has \(length) bytes, but only \(bytes.endIndex - position) follow")
            }
            let start = position
            position += Int(length)
            return (field, .bytes(bytes[start..<position]))
        case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        case let type: throw fault("field \(field) has the wire type \(type), which is not supported")
        }
    }

    /// Reads a variable-length integer.
    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.endIndex else { throw fault("the file ends inside a number") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw fault("a number has more than ten bytes")
    }

    /// Reads a little-endian integer of `count` bytes.
    private mutating func fixed(_ count: Int) throws -> UInt64 {
        guard count <= bytes.endIndex - position else { throw fault("the file ends inside a number") }
        var value: UInt64 = 0
        for offset in 0..<count { value |= UInt64(bytes[position + offset]) << UInt64(8 * offset) }
        position += count
        return value
    }

    /// An error at the current position.
    func fault(_ reason: String) -> TokenizerError {
        .malformed(file: file, line: nil, reason: "byte \(position): not a SentencePiece model: \(reason)")
    }
}

extension ProtobufReader.Value {
    var integer: UInt64? { if case .integer(let value) = self { value } else { nil } }
    var bytes: ArraySlice<UInt8>? { if case .bytes(let value) = self { value } else { nil } }
    var float: Float? { if case .fixed32(let value) = self { Float(bitPattern: value) } else { nil } }
}
