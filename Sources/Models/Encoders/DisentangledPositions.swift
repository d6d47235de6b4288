import Foundation
public import Tensor

/// Keys and queries of distances of one layer: the content of a query meets keys of the distance, that of a key queries of it (DeBERTa, He et
/// al. 2021).
///
/// Unchecked: the tables are never written to.
public final class DisentangledPositions: RelativePositionSource, @unchecked Sendable {
    /// How distances become rows of the tables.
    public struct Distances: Sendable, Equatable {
        /// Rows on one side: distances beyond them have the last one.
        public var span: Int
        /// Buckets on one side, exact up to half of them and logarithmic from there; nil where every distance has its own row.
        public var buckets: Int?
        /// The distance that has the last bucket, plus 1.
        public var farthest: Int

        /// Distances; see the properties.
        public init(span: Int, buckets: Int?, farthest: Int) {
            (self.span, self.buckets, self.farthest) = (span, buckets, farthest)
        }

        /// The row of a query's position − a key's position.
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

    /// Tables [2·span, C] of keys ("content to position") and of queries ("position to content"), each nil where a model lacks that term.
    public init(_ distances: Distances, keys: Tensor?, queries: Tensor?) {
        self.distances = distances
        self.keys = keys
        self.queries = queries
    }

    public func positions(longest: Int) -> RelativePositions {
        let reach = max(0, longest - 1)
        // row `reach + key − query` of what is made
        let rows = (-reach...reach).map { distances.row(-$0) }
        return RelativePositions(reach: reach, keys: keys?.rows(rows), queries: queries?.rows(rows))
    }
}
