import Foundation
public import Tensor

/// Relative keys and queries of one layer, for disentangled attention (DeBERTa, He et al. 2021): queries attend to keys of
/// distances, and keys to queries of distances.
///
/// `@unchecked Sendable`: the tables are never written to.
public final class DisentangledPositions: RelativePositionSource, @unchecked Sendable {
    /// How distances map to rows of the tables.
    public struct Distances: Sendable, Equatable {
        /// The number of rows on one side; greater distances share the last row.
        public var span: Int
        /// The number of buckets on one side, exact up to half of them and logarithmic beyond; nil if every distance has its own
        /// row.
        public var buckets: Int?
        /// The distance at which the last bucket is reached, plus 1.
        public var farthest: Int

        /// Creates the mapping from the values of the properties.
        public init(span: Int, buckets: Int?, farthest: Int) {
            (self.span, self.buckets, self.farthest) = (span, buckets, farthest)
        }

        /// The row for a distance, which is the query's position minus the key's position.
        func row(_ distance: Int) -> Int { max(0, min(2 * span - 1, bucket(distance) + span)) }

        private func bucket(_ distance: Int) -> Int {
            guard let buckets else { return distance }
            let (middle, far) = (buckets / 2, abs(distance))
            guard far > middle else { return distance }
            let ratio = logf(Float(far) / Float(middle)) / logf(Float(Double(farthest - 1) / Double(middle)))
            return (Int((ratio * Float(middle - 1)).rounded(.up)) + middle) * (distance < 0 ? -1 : 1)
        }
    }

    private let distances: Distances
    private let keys: Tensor?
    private let queries: Tensor?

    /// Creates relative positions from tables [2·span, C] of keys ("content to position") and queries ("position to content");
    /// nil for a term that the model does not have.
    public init(_ distances: Distances, keys: Tensor?, queries: Tensor?) {
        self.distances = distances
        self.keys = keys
        self.queries = queries
    }

    /// The tables for texts of at most `longest` tokens.
    public func positions(longest: Int) -> RelativePositions {
        let reach = max(0, longest - 1)
        // row `reach + key − query` of the result
        let rows = (-reach...reach).map { distances.row(-$0) }
        return RelativePositions(reach: reach, keys: keys?.rows(rows), queries: queries?.rows(rows))
    }
}
