/// Which keys each run of queries may look at, for a whole ragged batch.
///
/// Queries and keys of all sequences are packed without padding. A segment is a run of consecutive queries of one sequence; query j of
/// it sees the keys `prefix` (a shared prompt, say) and its own keys from `keys.lowerBound` up to its own position, or all of them where
/// the segment is not causal. The same structure describes training, prefill, decoding with a cache, several continuations of one
/// prompt, and encoders.
public struct AttentionLayout: Sendable, Equatable {
    /// One run of queries.
    public struct Segment: Sendable, Equatable {
        /// Rows of the query matrix.
        public var queries: Range<Int>
        /// The first of the segment's own key rows.
        public var keyBegin: Int
        /// The last key row that the first query sees; query j sees up to `firstKey + j`.
        public var firstKey: Int
        /// Key rows that every query of the segment sees besides its own.
        public var prefix: Range<Int>
        /// Whether query j sees its own keys up to `firstKey + j` only; otherwise every query sees what the last one does.
        public var isCausal: Bool

        /// A segment; see the properties.
        public init(
            queries: Range<Int>, keyBegin: Int, firstKey: Int, prefix: Range<Int> = 0..<0, isCausal: Bool = true
        ) {
            self.queries = queries
            self.keyBegin = keyBegin
            self.firstKey = firstKey
            self.prefix = prefix
            self.isCausal = isCausal
        }

        /// The most keys that a query of the segment sees.
        var seen: Int { prefix.count + firstKey - keyBegin + queries.count }
        var keyEnd: Int { firstKey + queries.count }
    }

    /// The segments, in any order; their queries do not overlap.
    public var segments: [Segment]

    /// A layout of the given segments.
    public init(_ segments: [Segment]) { self.segments = segments }

    /// Whole sequences of the given lengths, each seeing itself only: queries and keys are the same packed rows.
    /// - Parameter isCausal: whether a row sees the rows up to itself only, as in decoders.
    public init(lengths: [Int], isCausal: Bool = true) {
        var at = 0
        segments = lengths.map { length in
            defer { at += length }
            return Segment(queries: at..<at + length, keyBegin: at, firstKey: at, isCausal: isCausal)
        }
    }

    /// Segments that read the same key rows must be handled by one thread when key gradients are summed: the groups of segments
    /// connected through shared keys, each in the order of the layout.
    package var groups: [[Segment]] {
        // runs of keys from left to right; a run that begins before the reach of the ones before it shares rows with one of them
        let runs = segments.enumerated().flatMap { index, segment in
            [(keys: segment.keyBegin..<segment.keyEnd, index), (keys: segment.prefix, index)].filter {
                !$0.keys.isEmpty
            }
        }.sorted { $0.keys.lowerBound < $1.keys.lowerBound }
        // a segment's parent leads to the representative of its group, which is its own parent
        var parents = Array(segments.indices)
        func representative(_ index: Int) -> Int {
            var index = index
            while parents[index] != index { index = parents[index] }
            return index
        }
        var (reach, last) = (0, -1)
        for (keys, index) in runs {
            if keys.lowerBound < reach { parents[representative(index)] = representative(last) }
            (reach, last) = (max(reach, keys.upperBound), index)
        }
        let members = Dictionary(grouping: segments.indices, by: representative)
        return members.values.sorted { $0[0] < $1[0] }.map { $0.map { segments[$0] } }
    }

    func check(queries: Int, keys: Int) {
        var next = 0
        for range in segments.map(\.queries).filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            precondition(
                range.lowerBound == next,
                "attention segments must hold each of \(queries) queries once; query \(min(next, range.lowerBound)) is not"
            )
            next = range.upperBound
        }
        precondition(next == queries, "attention segments hold \(next) queries, not \(queries)")
        for segment in segments {
            precondition(
                segment.queries.lowerBound >= 0 && segment.queries.upperBound <= queries && segment.keyBegin >= 0
                    && segment.firstKey >= segment.keyBegin && segment.keyEnd <= keys && segment.prefix.lowerBound >= 0
                    && segment.prefix.upperBound <= keys,
                "attention segment \(segment) lies outside of \(queries) queries and \(keys) keys")
        }
    }
}
