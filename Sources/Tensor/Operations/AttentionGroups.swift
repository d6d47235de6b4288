/// The segments of a layout in the groups in which the kernels process them: alone or, in decoding, together with others behind the
/// same prefix. The rows of the prefix are then read once for the whole group. The results do not depend on the groups.
package struct AttentionGroups {
    /// The segments; those of a group are consecutive.
    package private(set) var segments: [Kernels.Segment] = []
    /// The range of every group in `segments`.
    package private(set) var ranges: [Range<Int>] = []

    /// Prefixes with fewer rows are read by every segment.
    private static let leastPrefix = 32
    /// A group has at least this many queries, times query heads per key/value head: with fewer, transposing the keys costs more than
    /// reading them once saves.
    private static let leastQueries = 4
    /// A group has at most this many queries, unless a single segment has more. More gain little, and smaller groups balance the load
    /// of the threads.
    private static let mostQueries = 16

    /// Whether there is a group of several segments.
    package var isShared: Bool { ranges.count < segments.count }

    /// Creates a group for every segment.
    package init(alone layout: AttentionLayout) {
        for segment in layout.segments { append([segment]) }
    }

    /// Creates groups of segments behind the same prefix, where they are large enough to gain. A group of several segments
    /// has at most ``Kernels/prefixQueries`` queries times query heads per key/value head.
    /// - Parameters:
    ///   - layout: the segments.
    ///   - headGroup: the number of query heads per key/value head.
    ///   - isFew: whether the kernels for few queries process a segment of that many queries; others have separate groups.
    package init(_ layout: AttentionLayout, headGroup: Int, isFew: (Int) -> Bool) {
        var places: [Range<Int>: Int] = [:]
        var shared: [[AttentionLayout.Segment]] = []
        for segment in layout.segments {
            guard segment.prefix.count >= Self.leastPrefix, isFew(segment.queries.count), !segment.queries.isEmpty else {
                append([segment])
                continue
            }
            if let place = places[segment.prefix] {
                shared[place].append(segment)
            } else {
                places[segment.prefix] = shared.count
                shared.append([segment])
            }
        }
        for members in shared {
            for part in Self.parts(of: members, most: min(Self.mostQueries, Kernels.prefixQueries / headGroup)) {
                if part.reduce(0, { $0 + $1.queries.count }) * headGroup >= Self.leastQueries {
                    append(part)
                } else {
                    for segment in part { append([segment]) }
                }
            }
        }
    }

    /// Cuts segments into parts of similar size with at most `most` queries, or with one segment.
    private static func parts(of segments: [AttentionLayout.Segment], most: Int) -> [[AttentionLayout.Segment]] {
        let queries = segments.reduce(0) { $0 + $1.queries.count }
        let count = (queries + max(1, most) - 1) / max(1, most)
        let size = (queries + max(1, count) - 1) / max(1, count)
        var parts: [[AttentionLayout.Segment]] = []
        var filled = size
        for segment in segments {
            if filled + segment.queries.count > size {
                parts.append([])
                filled = 0
            }
            parts[parts.count - 1].append(segment)
            filled += segment.queries.count
        }
        return parts
    }

    private mutating func append(_ group: [AttentionLayout.Segment]) {
        ranges.append(segments.count..<segments.count + group.count)
        segments += group.map(Kernels.Segment.init)
    }
}

extension Kernels.Segment {
    init(_ segment: AttentionLayout.Segment) {
        self.init(
            query_begin: segment.queries.lowerBound, query_count: segment.queries.count, key_begin: segment.keyBegin,
            key_first: segment.firstKey, prefix_begin: segment.prefix.lowerBound, prefix_count: segment.prefix.count,
            sees_all: segment.isCausal ? 0 : 1)
    }
}
