public import Foundation
import ShortFloats

/// Writes a GGUF file, version 3. The file appears under its name when it is complete.
public struct GGUFWriter {
    /// A tensor to be written.
    private struct Entry {
        /// The elements, or bytes that are blocks of them.
        var tensor: WritableTensor
        /// The dimensions of the elements, outermost first.
        var shape: [Int]
        var type: GGMLType
        var offset: Int

        /// The size in the file in bytes.
        var byteCount: Int { shape.reduce(1, *) / type.block.elements * type.block.bytes }
        /// Whether the elements are still floats and have to become blocks.
        var needsEncoding: Bool { type == .q8_0 && tensor.elementType == .float32 }
    }

    private var pairs: [(key: String, value: GGUFValue)] = []
    private var entries: [Entry] = []
    private var size = 0
    private static let alignment = 32

    /// Creates a file for an architecture (`general.architecture`).
    public init(architecture: String) { add("general.architecture", .string(Array(architecture.utf8))) }

    /// Sets a metadata value. An existing key keeps its position and gets the new value.
    public mutating func add(_ key: String, _ value: GGUFValue) {
        if let index = pairs.firstIndex(where: { $0.key == key }) { pairs[index].value = value } else { pairs.append((key, value)) }
    }

    /// Adds a tensor in its own element type, which must be F32, F16 or BF16.
    public mutating func add(_ tensor: WritableTensor) {
        let type: GGMLType? = GGMLType.allCases.first { $0.elementType == tensor.elementType }
        guard let type else { preconditionFailure("\(tensor.name): GGUF files cannot have weights of type \(tensor.elementType)") }
        append(tensor, shape: tensor.shape, type)
    }

    /// Adds a tensor of 32-bit floats, to be stored as Q8_0: blocks of 32 8-bit integers with a 16-bit scale. The last dimension
    /// must be a multiple of 32.
    public mutating func addQuantised(_ tensor: WritableTensor) {
        precondition(
            tensor.elementType == .float32 && (tensor.shape.last ?? 1) % 32 == 0, "\(tensor.name) cannot be cut into blocks of 32 floats")
        append(tensor, shape: tensor.shape, .q8_0)
    }

    /// Adds a tensor that is already in Q8_0 blocks. They are written as they are, without rounding the numbers again.
    ///
    /// - Parameters:
    ///   - name: The tensor's name.
    ///   - shape: The dimensions, outermost first. The last one must be a multiple of 32.
    ///   - blocks: Passes all blocks, in row-major order, to the given function.
    package mutating func addBlocks(
        _ name: String, shape: [Int], blocks: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        precondition((shape.last ?? 1) % Q8Block.count == 0, "\(name) cannot be cut into blocks of \(Q8Block.count) elements")
        let byteCount = shape.reduce(1, *) / Q8Block.count * Q8Block.byteCount
        append(WritableTensor(name, shape: [byteCount], elementType: .uint8, bytes: blocks), shape: shape, .q8_0)
    }

    private mutating func append(_ tensor: WritableTensor, shape: [Int], _ type: GGMLType) {
        precondition(shape.count <= 4, "\(tensor.name) has more than 4 dimensions, which GGUF does not support")
        let entry = Entry(tensor: tensor, shape: shape, type: type, offset: size)
        entries.append(entry)
        size += Self.padded(entry.byteCount)
    }

