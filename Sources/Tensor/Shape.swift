/// The dimensions of a tensor, outermost first.
///
/// Comments of the package use these letters for shapes: B batch (sequences), T tokens (all sequences of a batch, packed one
/// after the other), R selected rows of T, C channels (hidden size), F feed-forward size, V vocabulary size, NH attention heads,
/// KH key/value heads, D channels of a head. A gradient is named `d` + the name of its tensor.
public struct Shape: Equatable, Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The dimensions, outermost first; empty for a scalar.
    public let dimensions: [Int]

    /// Creates a shape with the given dimensions, none of which may be negative.
    public init(_ dimensions: [Int]) {
        precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape must not have negative extents: \(dimensions)")
        self.dimensions = dimensions
    }

    /// Creates a shape from a literal such as `[2, 3]`.
    public init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The number of elements: the product of the dimensions; 1 for a scalar.
    public var count: Int { dimensions.reduce(1, *) }

    /// The size of the last axis; 1 for a scalar.
    public var width: Int { dimensions.last ?? 1 }

    /// The number of rows when the tensor is read as a matrix whose columns are the last axis: the product of all other
    /// dimensions.
    public var rows: Int { dimensions.dropLast().reduce(1, *) }

    /// The size of one axis.
    public subscript(axis: Int) -> Int { dimensions[axis] }

    /// The dimensions in brackets, such as "[2, 3]".
    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
