import ShortFloats

/// A tensor to be written to a file: its name, type, shape and a source of its elements.
///
/// The elements are requested only when the tensor is written, so that a large model is not duplicated in memory.
public struct WritableTensor {
    /// The tensor's name in the checkpoint.
    public let name: String
    /// The element type in the file.
    public let elementType: ElementType
    /// The dimensions, outermost first.
    public let shape: [Int]
    /// Passes all bytes, in order, to the given function.
    private let produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// The number of elements that are converted at a time.
    private static let chunk = 1 << 16

    /// The size of all elements in bytes.
    public var byteCount: Int { shape.reduce(elementType.width, *) }

    /// A tensor of floats that are fetched when they are written.
    ///
    /// - Parameters:
    ///   - name: The tensor's name in the checkpoint.
    ///   - shape: The dimensions, outermost first.
    ///   - elementType: The type in the file: F32, BF16 or F16 (rounded to nearest, ties to even).
    ///   - floats: Returns the elements in row-major order.
    public init(
        _ name: String, shape: [Int], as elementType: ElementType = .float32, floats: @escaping () throws -> [Float]
    ) {
        self.init(name, shape: shape, as: elementType) { body in
            try floats().withUnsafeBufferPointer(body)
        }
    }

    /// A tensor with the given floats in row-major order.
    public init(_ name: String, shape: [Int], as elementType: ElementType = .float32, values: [Float]) {
        precondition(values.count == shape.reduce(1, *), "\(name): \(values.count) values do not fit the shape \(shape)")
        self.init(name, shape: shape, as: elementType) { body in
            try values.withUnsafeBufferPointer(body)
        }
    }

    /// A tensor of floats in memory that this tensor does not own. `access` calls its argument with the elements in row-major
    /// order: with all of them, or with one part after another.
    public init(
        _ name: String, shape: [Int], as elementType: ElementType = .float32,
        access: @escaping ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    ) {
        precondition(
            [.float32, .bfloat16, .float16].contains(elementType), "\(name): floats cannot be written as \(elementType)")
        self.name = name
        self.shape = shape
        self.elementType = elementType
        produce = { sink in
            var first = 0
            try access { part in
                try Self.write(part, from: first, as: elementType, name: name, to: sink)
                first += part.count
            }
        }
    }

    /// A tensor of any type, given as little-endian bytes in row-major order: counters, generator states, or bfloat16 without
    /// conversion.
    public init(
        _ name: String, shape: [Int], elementType: ElementType,
        bytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.shape = shape
        self.elementType = elementType
        produce = bytes
    }

    /// A stored tensor, copied without conversion; with `name`, under another name.
    public init(_ stored: StoredTensor, name: String? = nil) {
        self.init(name ?? stored.name, shape: stored.shape, elementType: stored.elementType) { sink in
            try stored.withUnsafeBytes(sink)
        }
    }

    /// Passes all bytes, in order, to `sink`. Throws `CheckpointError.wrongSize` if their number does not match the shape.
    func write(to sink: (UnsafeRawBufferPointer) throws -> Void, file: String) throws {
        var written = 0
        let expected = byteCount
        try produce { bytes in
            written += bytes.count
            guard written <= expected else { return }
            try sink(bytes)
        }
        guard written == expected else {
            throw CheckpointError.wrongSize(
                file: file, name: name, shape: shape, type: elementType.rawValue, need: expected, have: written)
        }
    }

    /// Converts elements, of which the first has the index `first` in the tensor.
    private static func write(
        _ values: UnsafeBufferPointer<Float>, from first: Int, as elementType: ElementType, name: String,
        to sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard elementType != .float32 else { return try sink(UnsafeRawBufferPointer(values)) }
        var bits = [UInt16](repeating: 0, count: min(chunk, values.count))
        for start in stride(from: 0, to: values.count, by: chunk) {
            let part = values[start..<min(start + chunk, values.count)]
            for (offset, value) in part.enumerated() {
                let narrow =
                    elementType == .bfloat16
                    ? FloatConversion.narrowToBFloat16(value) : FloatConversion.narrowToFloat16(value)
                let infinity: UInt16 = elementType == .bfloat16 ? 0x7F80 : 0x7C00
                if narrow & 0x7FFF == infinity, value.isFinite {
                    throw CheckpointError.notRepresentable(
                        name: name, index: first + start + offset, value: value.description, type: elementType.rawValue)
                }
                bits[offset] = narrow.littleEndian
            }
            try bits.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<(2 * part.count)])) }
        }
    }
}
