import ShortFloats

/// A tensor in a checkpoint: name, element type, shape and the source of its elements.
///
/// Nothing is copied until elements are requested; the tensor keeps the file mapped. `withUnsafeBytes`, `floats` and `copyFloats`
/// return elements in row-major order of `shape`, little-endian, regardless of the strides in the file and of whether the
/// elements are stored directly, stored in quantised blocks of a GGUF file, or computed from another tensor.
public struct StoredTensor: Sendable {
    /// The tensor's name in the checkpoint.
    public let name: String
    /// The element type. Quantised and computed elements read as 32-bit floats.
    public let elementType: ElementType
    /// The dimensions, outermost first.
    public let shape: [Int]
    /// The source of the elements.
    let contents: Contents

    indirect enum Contents: Sendable {
        /// A byte range of a file. Without strides, the range holds exactly the elements in row-major order; with strides (in
        /// elements, one for each dimension), it starts at the first element and covers all of the view.
        case elements(MappedFile, Range<Int>, strides: [Int]?)
        /// Quantised blocks: small integers with scales.
        case blocks(MappedFile, Range<Int>, GGMLType)
        /// A transformation of another tensor, computed on access.
        case derived(StoredTensor, Derivation)
    }

    /// Creates a tensor whose elements are in a file.
    /// - Parameter strides: The strides in elements; nil if the elements are contiguous and in row-major order.
    init(name: String, elementType: ElementType, shape: [Int], strides: [Int]?, file: MappedFile, range: Range<Int>) {
        self.init(name: name, elementType: elementType, shape: shape, contents: .elements(file, range, strides: strides))
    }

    init(name: String, elementType: ElementType, shape: [Int], contents: Contents) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.contents = contents
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// The size of all elements in bytes.
    public var byteCount: Int { count * elementType.width }

    /// The mapped byte range of a tensor that is contiguous and in row-major order; nil otherwise.
    package var mapped: (file: MappedFile, range: Range<Int>)? {
        if case .elements(let file, let range, strides: nil) = contents { (file, range) } else { nil }
    }

    /// Whether `withUnsafeBytes` passes the mapped file itself and not a copy.
    public var isContiguous: Bool { mapped != nil }

    /// The path of the file that contains the tensor.
    public var path: String {
        switch contents {
        case .elements(let file, _, _), .blocks(let file, _, _): file.path
        case .derived(let base, _): base.path
        }
    }

    /// Releases the file's mapped pages after the elements have been copied.
    func releasePages() {
        switch contents {
        case .elements(let file, let range, let strides): if strides == nil { file.releasePages(in: range) }
        case .blocks(let file, let range, _): file.releasePages(in: range)
        case .derived(let base, _): base.releasePages()
        }
    }

    /// Whether another tensor is stored in the same way with identical bytes; false for strided and computed tensors. Releases the
    /// mapped pages of both.
    package func hasSameContents(as other: StoredTensor) -> Bool {
        func bytes(_ tensor: StoredTensor) -> (type: GGMLType?, bytes: UnsafeRawBufferPointer)? {
            switch tensor.contents {
            case .elements(let file, let range, strides: nil): (nil, UnsafeRawBufferPointer(rebasing: file.bytes[range]))
            case .blocks(let file, let range, let type): (type, UnsafeRawBufferPointer(rebasing: file.bytes[range]))
            default: nil
            }
        }
        guard shape == other.shape, elementType == other.elementType, let own = bytes(self), let others = bytes(other),
            own.type == others.type
        else { return false }
        defer {
            releasePages()
            other.releasePages()
        }
        return withExtendedLifetime((self, other)) { own.bytes.elementsEqual(others.bytes) }
    }

    // MARK: As bytes

    /// Calls `body` with the elements' bytes in row-major order. If `isContiguous`, the buffer is the mapped file, which may be
    /// unaligned for the element type; otherwise it is a copy that is freed after the call.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let (file, range) = mapped {
            return try withExtendedLifetime(file) { try body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
        }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        defer { copy.deallocate() }
        fill(copy)
        return try body(UnsafeRawBufferPointer(copy))
    }

    /// Writes the bytes of elements that are not contiguous.
    private func fill(_ result: UnsafeMutableRawBufferPointer) {
        switch contents {
        case .elements(let file, let range, let strides):
            let stored = UnsafeRawBufferPointer(rebasing: file.bytes[range])
            withExtendedLifetime(file) { gather(stored, strides: strides ?? [], into: result) }
        case .blocks:
            fillFloats(result.bindMemory(to: Float.self))
        case .derived(let base, let derivation):
            derivation.fill(result, from: base)
        }
    }

    private func gather(_ stored: UnsafeRawBufferPointer, strides: [Int], into result: UnsafeMutableRawBufferPointer) {
        guard count > 0, let from = stored.baseAddress, let to = result.baseAddress else { return }
        let width = elementType.width
        var index = [Int](repeating: 0, count: shape.count)
        var source = 0
        for element in 0..<count {
            precondition((source + 1) * width <= stored.count, "strides were validated when the file was opened")
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
}
