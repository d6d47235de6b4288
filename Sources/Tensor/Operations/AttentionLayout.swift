/// Which keys each query of a packed batch sees.
///
/// Queries and keys of all sequences are packed without padding. A segment is a run of consecutive queries of one sequence. A
/// query sees all keys of the segment's `prefix` (such as a shared prompt) and the segment's own keys: those up to its own
/// position if the segment is causal, otherwise all of them. The same structure describes training, prefill, decoding with a
/// cache, several completions of one prompt, and encoders.
public struct AttentionLayout: Sendable, Equatable {
    /// A run of consecutive queries of one sequence.
    public struct Segment: Sendable, Equatable {
        /// The segment's rows of the query matrix.
        public var queries: Range<Int>
        /// The first of the segment's own key rows.
        public var keyBegin: Int
        /// The last key row that the first query sees. If the segment is causal, query j sees the keys up to `firstKey + j`.
        public var firstKey: Int
        /// The key rows that every query of the segment sees in addition to the segment's own keys.
        public var prefix: Range<Int>
        /// Whether query j sees only its own keys up to `firstKey + j`. Otherwise every query sees the same keys as the last one.
        public var isCausal: Bool

        /// Creates a segment from the values of the properties.
        public init(
            queries: Range<Int>, keyBegin: Int, firstKey: Int, prefix: Range<Int> = 0..<0, isCausal: Bool = true
        ) {
            self.queries = queries
            self.keyBegin = keyBegin
            self.firstKey = firstKey
            self.prefix = prefix
            self.isCausal = isCausal
        }

        /// The maximum number of keys that a query of the segment sees.
        var seen: Int { prefix.count + firstKey - keyBegin + queries.count }
        var keyEnd: Int { firstKey + queries.count }
    }

    /// The segments, in any order. Every query belongs to exactly one of them.
    public var segments: [Segment]

    /// Creates a layout from its segments.
    public init(_ segments: [Segment]) { self.segments = segments }

    /// Creates the layout of self-attention within packed sequences of the given lengths: queries and keys are the same rows.
    /// - Parameters:
    ///   - lengths: the number of tokens of each sequence.
    ///   - isCausal: whether a row sees only the rows up to itself, as in decoders.
    public init(lengths: [Int], isCausal: Bool = true) {
        var at = 0
        segments = lengths.map { length in
            defer { at += length }
            return Segment(queries: at..<at + length, keyBegin: at, firstKey: at, isCausal: isCausal)
        }
    }

    /// The segments in groups that do not share any key rows, each in the order of the layout. One thread must handle a whole
    /// group when gradients of keys are summed.
    package var groups: [[Segment]] {
        // runs of keys from left to right; a run that begins before the end of the previous ones shares rows with one of them
        let runs = segments.enumerated().flatMap { index, segment in
            [(keys: segment.keyBegin..<segment.keyEnd, index), (keys: segment.prefix, index)].filter {
                !$0.keys.isEmpty
            }
        }.sorted { $0.keys.lowerBound < $1.keys.lowerBound }
        // following the parents of a segment leads to the representative of its group, which is its own parent
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
                "attention segments must contain each of \(queries) queries once; query \(min(next, range.lowerBound)) is not"
            )
            next = range.upperBound
        }
        precondition(next == queries, "attention segments contain \(next) queries, not \(queries)")
        for segment in segments {
            precondition(
                segment.queries.lowerBound >= 0 && segment.queries.upperBound <= queries && segment.keyBegin >= 0
                    && segment.firstKey >= segment.keyBegin && segment.keyEnd <= keys && segment.prefix.lowerBound >= 0
                    && segment.prefix.upperBound <= keys,
                "attention segment \(segment) lies outside \(queries) queries and \(keys) keys")
        }
    }
}
