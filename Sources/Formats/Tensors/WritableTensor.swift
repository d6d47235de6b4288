import ShortFloats

/// A tensor on its way into a file: what it is called and how its elements come.
///
/// The elements are asked for when their turn comes, so that a large model is never in memory a second time.
public struct WritableTensor {
    /// Its name in the checkpoint.
    public let name: String
    /// How elements are stored.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: [Int]
    /// Hands all bytes, in order, to the function it is given.
    private let produce: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// Elements that are converted at once.
    private static let chunk = 1 << 16

    /// Bytes of all elements.
    public var byteCount: Int { shape.reduce(elementType.width, *) }

    /// A tensor of floats that are fetched when they are written.
    ///
    /// - Parameters:
    ///   - elementType: how they are stored: F32, BF16 or F16 (rounded to nearest, ties to even).
    ///   - floats: gives the elements in row-major order.
    public init(
        _ name: String, shape: [Int], as elementType: ElementType = .float32, floats: @escaping () throws -> [Float]
    ) {
        self.init(name, shape: shape, as: elementType) { body in
            try floats().withUnsafeBufferPointer(body)
        }
    }

    /// A tensor of floats in row-major order.
    public init(_ name: String, shape: [Int], as elementType: ElementType = .float32, values: [Float]) {
        precondition(values.count == shape.reduce(1, *), "\(name): \(values.count) values for the shape \(shape)")
        self.init(name, shape: shape, as: elementType) { body in
            try values.withUnsafeBufferPointer(body)
        }
    }

    /// A tensor of floats that someone else owns: `access` calls its argument once with the elements in row-major
    /// order.
    public init(
        _ name: String, shape: [Int], as elementType: ElementType = .float32,
        access: @escaping ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
    ) {
        precondition(
            [.float32, .bfloat16, .float16].contains(elementType), "\(name): floats are not written as \(elementType)")
        self.name = name
        self.shape = shape
        self.elementType = elementType
        produce = { sink in
            try access { try Self.write($0, as: elementType, name: name, to: sink) }
        }
    }

    /// A tensor of any type as bytes, little-endian in row-major order: counters, generator states, bfloat16 as it
    /// lies.
    public init(
        _ name: String, shape: [Int], elementType: ElementType,
        bytes: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.shape = shape
        self.elementType = elementType
        produce = bytes
    }

    /// A stored tensor as it is, under its own name or another.
    public init(_ stored: StoredTensor, name: String? = nil) {
        self.init(name ?? stored.name, shape: stored.shape, elementType: stored.elementType) { sink in
            try stored.withUnsafeBytes(sink)
        }
    }

    /// Hands over all bytes in order and checks that they are as many as the shape says.
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

    private static func write(
        _ values: UnsafeBufferPointer<Float>, as elementType: ElementType, name: String,
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
                        name: name, index: start + offset, value: value.description, type: elementType.rawValue)
                }
                bits[offset] = narrow.littleEndian
            }
            try bits.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<(2 * part.count)])) }
        }
    }
}
