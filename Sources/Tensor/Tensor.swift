/// A dense, row-major array of 32-bit floats, which may be recorded on a tape for differentiation.
///
/// Tensors are values: an operation returns a new tensor and never changes its inputs. Copies share memory; only `update` writes
/// to it, and it copies shared memory first. Shapes are checked at every operation. A mismatch is a programming error: it stops
/// the program with both shapes in the message.
public struct Tensor {
    /// The dimensions; see ``Shape`` for the letters that comments use.
    public let shape: Shape
    package private(set) var storage: Storage
    package let node: Node?

    package init(shape: Shape, storage: Storage, node: Node? = nil) {
        precondition(
            storage.byteCount >= shape.count * 4, "storage of \(storage.byteCount) bytes is too small for \(shape)")
        self.shape = shape
        self.storage = storage
        self.node = node
    }

    /// Creates a tensor from its elements in row-major order; `values` must have as many as `shape`.
    public init(_ values: [Float], shape: Shape) {
        precondition(values.count == shape.count, "\(values.count) numbers do not fill the shape \(shape)")
        self = Tensor.uninitialized(shape) { out in
            values.withUnsafeBufferPointer {
                if let base = $0.baseAddress { out.update(from: base, count: values.count) }
            }
        }
    }

    /// Creates a scalar.
    public init(_ value: Float) {
        self.init([value], shape: [])
    }

    /// Creates a tensor whose elements `body` writes through a pointer to the first one.
    package static func uninitialized(_ shape: Shape, _ body: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let tensor = Tensor(shape: shape, storage: Storage(byteCount: shape.count * 4))
        body(tensor.mutablePointer)
        return tensor
    }

    /// Creates a tensor that is stored in a narrow format until someone writes to it.
    package init(shape: Shape, narrow: NarrowElements) {
        precondition(narrow.count == shape.count, "\(narrow.count) numbers do not fill the shape \(shape)")
        self.init(shape: shape, storage: Storage(narrow))
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: Shape) -> Tensor { filled(0, shape) }

    /// A tensor whose elements are all `value`.
    public static func filled(_ value: Float, _ shape: Shape) -> Tensor {
        uninitialized(shape) { floats in
            Compute.forChunks(shape.count, grain: 262_144) { (floats + $0.lowerBound).update(repeating: value, count: $0.count) }
        }
    }

    /// The number of elements.
    public var count: Int { shape.count }

    /// A copy of the elements in row-major order.
    public var values: [Float] { withUnsafeBufferPointer { Array($0) } }

    /// The element of a tensor that has exactly one; for any other tensor the program stops.
    public var item: Float {
        precondition(count == 1, "item needs a tensor of one element, not \(shape)")
        return withUnsafeBufferPointer { $0[0] }
    }

    /// Calls `body` with the elements in row-major order, without copying them. For a weight that is stored in a narrow format,
    /// such as bfloat16, `body` gets a temporary copy in 32-bit floats; the weight itself stays as it is.
    public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
        -> Result
    {
        let floats = widened()
        defer { withExtendedLifetime(floats) {} }
        return try body(UnsafeBufferPointer(start: floats.pointer, count: count))
    }

    /// The same elements in memory as 32-bit floats: this tensor itself, or a copy if it is stored in a narrow format. The
    /// stored weight stays as it is. Gradients pass through.
    public func widened() -> Tensor {
        storage.format == .f32 ? self : Tensor(shape: shape, storage: storage.copiedAsFloats(count: count), node: node)
    }

    /// The numbers that this tensor's elements were rounded from, if they can be read again (``NarrowElements/original``); otherwise
    /// this tensor. What is saved or merged is read from here. No gradient flows through it.
    package var unrounded: Tensor { Tensor(shape: shape, storage: storage.narrow?.original ?? storage) }

    /// Writes the elements of a range as floats to memory of that size. Default: all elements.
    package func copyFloats(_ range: Range<Int>? = nil, to out: UnsafeMutablePointer<Float>) {
        storage.copyFloats(range ?? 0..<count, to: out)
    }

