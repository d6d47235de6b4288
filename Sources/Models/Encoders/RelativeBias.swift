import Foundation
public import Tensor

/// One number for every head and bucket of distances, which all layers add to their scores (MPNet, after T5: Raffel et al. 2020).
public final class RelativeBias: RelativePositionSource, Sendable {
    private let table: [Float]
    private let heads: Int

    /// Buckets of distances on one side, and the distance from which all are in the last one. MPNet has no others.
    private static let (buckets, farthest) = (16, 128)

    /// A table [buckets, heads].
    public init(_ parameter: Parameter) {
        table = parameter.value.values
        heads = parameter.value.shape[1]
    }

    /// The rows that the table must have at least.
    static var rows: Int { 2 * buckets }

    /// The bucket of a key at a distance from a query: those in front first, then those behind.
    static func bucket(_ distance: Int) -> Int {
        let (side, far) = (distance > 0 ? buckets : 0, abs(distance))
        let exact = buckets / 2
        guard far >= exact else { return side + far }
        let scaled = Float(log(Double(Float(far) / Float(exact)))) / Float(log(Double(farthest) / Double(exact))) * Float(buckets - exact)
        return side + min(buckets - 1, exact + Int(scaled))
    }

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
