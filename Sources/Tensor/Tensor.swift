/// A dense, row-major array of 32-bit floats, and, when it was made from watched parameters, its place on a tape.
///
/// Tensors are values: an operation returns a new tensor and never changes its inputs. The bytes are shared between copies and
/// written again only through `update`, which copies first when they are shared. Shapes are checked at every operation; a mistake
/// stops the program with both shapes in the message, because it is an error in the program and not in its input.
public struct Tensor {
    /// The extents; see ``Shape`` for the alphabet.
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

    /// A tensor of the given numbers, row by row.
    public init(_ values: [Float], shape: Shape) {
        precondition(values.count == shape.count, "\(values.count) numbers do not fill shape \(shape)")
        self = Tensor.uninitialized(shape) { out in
            values.withUnsafeBufferPointer {
                if let base = $0.baseAddress { out.update(from: base, count: values.count) }
            }
        }
    }

    /// A scalar.
    public init(_ value: Float) {
        self.init([value], shape: [])
    }

    /// A tensor of the given shape, filled by `body` through a pointer to its first element.
    package static func uninitialized(_ shape: Shape, _ body: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let tensor = Tensor(shape: shape, storage: Storage(byteCount: shape.count * 4))
        body(tensor.mutablePointer)
        return tensor
    }

    /// Floats that are kept in bfloat16 until somebody writes to them.
    package init(shape: Shape, narrow: NarrowElements) {
        precondition(narrow.count == shape.count, "\(narrow.count) numbers do not fill shape \(shape)")
        self.init(shape: shape, storage: Storage(narrow))
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: Shape) -> Tensor { filled(0, shape) }

    /// A tensor whose elements are all `value`.
    public static func filled(_ value: Float, _ shape: Shape) -> Tensor {
        uninitialized(shape) { $0.update(repeating: value, count: shape.count) }
    }

    /// The number of elements.
    public var count: Int { shape.count }

    /// A copy of the elements, row by row.
    public var values: [Float] { withUnsafeBufferPointer { Array($0) } }

    /// The only element of a tensor that has one.
    public var item: Float {
        precondition(count == 1, "item needs a tensor of one element, not \(shape)")
        return withUnsafeBufferPointer { $0[0] }
    }

    /// Calls `body` with the elements, without copying them. A weight that is kept in bfloat16 stays so: `body` gets a copy, which is gone
    /// afterwards.
    public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows
        -> Result
    {
        let floats = widened()
        defer { withExtendedLifetime(floats) {} }
        return try body(UnsafeBufferPointer(start: floats.pointer, count: count))
    }

    /// The same elements as 32-bit floats in memory: this tensor, unless it is a weight that is kept in fewer bits, of which a copy is made.
    /// Such a weight stays as it is, and gradients pass through.
    public func widened() -> Tensor {
        storage.format == .f32 ? self : Tensor(shape: shape, storage: storage.copiedAsFloats(count: count), node: node)
    }

    /// Writes some elements, all unless said otherwise, to memory for as many floats.
    func copyFloats(_ range: Range<Int>? = nil, to out: UnsafeMutablePointer<Float>) {
        storage.copyFloats(range ?? 0..<count, to: out)
    }

    /// Calls `body` with some elements as floats; those of a weight that is kept in fewer bits are widened for the call.
    func withFloats<Result>(_ range: Range<Int>, _ body: (UnsafePointer<Float>) -> Result) -> Result {
        guard storage.format != .f32 else { return storage.withFloats { body($0 + range.lowerBound) } }
        return Storage(byteCount: range.count * 4).withFloats {
            copyFloats(range, to: $0)
            return body($0)
        }
    }

    /// Changes the elements in place. They become floats in memory of their own first when another tensor shares them, when they are a view
    /// of a file, or when they were kept in fewer bits.
    public mutating func update<Result>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) || storage.isView {
            storage = storage.copiedAsFloats(count: count)
        }
        storage.packings.withLock { $0 = WeightPackings() }
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(start: mutablePointer, count: count))
    }

    /// The same elements with other extents. Gradients pass through.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(
            shape.count == count, "cannot read \(self.shape) as \(shape): \(count) elements are not \(shape.count)")
        let result = Tensor(shape: shape, storage: storage)
        return recorded(as: result) { .reshape(Reshape(input: $0, shape: self.shape)) }
    }

    /// The same elements, off the tape: no gradient flows through the result.
    public var detached: Tensor { Tensor(shape: shape, storage: storage) }

    /// The first element. A weight that is kept in fewer bits has no floats to point at, and the program stops: see ``widened()``.

    package var pointer: UnsafePointer<Float> { UnsafePointer(mutablePointer) }
    package var mutablePointer: UnsafeMutablePointer<Float> { storage.pointer.assumingMemoryBound(to: Float.self) }
}

extension Tensor: CustomStringConvertible {
    public var description: String {
        "Tensor\(shape) " + values.prefix(8).description + (count > 8 ? "…" : "")
    }
}

extension Tensor {
    /// Whether two tensors are views of the same memory.
    package func sharesMemory(with other: Tensor) -> Bool { storage === other.storage }

    /// Whether two tensors have one shape and the same bits in every element.
    package func isIdentical(to other: Tensor) -> Bool {
        guard shape == other.shape else { return false }
        if let a = storage.narrow, let b = other.storage.narrow {
            return equalBytes(a.pointer, b.pointer, count: count * 2)
        }
        return withUnsafeBufferPointer { a in
            other.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return equalBytes(a, b, count: count * 4)
            }
        }
    }
}