    private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }

    /// Writes the file. Tensors are fetched one at a time.
    ///
    /// - Throws: `CheckpointError.duplicateTensor`, `.wrongSize`, `.notRepresentable`, `.notFinite`, ``FileError``, or the error
    ///   of a tensor whose elements cannot be fetched.
    public func write(to url: URL) throws {
        var names: Set<String> = []
        for entry in entries where !names.insert(entry.tensor.name).inserted {
            throw CheckpointError.duplicateTensor(name: entry.tensor.name, file: url.path)
        }
        try DiskSpace.check(entries.reduce(0) { $0 + Self.padded($1.byteCount) }, at: url)
        let file = try AtomicFile(url)
        let header = header
        try file.write(header)
        var written = header.count
        func pad() throws {
            let missing = Self.padded(written) - written
            try file.write([UInt8](repeating: 0, count: missing))
            written += missing
        }
        for entry in entries {
            try pad()
            if entry.needsEncoding {
                var encoder = Q8Encoder(name: entry.tensor.name, file: url.path)
                try entry.tensor.write(to: { try encoder.take($0, sink: file.write) }, file: url.path)
            } else {
                try entry.tensor.write(to: file.write, file: url.path)
            }
            written += entry.byteCount
        }
        try pad()
        try file.commit()
    }

    // MARK: Header

    private var header: [UInt8] {
        var bytes = Array("GGUF".utf8)
        Self.put(UInt32(3), &bytes)
        Self.put(UInt64(entries.count), &bytes)
        Self.put(UInt64(pairs.count), &bytes)
        for (key, value) in pairs {
            Self.put(key.utf8, &bytes)
            Self.put(value, &bytes)
        }
        for entry in entries {
            Self.put(entry.tensor.name.utf8, &bytes)
            Self.put(UInt32(entry.shape.count), &bytes)
            for extent in entry.shape.reversed() { Self.put(UInt64(extent), &bytes) }
            Self.put(entry.type.rawValue, &bytes)
            Self.put(UInt64(entry.offset), &bytes)
        }
        return bytes
    }

    private static func put(_ number: some FixedWidthInteger, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func put(_ text: some Collection<UInt8>, _ bytes: inout [UInt8]) {
        put(UInt64(text.count), &bytes)
        bytes.append(contentsOf: text)
    }

    /// Appends a value and its type. Integers that fit into 32 bits are written as 32-bit integers, as most readers expect.
    private static func put(_ value: GGUFValue, _ bytes: inout [UInt8]) {
        func type(_ type: GGUFValueType) { put(type.rawValue, &bytes) }
        switch value {
        case .unsigned(let number):
            if let short = UInt32(exactly: number) {
                type(.uint32)
                put(short, &bytes)
            } else {
                type(.uint64)
                put(number, &bytes)
            }
        case .signed(let number):
            if let short = Int32(exactly: number) {
                type(.int32)
                put(short, &bytes)
            } else {
                type(.int64)
                put(number, &bytes)
            }
        case .float(let number):
            type(.float32)
            put(number.bitPattern, &bytes)
        case .double(let number):
            type(.float64)
            put(number.bitPattern, &bytes)
        case .bool(let flag):
            type(.bool)
            bytes.append(flag ? 1 : 0)
        case .string(let text):
            type(.string)
            put(text, &bytes)
        case .array(let array):
            type(.array)
            put(array, &bytes)
        }
    }

    private static func put(_ array: GGUFArray, _ bytes: inout [UInt8]) {
        func start(_ type: GGUFValueType) {
            put(type.rawValue, &bytes)
            put(UInt64(array.count), &bytes)
        }
        switch array {
        case .unsigned(let numbers):
            let short = numbers.map { UInt32(exactly: $0) }
            if short.contains(nil) {
                start(.uint64)
                for number in numbers { put(number, &bytes) }
            } else {
                start(.uint32)
                for number in short { put(number ?? 0, &bytes) }
            }
        case .signed(let numbers):
            let short = numbers.map { Int32(exactly: $0) }
            if short.contains(nil) {
                start(.int64)
                for number in numbers { put(number, &bytes) }
            } else {
                start(.int32)
                for number in short { put(number ?? 0, &bytes) }
            }
        case .floats(let numbers):
            start(.float32)
            for number in numbers { put(number.bitPattern, &bytes) }
        case .doubles(let numbers):
            start(.float64)
            for number in numbers { put(number.bitPattern, &bytes) }
        case .bools(let flags):
            start(.bool)
            for flag in flags { bytes.append(flag ? 1 : 0) }
        case .strings(let texts):
            start(.string)
            for text in texts { put(text, &bytes) }
        case .arrays(let arrays):
            start(.array)
            for inner in arrays { put(inner, &bytes) }
        }
    }
}

/// Encodes floats as Q8_0 blocks (``Q8Block``).
private struct Q8Encoder {
    let name: String
    /// The file that is written.
    let file: String
    private var pending: [UInt8] = []
    private var seen = 0

    init(name: String, file: String) { (self.name, self.file) = (name, file) }

    /// Takes floats as bytes, and passes all complete blocks to `sink`.
    mutating func take(_ bytes: UnsafeRawBufferPointer, sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let width = 128
        guard pending.isEmpty, bytes.count % width == 0 else {
            pending.append(contentsOf: bytes)
            let whole = pending.count / width * width
            let blocks = Array(pending[..<whole])
            pending.removeFirst(whole)
            return try blocks.withUnsafeBytes { try encode($0, sink: sink) }
        }
        for start in stride(from: 0, to: bytes.count, by: width << 12) {
            try encode(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + width << 12, bytes.count)]), sink: sink)
        }
    }

    private mutating func encode(_ bytes: UnsafeRawBufferPointer, sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let blocks = bytes.count / (4 * Q8Block.count)
        var out = [UInt8](repeating: 0, count: blocks * Q8Block.byteCount)
        var numbers = [Float](repeating: 0, count: Q8Block.count)
        for block in 0..<blocks {
            for index in numbers.indices {
                let offset = 4 * (block * Q8Block.count + index)
                numbers[index] = Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                guard numbers[index].isFinite else {
                    throw CheckpointError.notFinite(file: file, name: name, index: seen + index, value: numbers[index].description)
                }
            }
            let isRepresentable = numbers.withUnsafeBufferPointer { numbers in
                out.withUnsafeMutableBufferPointer { out in
                    guard let from = numbers.baseAddress, let to = out.baseAddress else { return true }
                    return Q8Block.encode(from, into: to + block * Q8Block.byteCount)
                }
            }
            guard isRepresentable else {
                let largest = numbers.reduce(0) { max($0, abs($1)) }
                throw CheckpointError.notRepresentable(name: name, index: seen, value: largest.description, type: GGMLType.q8_0.name)
            }
            seen += Q8Block.count
        }
        try out.withUnsafeBytes(sink)
    }
}
