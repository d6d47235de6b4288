import ShortFloats

/// A tensor as it lies in a checkpoint: name, type, shape and a view of the file's bytes.
///
/// Nothing is copied until elements are asked for; the view keeps the file mapped. Elements are little-endian, in
/// row-major order of `shape` through `withUnsafeBytes`, `floats` and `copyFloats`, whatever the strides in the file
/// are.
public struct StoredTensor: Sendable {
    /// Its name in the checkpoint.
    public let name: String
    /// How elements are stored.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: [Int]
    /// Distance of neighbours along each dimension in elements; nil when the elements lie in order without gaps.
    package let strides: [Int]?
    package let file: MappedFile
    /// The bytes of the elements in the file: exactly them when `strides` is nil, else of the storage from the first
    /// element on.
    package let range: Range<Int>

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Bytes of all elements.
    public var byteCount: Int { count * elementType.width }

    /// Whether `withUnsafeBytes` hands out the mapped file itself rather than a gathered copy.
    public var isContiguous: Bool { strides == nil }

    /// The file that holds the tensor.
    public var path: String { file.path }

    /// Calls `body` with the elements' bytes in row-major order: the mapped file itself when `isContiguous`, which need
    /// not be aligned to the element's width; else a copy.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let stored = UnsafeRawBufferPointer(rebasing: file.bytes[range])
        guard let strides else {
            return try withExtendedLifetime(file) { try body(stored) }
        }
        let gathered = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        defer { gathered.deallocate() }
        withExtendedLifetime(file) { gather(stored, strides: strides, into: gathered) }
        return try body(UnsafeRawBufferPointer(gathered))
    }

    private func gather(_ stored: UnsafeRawBufferPointer, strides: [Int], into result: UnsafeMutableRawBufferPointer) {
        guard count > 0, let from = stored.baseAddress, let to = result.baseAddress else { return }
        let width = elementType.width
        var index = [Int](repeating: 0, count: shape.count)
        var source = 0
        for element in 0..<count {
            precondition((source + 1) * width <= stored.count, "strides were checked when the file was opened")
            (to + element * width).copyMemory(from: from + source * width, byteCount: width)
            var dimension = shape.count - 1
            while dimension >= 0 {
                index[dimension] += 1
                source += strides[dimension]
                if index[dimension] < shape[dimension] { break }
                source -= strides[dimension] * shape[dimension]
                index[dimension] = 0
                dimension -= 1
            }
        }
    }

    // MARK: As numbers

    /// The elements as 32-bit floats in row-major order.
    ///
    /// F16 and BF16 convert exactly, F64 to the nearest.
    /// - Throws: `CheckpointError.wrongElementType` when the elements are integers; `.notFinite` for NaN and infinities
    ///   unless `allowingNonFinite`.
    public func floats(allowingNonFinite: Bool = false) throws -> [Float] {
        try checkReadable()
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try copyFloats(
                to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]), allowingNonFinite: allowingNonFinite)
            initialized = count
        }
    }

    /// Writes the elements as 32-bit floats into `destination`, which must have room for exactly `count` of them, and
    /// gives the file's pages back to the system.
    ///
    /// - Throws: as `floats`.
    public func copyFloats(to destination: UnsafeMutableBufferPointer<Float>, allowingNonFinite: Bool = false) throws {
        precondition(destination.count == count, "room for \(destination.count) of \(count) elements of \(name)")
        try checkReadable()
        withUnsafeBytes { bytes in
            switch elementType {
            case .float32:
                UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
            case .bfloat16:
                for index in destination.indices {
                    let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    destination[index] = FloatConversion.widenBFloat16(UInt16(littleEndian: bits))
                }
            case .float16:
                for index in destination.indices {
                    let bits = bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                    destination[index] = FloatConversion.widenFloat16(UInt16(littleEndian: bits))
                }
            case .float64:
                for index in destination.indices {
                    let bits = bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
                    destination[index] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
                }
            default:
                preconditionFailure("checked above")
            }
        }
        if isContiguous { file.releasePages(in: range) }
        if !allowingNonFinite { try Self.checkFinite(UnsafeBufferPointer(destination), name: name) }
    }

    /// The bit patterns of a BF16 tensor in row-major order.
    ///
    /// - Throws: `CheckpointError.wrongElementType`; `.notFinite` for NaN and infinities unless `allowingNonFinite`.
    public func bfloat16Bits(allowingNonFinite: Bool = false) throws -> [UInt16] {
        guard elementType == .bfloat16 else {
            throw CheckpointError.wrongElementType(name: name, got: elementType.rawValue, expected: "BF16")
        }
        if !allowingNonFinite { try checkFinite() }
        let bits = withUnsafeBytes { bytes in
            [UInt16](unsafeUninitializedCapacity: count) { buffer, initialized in
                UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<bytes.count])
                    .copyMemory(from: bytes)
                initialized = count
            }
        }
        if isContiguous { file.releasePages(in: range) }
        return bits
    }

    // MARK: Checks

    /// Throws unless the stored shape is `expected`.
    ///
    /// - Throws: `CheckpointError.wrongShape`.
    public func checkShape(_ expected: [Int]) throws {
        guard shape == expected else {
            throw CheckpointError.wrongShape(name: name, got: shape, expected: expected)
        }
    }

    /// Throws if a BF16 element is NaN or infinite, without copying: for weights that are used where they lie.
    ///
    /// - Throws: `CheckpointError.wrongElementType`, `.notFinite`.
    public func checkFinite() throws {
        guard elementType == .bfloat16 else {
            throw CheckpointError.wrongElementType(name: name, got: elementType.rawValue, expected: "BF16")
        }
        try withUnsafeBytes { bytes in
            var bad = false
            for index in 0..<count {
                let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                bad = bad || bits & 0x7F80 == 0x7F80
            }
            guard bad else { return }
            for index in 0..<count {
                let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
                let value = FloatConversion.widenBFloat16(bits)
                guard value.isFinite else {
                    throw CheckpointError.notFinite(name: name, index: index, value: value.description)
                }
            }
        }
    }

    private func checkReadable() throws {
        guard elementType.isReadableAsFloat else {
            throw CheckpointError.wrongElementType(
                name: name, got: elementType.rawValue, expected: "F32, F16, BF16 or F64")
        }
    }

    package static func checkFinite(_ values: UnsafeBufferPointer<Float>, name: String) throws {
        // The largest magnitude's bits tell at once; the index is looked for only when there is something to report.
        var largest: UInt32 = 0
        for value in values { largest = max(largest, value.bitPattern & 0x7FFF_FFFF) }
        guard largest >= 0x7F80_0000, let index = values.firstIndex(where: { !$0.isFinite }) else { return }
        throw CheckpointError.notFinite(name: name, index: index, value: values[index].description)
    }
}
