public import Tensor

extension OpCases {
    /// Attention over the given segments; `queries` and `keys` are the rows of the two sides.
    public static func attention(
        _ name: String, _ layout: AttentionLayout, queries: Int, keys: Int, heads: Int, keyHeads: Int, dim: Int,
        scores: AttentionScores = AttentionScores(), dropout: DropoutMask? = nil
    ) -> OpCase {
        let pairs = layout.segments.reduce(0) { total, segment in
            total
                + segment.queries.indices.reduce(0) {
                    let later = segment.isCausal ? $1 - segment.queries.lowerBound : segment.queries.count - 1
                    return $0 + segment.prefix.count + segment.firstKey - segment.keyBegin + 1 + later
                }
        }
        return OpCase(
            "attention", "\(name), \(heads)/\(keyHeads) heads of \(dim)",
            inputs: [
                .normal("q", [queries, heads * dim]), .normal("k", [keys, keyHeads * dim]), .normal("v", [keys, keyHeads * dim]),
            ], output: [queries, heads * dim], flops: 4 * pairs * heads * dim,
            run: {
                $0[0].attending(
                    keys: $0[1], values: $0[2], layout: layout, heads: heads, keyHeads: keyHeads, scores: scores, dropout: dropout)
            },
            naive: {
                Naive.attention(
                    $0[0], $0[1], $0[2], layout: layout, heads: heads, keyHeads: keyHeads, dim: dim, scores: scores,
                    dropout: dropout)
            })
    }

    /// Whole sequences, packed.
    public static func attention(lengths: [Int], heads: Int, keyHeads: Int, dim: Int) -> OpCase {
        let rows = lengths.reduce(0, +)
        return attention(
            "lengths \(lengths)", AttentionLayout(lengths: lengths), queries: rows, keys: rows, heads: heads,
            keyHeads: keyHeads, dim: dim)
    }

    /// Whole sequences, packed, each row seeing its whole sequence.
    public static func bidirectional(lengths: [Int], heads: Int, keyHeads: Int, dim: Int) -> OpCase {
        let rows = lengths.reduce(0, +)
        return attention(
            "two-way, lengths \(lengths)", AttentionLayout(lengths: lengths, isCausal: false), queries: rows, keys: rows,
            heads: heads, keyHeads: keyHeads, dim: dim)
    }

    /// Only the last `queries` rows of each sequence ask; the keys of all its rows are there, as with a cache.
    public static func attention(lengths: [Int], lastQueries queries: Int, heads: Int, keyHeads: Int, dim: Int) -> OpCase {
        var key = 0
        let segments = lengths.enumerated().map { index, length in
            defer { key += length }
            return AttentionLayout.Segment(
                queries: index * queries..<(index + 1) * queries, keyBegin: key, firstKey: key + length - queries)
        }
        return attention(
            "last \(queries) of \(lengths)", AttentionLayout(segments), queries: lengths.count * queries, keys: key,
            heads: heads, keyHeads: keyHeads, dim: dim)
    }

    /// Several continuations of one prompt. When `promptAsks`, the prompt's own rows are queries too.
    public static func attention(
        prompt: Int, continuations: [Int], promptAsks: Bool, heads: Int, keyHeads: Int, dim: Int
    ) -> OpCase {
        var segments: [AttentionLayout.Segment] = []
        var (query, key) = (0, prompt)
        if promptAsks {
            segments.append(AttentionLayout.Segment(queries: 0..<prompt, keyBegin: 0, firstKey: 0))
            query = prompt
        }
        for length in continuations {
            segments.append(
                AttentionLayout.Segment(
                    queries: query..<query + length, keyBegin: key, firstKey: key, prefix: 0..<prompt))
            query += length
            key += length
        }
        return attention(
            "prompt of \(prompt)\(promptAsks ? " that asks" : ""), continuations \(continuations)", AttentionLayout(segments),
            queries: query, keys: key, heads: heads, keyHeads: keyHeads, dim: dim)
    }

