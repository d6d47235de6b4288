/// The extents of a tensor, outermost first.
///
/// The alphabet of shapes, used in every comment of the package: B batch (sequences), T tokens (all sequences of a batch, packed one
/// after the other), R selected rows of T, C channels (hidden width), F feed-forward width, V vocabulary, NH heads, KH key/value
/// heads, D channels of a head. A gradient is called `d` + the name of its tensor.
public struct Shape: Equatable, Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The extents, outermost first; empty for a scalar.
    public let dimensions: [Int]

    /// A shape with the given extents.
    public init(_ dimensions: [Int]) {
        precondition(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative extents: \(dimensions)")
        self.dimensions = dimensions
    }

    public init(arrayLiteral elements: Int...) {
        self.init(elements)
    }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The number of elements: the product of the extents, 1 for a scalar.
    public var count: Int { dimensions.reduce(1, *) }

    /// The extent of the last axis, 1 for a scalar.
    public var width: Int { dimensions.last ?? 1 }

    /// The number of rows when the tensor is read as a matrix of its last axis: `count / width`.
    public var rows: Int { dimensions.dropLast().reduce(1, *) }

    /// The extent of one axis.
    public subscript(axis: Int) -> Int { dimensions[axis] }

    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
