import ShortFloats

/// A tensor as it lies in a checkpoint: name, type, shape and where its elements come from.
///
/// Nothing is copied until elements are asked for; the view keeps the file mapped. Elements are little-endian, in
/// row-major order of `shape` through `withUnsafeBytes`, `floats` and `copyFloats`, whatever the strides in the file
/// are, and whether they lie there as they are, in blocks of a GGUF file, or have to be put into another order first.
public struct StoredTensor: Sendable {
    /// Its name in the checkpoint.
    public let name: String
    /// How elements are stored; those in quantised blocks, and those that are computed, are 32-bit floats.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: [Int]
    /// Where the elements come from.
    let contents: Contents

    indirect enum Contents: Sendable {
        /// The bytes of a file: exactly the elements' without strides, else those of the storage from the first element on. Strides are
        /// distances of neighbours along each dimension, in elements.
        case elements(MappedFile, Range<Int>, strides: [Int]?)
        /// Blocks of small integers with scales.
        case blocks(MappedFile, Range<Int>, GGMLType)
        /// What is made of another tensor when it is asked for.
        case derived(StoredTensor, Derivation)
    }

    /// Elements as they lie in a file.
    /// - Parameter strides: nil when they lie in order without gaps.
    init(name: String, elementType: ElementType, shape: [Int], strides: [Int]?, file: MappedFile, range: Range<Int>) {
        self.init(name: name, elementType: elementType, shape: shape, contents: .elements(file, range, strides: strides))
    }

    init(name: String, elementType: ElementType, shape: [Int], contents: Contents) {
        self.name = name
        self.elementType = elementType
        self.shape = shape
        self.contents = contents
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Bytes of all elements.
    public var byteCount: Int { count * elementType.width }

    /// The mapped bytes of elements that lie in order without gaps; nil for all others.
    package var mapped: (file: MappedFile, range: Range<Int>)? {
        if case .elements(let file, let range, strides: nil) = contents { (file, range) } else { nil }
    }

    /// Whether `withUnsafeBytes` hands out the mapped file itself rather than a copy.
    public var isContiguous: Bool { mapped != nil }

    /// The file that holds the tensor.
    public var path: String {
        switch contents {
        case .elements(let file, _, _), .blocks(let file, _, _): file.path
        case .derived(let base, _): base.path
        }
    }

    /// Gives the file's pages back to the system, once the elements have been copied.
    func releasePages() {
        switch contents {
        case .elements(let file, let range, let strides): if strides == nil { file.releasePages(in: range) }
        case .blocks(let file, let range, _): file.releasePages(in: range)
        case .derived(let base, _): base.releasePages()
        }
    }

    /// Whether another tensor is stored in the same way with the same bytes; false for what is computed.
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
        return withExtendedLifetime((self, other)) { own.bytes.elementsEqual(others.bytes) }
    }

    // MARK: As bytes

    /// Calls `body` with the elements' bytes in row-major order: the mapped file itself when `isContiguous`, which need
    /// not be aligned to the element's width; else a copy that is gone afterwards.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        if let (file, range) = mapped {
            return try withExtendedLifetime(file) { try body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
        }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        defer { copy.deallocate() }
        fill(copy)
        return try body(UnsafeRawBufferPointer(copy))
    }

    /// Writes the bytes of elements that do not lie in order.
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
}