    /// Windows, caps and ALiBi on layouts of every kind: single queries, blocks, prefixes that lie within the window, in part, or outside of it.
    static var scoredAttentions: [OpCase] {
        let kinds: [(String, AttentionScores)] = [
            ("window 1", AttentionScores(window: 1)), ("window 5", AttentionScores(window: 5)), ("window 20", AttentionScores(window: 20)),
            ("window 60", AttentionScores(window: 60)), ("cap", AttentionScores(scale: 0.4, cap: 1.5)),
            ("cap, window 5", AttentionScores(window: 5, cap: 2)), ("slopes", AttentionScores(slopes: [0.5, 0.0625, 0.25, 1])),
            ("slopes, window 7", AttentionScores(window: 7, slopes: [0.5, 0.0625, 0.25, 1])),
        ]
        return kinds.flatMap { name, scores in
            [
                attention(
                    "\(name), whole", AttentionLayout(lengths: [3, 1, 61, 110]), queries: 175, keys: 175, heads: 4, keyHeads: 2, dim: 12,
                    scores: scores),
                attention(
                    "\(name), continuations",
                    AttentionLayout([
                        .init(queries: 0..<30, keyBegin: 0, firstKey: 0),
                        .init(queries: 30..<34, keyBegin: 30, firstKey: 30, prefix: 0..<30),
                        .init(queries: 34..<90, keyBegin: 34, firstKey: 34, prefix: 0..<30),
                    ]), queries: 90, keys: 90, heads: 4, keyHeads: 4, dim: 8, scores: scores),
                attention(
                    "\(name), decoding",
                    AttentionLayout([
                        .init(queries: 0..<1, keyBegin: 30, firstKey: 33, prefix: 0..<30),
                        .init(queries: 1..<2, keyBegin: 40, firstKey: 48, prefix: 27..<30),
                        .init(queries: 2..<4, keyBegin: 50, firstKey: 50),
                    ]), queries: 4, keys: 60, heads: 4, keyHeads: 1, dim: 20, scores: scores),
            ]
        } + [
            attention(
                "window 9 and dropout", AttentionLayout(lengths: [6, 61]), queries: 67, keys: 67, heads: 2, keyHeads: 1, dim: 12,
                scores: AttentionScores(window: 9), dropout: DropoutMask(rate: 0.25, random: Philox(seed: 7)))
        ]
    }

