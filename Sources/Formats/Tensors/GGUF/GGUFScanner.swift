/// Reads the header of a GGUF file from start to end. Every length and count is checked against a limit and against the rest of
/// the file before memory is allocated for it.
struct GGUFScanner {
    /// Maximum number of metadata pairs, and of tensors.
    static let countLimit = 1 << 17
    /// Maximum number of values in all metadata arrays together. A large vocabulary with its merges has about a million.
    static let elementLimit = 1 << 24
    /// Maximum length of a string in bytes. Chat templates have about ten thousand.
    static let stringLimit = 16 << 20
    /// Maximum length of a key or tensor name in bytes.
    static let nameLimit = 1 << 10
    /// Maximum size of the whole header in bytes.
    static let headerLimit = 1 << 29
    /// Maximum nesting of arrays.
    static let depthLimit = 4

    let file: MappedFile
    private(set) var offset = 0
    private var elements = 0

    init(_ file: MappedFile) { self.file = file }

    private var left: Int { file.bytes.count - offset }

    func fault(_ reason: String, at place: Int? = nil) -> CheckpointError {
        .badFormat(file: file.path, reason: "byte \(place ?? offset) of the header: \(reason)")
    }

    private mutating func advance(_ count: Int, _ part: @autoclosure () -> String) throws -> Int {
        guard count <= left else {
            throw CheckpointError.truncated(file: file.path, part: "\(part()) at byte \(offset)", need: count, have: left)
        }
        guard offset + count <= Self.headerLimit else {
            throw CheckpointError.tooLarge(file: file.path, part: "the header", size: offset + count, limit: Self.headerLimit)
        }
        defer { offset += count }
        return offset
    }

    /// Reads a little-endian integer.
    mutating func number<Number: FixedWidthInteger>(_: Number.Type, _ part: @autoclosure () -> String) throws -> Number {
        let place = try advance(MemoryLayout<Number>.size, part())
        return Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
    }

    /// Reads a count of items, each of which takes at least `width` bytes of the rest of the file.
    mutating func count(_ part: String, width: Int, limit: Int) throws -> Int {
        let place = offset
        let announced = try number(UInt64.self, "the number of \(part)")
        guard announced <= UInt64(limit) else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the number of \(part) at byte \(place)", size: Int(clamping: announced), limit: limit)
        }
        guard Int(announced) * width <= left else {
            throw CheckpointError.truncated(
                file: file.path, part: "\(announced) \(part) at byte \(place)", need: Int(announced) * width, have: left)
        }
        return Int(announced)
    }

    /// Reads a string as the bytes in the mapped file.
    private mutating func bytes(_ part: @autoclosure () -> String, limit: Int) throws -> UnsafeRawBufferPointer {
        let place = offset
        let length = try number(UInt64.self, "the length of \(part())")
        guard length <= UInt64(limit) else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the length of \(part()) at byte \(place)", size: Int(clamping: length), limit: limit)
        }
        let start = try advance(Int(length), part())
        return UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + Int(length)])
    }

    /// Reads the name of a key or tensor.
    mutating func name(_ part: String) throws -> String {
        let place = offset
        let bytes = try bytes(part, limit: Self.nameLimit)
        guard let name = String(validating: bytes, as: UTF8.self), !name.isEmpty else {
            throw fault("\(part) is \(bytes.isEmpty ? "empty" : "not UTF-8")", at: place)
        }
        return name
    }

    /// Reads a type number and a value of that type.
    /// - Parameter key: The value's key, as errors show it.
    mutating func value(_ key: String) throws -> GGUFValue {
        let type = try type(key)
        return switch type {
        case .uint8: .unsigned(UInt64(try number(UInt8.self, key)))
        case .int8: .signed(Int64(try number(Int8.self, key)))
        case .uint16: .unsigned(UInt64(try number(UInt16.self, key)))
        case .int16: .signed(Int64(try number(Int16.self, key)))
        case .uint32: .unsigned(UInt64(try number(UInt32.self, key)))
        case .int32: .signed(Int64(try number(Int32.self, key)))
        case .uint64: .unsigned(try number(UInt64.self, key))
        case .int64: .signed(try number(Int64.self, key))
        case .float32: .float(Float(bitPattern: try number(UInt32.self, key)))
        case .float64: .double(Double(bitPattern: try number(UInt64.self, key)))
        case .bool: .bool(try bool(key))
        case .string: .string(Array(try bytes(key, limit: Self.stringLimit)))
        case .array: .array(try array(key, depth: 1))
        }
    }

    private mutating func type(_ key: String) throws -> GGUFValueType {
        let place = offset
        let number = try number(UInt32.self, "the type of \(key)")
        guard let type = GGUFValueType(rawValue: number) else {
            throw fault("\(key) has a value of the unknown type \(number); types are 0 to 12", at: place)
        }
        return type
    }

    private mutating func bool(_ key: String) throws -> Bool {
        let place = offset
        let byte = try number(UInt8.self, key)
        guard byte <= 1 else { throw fault("\(key) is \(byte); expected 0 (false) or 1 (true)", at: place) }
        return byte == 1
    }

    private mutating func array(_ key: String, depth: Int) throws -> GGUFArray {
        guard depth <= Self.depthLimit else {
            throw fault("\(key) has arrays nested more than \(Self.depthLimit) deep")
        }
        let type = try type(key)
        let count = try count("values of \(key)", width: type.width, limit: Self.elementLimit)
        elements += count
        guard elements <= Self.elementLimit else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the number of values in all arrays up to byte \(offset)", size: elements,
                limit: Self.elementLimit)
        }
        func whole<Number: FixedWidthInteger>(_: Number.Type, _ scanner: inout GGUFScanner) throws -> GGUFArray {
            let start = try scanner.advance(count * MemoryLayout<Number>.size, key)
            let bytes = scanner.file.bytes
            func at(_ index: Int) -> Number {
                Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start + index * MemoryLayout<Number>.size, as: Number.self))
            }
            return Number.isSigned ? .signed((0..<count).map { Int64(at($0)) }) : .unsigned((0..<count).map { UInt64(at($0)) })
        }
        switch type {
        case .uint8: return try whole(UInt8.self, &self)
        case .int8: return try whole(Int8.self, &self)
        case .uint16: return try whole(UInt16.self, &self)
        case .int16: return try whole(Int16.self, &self)
        case .uint32: return try whole(UInt32.self, &self)
        case .int32: return try whole(Int32.self, &self)
        case .uint64: return try whole(UInt64.self, &self)
        case .int64: return try whole(Int64.self, &self)
        case .float32: return .floats(try (0..<count).map { _ in Float(bitPattern: try number(UInt32.self, key)) })
        case .float64: return .doubles(try (0..<count).map { _ in Double(bitPattern: try number(UInt64.self, key)) })
        case .bool: return .bools(try (0..<count).map { _ in try bool(key) })
        case .string:
            var texts = GGUFStrings()
            texts.reserve(count)
            for _ in 0..<count { texts.append(try bytes(key, limit: Self.stringLimit)) }
            return .strings(texts)
        case .array: return .arrays(try (0..<count).map { _ in try array(key, depth: depth + 1) })
        }
    }
}

/// The types of metadata values. Raw values are their numbers in the file.
enum GGUFValueType: UInt32 {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// The minimum size of a value in bytes.
    var width: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64, .string: 8
        case .array: 12
        }
    }
}
