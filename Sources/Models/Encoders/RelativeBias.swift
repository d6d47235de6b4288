import Foundation
public import Tensor

/// A bias for each head and bucket of distances, which all layers add to their scores (MPNet, after T5: Raffel et al. 2020).
public final class RelativeBias: RelativePositionSource, Sendable {
    private let table: [Float]
    private let heads: Int

    /// The number of buckets on one side, and the distance from which all share the last one. MPNet has no other values.
    private static let (buckets, farthest) = (16, 128)

    /// Creates the bias from a table [buckets, heads].
    public init(_ parameter: Parameter) {
        table = parameter.value.values
        heads = parameter.value.shape[1]
    }

    /// The minimum number of rows of the table.
    static var rows: Int { 2 * buckets }

    /// The bucket for the position of a key minus that of the query: keys before the query come first, then those after it.
    static func bucket(_ distance: Int) -> Int {
        let (side, far) = (distance > 0 ? buckets : 0, abs(distance))
        let exact = buckets / 2
        guard far >= exact else { return side + far }
        let scaled = Float(log(Double(Float(far) / Float(exact)))) / Float(log(Double(farthest) / Double(exact))) * Float(buckets - exact)
        return side + min(buckets - 1, exact + Int(scaled))
    }

    /// The tables for texts of at most `longest` tokens.
    public func positions(longest: Int) -> RelativePositions {
        let reach = max(0, longest - 1)
        let columns = (-reach...reach).map(Self.bucket)
        let bias = Tensor.uninitialized([heads, columns.count]) { out in
            for head in 0..<heads {
                for (column, bucket) in columns.enumerated() { out[head * columns.count + column] = table[bucket * heads + head] }
            }
        }
        return RelativePositions(reach: reach, bias: bias)
    }
}
