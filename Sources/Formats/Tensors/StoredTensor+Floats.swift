import ShortFloats

extension StoredTensor {
    // MARK: As numbers

    /// The elements as 32-bit floats in row-major order.
    ///
    /// F16 and BF16 convert exactly, F64 rounds to the nearest, and quantised blocks are decoded as ggml does.
    /// - Throws: `CheckpointError.wrongElementType` for integers; `.notFinite` for NaN and infinities unless `allowingNonFinite`.
    public func floats(allowingNonFinite: Bool = false) throws -> [Float] {
        try checkReadable()
        return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try copyFloats(
                to: UnsafeMutableBufferPointer(rebasing: buffer[..<count]), allowingNonFinite: allowingNonFinite)
            initialized = count
        }
    }

    /// Writes the elements as 32-bit floats into `destination`, which must have exactly `count` elements. Then releases the
    /// file's mapped pages.
    ///
    /// - Throws: As `floats`.
    public func copyFloats(to destination: UnsafeMutableBufferPointer<Float>, allowingNonFinite: Bool = false) throws {
        precondition(destination.count == count, "the destination has \(destination.count) elements, but \(name) has \(count)")
        try checkReadable()
        fillFloats(destination)
        releasePages()
        if !allowingNonFinite { try checkFinite(UnsafeBufferPointer(destination)) }
    }

    /// Writes all elements into `destination` as floats.
    func fillFloats(_ destination: UnsafeMutableBufferPointer<Float>) {
        switch contents {
        case .elements:
            withUnsafeBytes { Self.widen($0, elementType, into: destination) }
        case .blocks:
            readFloats(0..<count, into: destination)
        case .derived(let base, let derivation):
            derivation.fillFloats(destination, from: base)
        }
    }

    /// Whether `readFloats` can read any aligned run of `length` elements without reading the rest of the tensor.
    func isReadable(inRunsOf length: Int) -> Bool {
        switch contents {
        case .elements: isContiguous
        case .blocks(_, _, let type): length % type.block.elements == 0
        case .derived: false
        }
    }

    /// Writes a range of elements into `destination` as floats. Requires `isReadable(inRunsOf:)`.
    func readFloats(_ elements: Range<Int>, into destination: UnsafeMutableBufferPointer<Float>) {
        switch contents {
        case .elements(let file, let range, _):
            let width = elementType.width
            let start = range.lowerBound + elements.lowerBound * width
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + elements.count * width])
            withExtendedLifetime(file) { Self.widen(bytes, elementType, into: destination) }
        case .blocks(let file, let range, let type):
            let (length, width) = type.block
            precondition(elements.lowerBound % length == 0 && elements.count % length == 0, "only complete blocks can be read")
            let start = range.lowerBound + elements.lowerBound / length * width
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + elements.count / length * width])
            withExtendedLifetime(file) { type.decode(bytes, into: destination) }
        case .derived:
            preconditionFailure("only stored elements can be read in parts")
        }
    }

    private static func widen(
        _ bytes: UnsafeRawBufferPointer, _ elementType: ElementType, into destination: UnsafeMutableBufferPointer<Float>
    ) {
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
            preconditionFailure("integers cannot be read as floats")
        }
    }

    /// The bit patterns of a BF16 tensor's elements in row-major order.
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
        releasePages()
        return bits
    }

    // MARK: Checks

    /// Checks that the stored shape is `expected`.
    ///
    /// - Throws: `CheckpointError.wrongShape`.
    public func checkShape(_ expected: [Int]) throws {
        guard shape == expected else {
            throw CheckpointError.wrongShape(name: name, got: shape, expected: expected)
        }
    }

    /// Checks that no element of a BF16 or F16 tensor is NaN or infinite, without copying. For weights that are used directly from
    /// the mapped file.
    ///
    /// - Throws: `CheckpointError.wrongElementType`, `.notFinite`.
    public func checkFinite() throws {
        guard elementType == .bfloat16 || elementType == .float16 else {
            throw CheckpointError.wrongElementType(name: name, got: elementType.rawValue, expected: "BF16 or F16")
        }
        try withUnsafeBytes { try checkFinite(halves: $0) }
    }

    /// Checks that none of the bytes of this BF16 or F16 tensor, little-endian, is NaN or infinite; throws `CheckpointError.notFinite`.
    package func checkFinite(halves bytes: UnsafeRawBufferPointer) throws {
        let (count, isBrain) = (bytes.count / 2, elementType == .bfloat16)
        guard let start = bytes.baseAddress else { return }
        let infinity: UInt16 = isBrain ? 0x7F80 : 0x7C00
        // without branches and overflow checks, so that the loop is vectorised; only then search for the index
        var bad: UInt16 = 0
        for index in 0..<count {
            let bits = UInt16(littleEndian: start.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
            bad |= bits & infinity == infinity ? 1 : 0
        }
        guard bad != 0 else { return }
        for index in 0..<count {
            let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
            let value = isBrain ? FloatConversion.widenBFloat16(bits) : FloatConversion.widenFloat16(bits)
            guard value.isFinite else {
                throw CheckpointError.notFinite(file: path, name: name, index: index, value: value.description)
            }
        }
    }

    private func checkReadable() throws {
        guard elementType.isReadableAsFloat else {
            throw CheckpointError.wrongElementType(
                name: name, got: elementType.rawValue, expected: "F32, F16, BF16 or F64")
        }
    }

    /// Checks that none of the values of this tensor is NaN or infinite; throws `CheckpointError.notFinite`.
    package func checkFinite(_ values: UnsafeBufferPointer<Float>) throws {
        // without branches, so that the loop is vectorised; only then search for the index
        let infinity: UInt32 = 0x7F80_0000
        var bad: UInt32 = 0
        for value in values { bad |= value.bitPattern & infinity == infinity ? 1 : 0 }
        guard bad != 0, let index = values.firstIndex(where: { !$0.isFinite }) else { return }
        throw CheckpointError.notFinite(file: path, name: name, index: index, value: values[index].description)
    }
}