    static var attentions: [OpCase] {
        scoredAttentions + [
            attention(lengths: [], heads: 2, keyHeads: 1, dim: 8),
            attention(lengths: [1], heads: 1, keyHeads: 1, dim: 4),
            attention(lengths: [4], heads: 1, keyHeads: 1, dim: 16),
            attention(lengths: [5], heads: 3, keyHeads: 3, dim: 4),
            attention(lengths: [17], heads: 2, keyHeads: 1, dim: 20),
            attention(lengths: [48], heads: 2, keyHeads: 2, dim: 8),
            attention(lengths: [49], heads: 1, keyHeads: 1, dim: 80),
            attention(lengths: [100], heads: 4, keyHeads: 2, dim: 16),
            attention(lengths: [3, 1, 7, 0, 33], heads: 4, keyHeads: 2, dim: 16),
            attention(lengths: [16, 64, 2], heads: 6, keyHeads: 1, dim: 64),
            attention(lengths: [7, 16, 33], heads: 2, keyHeads: 2, dim: 20),
            // widths whose last vector is not full, with one to four vectors before it
            attention(lengths: [61, 6], heads: 4, keyHeads: 2, dim: 24),
            attention(lengths: [50], heads: 2, keyHeads: 2, dim: 40),
            attention(prompt: 19, continuations: [3, 20], promptAsks: true, heads: 2, keyHeads: 1, dim: 58),
            attention(lengths: [17], heads: 1, keyHeads: 1, dim: 72),
            // decoding and other queries at the end of a sequence
            attention(lengths: [9], lastQueries: 1, heads: 1, keyHeads: 1, dim: 8),
            attention(lengths: [1, 33, 100, 16], lastQueries: 1, heads: 4, keyHeads: 4, dim: 16),
            attention(lengths: [17, 5], lastQueries: 1, heads: 8, keyHeads: 1, dim: 20),
            attention(lengths: [7, 100], lastQueries: 3, heads: 2, keyHeads: 1, dim: 64),
            attention(lengths: [50, 70], lastQueries: 50, heads: 2, keyHeads: 2, dim: 4),
            // shared prefixes: one block of queries, several, and decoding
            attention(prompt: 11, continuations: [5, 9], promptAsks: false, heads: 2, keyHeads: 1, dim: 16),
            attention(prompt: 17, continuations: [7, 60], promptAsks: true, heads: 4, keyHeads: 2, dim: 8),
            attention(prompt: 33, continuations: [1, 1, 1], promptAsks: false, heads: 4, keyHeads: 4, dim: 20),
            attention(prompt: 64, continuations: [2, 1], promptAsks: true, heads: 3, keyHeads: 3, dim: 64),
            // two prompts, each with two answers; keys 5 and 6 are seen by nobody
            attention(
                "two prompts",
                AttentionLayout([
                    .init(queries: 0..<3, keyBegin: 7, firstKey: 7, prefix: 0..<5),
                    .init(queries: 3..<5, keyBegin: 10, firstKey: 10, prefix: 0..<5),
                    .init(queries: 5..<6, keyBegin: 16, firstKey: 17, prefix: 12..<16),
                    .init(queries: 6..<9, keyBegin: 18, firstKey: 18, prefix: 12..<16),
                ]), queries: 9, keys: 21, heads: 2, keyHeads: 2, dim: 16),
            // the second segment's prefix lies inside the first segment's own keys, the third reads the second's
            attention(
                "prefixes that overlap other keys",
                AttentionLayout([
                    .init(queries: 0..<10, keyBegin: 0, firstKey: 0),
                    .init(queries: 10..<14, keyBegin: 10, firstKey: 10, prefix: 4..<8),
                    .init(queries: 14..<19, keyBegin: 14, firstKey: 14, prefix: 11..<13),
                ]), queries: 19, keys: 19, heads: 2, keyHeads: 1, dim: 8),
            attention(
                "scale 0.3", AttentionLayout(lengths: [6, 11]), queries: 17, keys: 17, heads: 2, keyHeads: 1, dim: 7,
                scores: AttentionScores(scale: 0.3)),
            attention(
                "dropout", AttentionLayout(lengths: [6, 2, 61]), queries: 69, keys: 69, heads: 4, keyHeads: 2, dim: 12,
                dropout: DropoutMask(rate: 0.25, random: Philox(seed: 7).split("dropout"))),
            attention(
                "dropout with a prefix",
                AttentionLayout([
                    .init(queries: 0..<9, keyBegin: 0, firstKey: 0),
                    .init(queries: 9..<12, keyBegin: 9, firstKey: 9, prefix: 0..<9),
                    .init(queries: 12..<18, keyBegin: 12, firstKey: 12, prefix: 0..<9),
                ]), queries: 18, keys: 18, heads: 2, keyHeads: 2, dim: 16,
                dropout: DropoutMask(rate: 0.5, random: Philox(seed: 8))),
            // encoders: every row sees its whole sequence; less than a block, several blocks, single queries
            bidirectional(lengths: [3, 1, 0, 7, 33], heads: 4, keyHeads: 4, dim: 8),
            bidirectional(lengths: [49, 100], heads: 2, keyHeads: 2, dim: 16),
            bidirectional(lengths: [4, 2], heads: 2, keyHeads: 1, dim: 20),
            attention(
                "two-way with a prefix",
                AttentionLayout([
                    .init(queries: 0..<5, keyBegin: 7, firstKey: 9, prefix: 0..<4, isCausal: false),
                    .init(queries: 5..<55, keyBegin: 14, firstKey: 14, prefix: 2..<7, isCausal: false),
                ]), queries: 55, keys: 64, heads: 2, keyHeads: 2, dim: 12),
        ]
    }
}