    /// Calls `body` with the elements of a range as floats. Elements in a narrow format are widened to a temporary copy.
    package func withFloats<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        guard storage.format != .f32 else { return try storage.withFloats { try body($0 + range.lowerBound) } }
        return try Storage(byteCount: range.count * 4).withFloats {
            copyFloats(range, to: $0)
            return try body($0)
        }
    }

    /// Changes the elements in place. They are first copied to new memory, as 32-bit floats, if another tensor shares them, if
    /// they are a view of a file, or if they are stored in a narrow format.
    public mutating func update<Result>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) || storage.isView {
            let copy = storage.copiedAsFloats(count: count)
            copy.packsInPassing = storage.packsInPassing
            storage = copy
        }
        storage.packings.withLock { $0.clear() }
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(start: mutablePointer, count: count))
    }

    /// Replaces the elements of a range. Elements in bfloat16 keep their format, and the new ones are rounded to the nearest number;
    /// those of other narrow formats become 32-bit floats, as in ``update(_:)``.
    package mutating func replace(_ range: Range<Int>, with numbers: UnsafeBufferPointer<Float>) {
        precondition(range.count == numbers.count, "\(numbers.count) numbers do not fill the range \(range)")
        guard let narrow = storage.narrow, narrow.format == .bf16 else {
            return update { _ = UnsafeMutableBufferPointer(rebasing: $0[range]).update(fromContentsOf: numbers) }
        }
        guard let base = numbers.baseAddress else { return }
        if isKnownUniquelyReferenced(&storage), !storage.isReadableAgain, !narrow.keepsPacking {
            storage.packings.withLock { $0.clear() }
            narrow.round(base, into: range)
        } else {
            let block = Storage(byteCount: NumberFormat.bf16.byteCount(of: count))
            block.pointer.copyMemory(from: narrow.bytes, byteCount: NumberFormat.bf16.byteCount(of: count))
            let copy = NarrowElements(.bf16, block.pointer, count: count, keepsPacking: false, owner: block)
            copy.round(base, into: range)
            storage = Storage(copy)
        }
    }

    /// The same elements with another shape of the same number of elements. Gradients pass through.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(
            shape.count == count, "cannot read \(self.shape) as \(shape): \(count) elements are not \(shape.count)")
        let result = Tensor(shape: shape, storage: storage)
        return recorded(as: result) { .reshape(Reshape(input: $0, shape: self.shape)) }
    }

    /// The same elements, off the tape: no gradient flows through the result.
    public var detached: Tensor { Tensor(shape: shape, storage: storage) }

    /// A pointer to the first element. Stops the program for a weight that is stored in a narrow format: see
    /// ``widened()``.
    package var pointer: UnsafePointer<Float> { UnsafePointer(mutablePointer) }
    package var mutablePointer: UnsafeMutablePointer<Float> { storage.pointer.assumingMemoryBound(to: Float.self) }
}

extension Tensor: CustomStringConvertible {
    /// The shape and the first eight elements.
    public var description: String {
        "Tensor\(shape) " + values.prefix(8).description + (count > 8 ? "…" : "")
    }
}

extension Tensor {
    /// Whether two tensors share the same memory.
    package func sharesMemory(with other: Tensor) -> Bool { storage === other.storage }

    /// The number of elements that are widened at a time.
    private static var widenedAtOnce: Int { 1 << 18 }

    /// Calls `body` with the elements as floats, in consecutive parts in row-major order. Elements in a narrow format are widened
    /// a part at a time; floats are one part, and are not copied.
    package func forEachPart(_ body: (UnsafeBufferPointer<Float>) throws -> Void) rethrows {
        guard storage.format != .f32 else { return try withUnsafeBufferPointer(body) }
        let block = Storage(byteCount: min(count, Self.widenedAtOnce) * 4)
        defer { withExtendedLifetime(block) {} }
        let numbers = block.pointer.assumingMemoryBound(to: Float.self)
        for first in stride(from: 0, to: count, by: Self.widenedAtOnce) {
            let part = first..<min(count, first + Self.widenedAtOnce)
            copyFloats(part, to: numbers)
            try body(UnsafeBufferPointer(start: numbers, count: part.count))
        }
    }

    /// Whether two tensors have the same shape and the same bits in every element. Elements in a narrow format are widened a part
    /// at a time where the formats differ.
    package func isIdentical(to other: Tensor) -> Bool {
        guard shape == other.shape else { return false }
        if sharesMemory(with: other) { return true }
        if let a = storage.narrow, let b = other.storage.narrow, a.format == b.format {
            if equalBytes(a.bytes, b.bytes, count: a.format.byteCount(of: count)) { return true }
            // several blocks may stand for the same numbers
            if a.format != .q8 { return false }
        }
        return stride(from: 0, to: count, by: Self.widenedAtOnce).allSatisfy { first in
            let part = first..<min(count, first + Self.widenedAtOnce)
            return withFloats(part) { a in other.withFloats(part) { equalBytes(a, $0, count: part.count * 4) } }
        }
    }
}
