import Tensor
import Testing
import _TestSupport

/// Attention of several sequences behind one prefix, as in decoding several answers to a prompt.
@Suite struct PrefixAttentionTests {
    private static let prompts = [45, 67, 5]
    /// The prompt, the number of own keys and the number of queries of every sequence; the queries see the last keys.
    private static let sequences: [(prompt: Int, own: Int, queries: Int)] = [
        (0, 3, 1), (1, 9, 1), (0, 1, 1), (0, 12, 2), (2, 4, 1), (1, 2, 2), (0, 7, 1), (1, 1, 1), (2, 1, 1), (0, 30, 1), (1, 17, 1),
    ]

    /// The segments of all sequences. The keys are those of the prompts, then those of the sequences.
    private static var layout: AttentionLayout {
        var (query, key) = (0, prompts.reduce(0, +))
        return AttentionLayout(
            sequences.map { sequence in
                let begin = prompts[..<sequence.prompt].reduce(0, +)
                defer { (query, key) = (query + sequence.queries, key + sequence.own) }
                return .init(
                    queries: query..<query + sequence.queries, keyBegin: key, firstKey: key + sequence.own - sequence.queries,
                    prefix: begin..<begin + prompts[sequence.prompt])
            })
    }
    private static var keyCount: Int { prompts.reduce(0, +) + sequences.reduce(0) { $0 + $1.own } }
    private static var queryCount: Int { sequences.reduce(0) { $0 + $1.queries } }

    private static func scores(heads: Int) -> [AttentionScores] {
        [
            AttentionScores(), AttentionScores(window: 50), AttentionScores(window: 6), AttentionScores(window: 20, cap: 2),
            AttentionScores(scale: 0.3, slopes: (0..<heads).map { 0.2 / Float($0 + 1) }),
            AttentionScores(window: 40, slopes: (0..<heads).map { 0.1 * Float($0) }),
        ]
    }

    /// Expects every segment of the layout to get the bits that it gets alone.
    private static func check(
        _ queries: Tensor, _ label: String, attend: (_ queries: Tensor, _ layout: AttentionLayout) -> Tensor
    ) -> Tensor {
        let together = attend(queries, layout)
        for segment in layout.segments {
            var one = segment
            one.queries = 0..<segment.queries.count
            let alone = attend(queries.rows(segment.queries), AttentionLayout([one]))
            let part = together.rows(segment.queries)
            #expect(alone.values.map(\.bitPattern) == part.values.map(\.bitPattern), "\(label), queries \(segment.queries)")
        }
        return together
    }

    @Test("a sequence gets the same bits alone and in a group", arguments: [4, 16, 20, 64, 80], [(1, 1), (3, 3), (4, 2), (6, 1)])
    func aloneAndInAGroup(dim: Int, heads: (all: Int, keys: Int)) {
        let width = heads.keys * dim
        let q = OpCase.Input.normal("q", [Self.queryCount, heads.all * dim]).tensor
        let k = OpCase.Input.normal("k", [Self.keyCount, width]).tensor
        let v = OpCase.Input.normal("v", [Self.keyCount, width]).tensor
        let (narrowK, narrowV) = (NarrowElements(count: k.count) { _ in }, NarrowElements(count: v.count) { _ in })
        narrowK.round(k.pointer, into: 0..<k.count)
        narrowV.round(v.pointer, into: 0..<v.count)
        func widened(_ x: NarrowElements) -> Tensor { .uninitialized(k.shape) { x.widen(0..<x.count, into: $0) } }
        let (wideK, wideV) = (widened(narrowK), widened(narrowV))
        for scores in Self.scores(heads: heads.all) {
            func expected(_ k: Tensor, _ v: Tensor) -> [Double] {
                Naive.attention(
                    q.values.map(Double.init), k.values.map(Double.init), v.values.map(Double.init), layout: Self.layout,
                    heads: heads.all, keyHeads: heads.keys, dim: dim, scores: scores)
            }
            let (exact, rounded) = (expected(k, v), expected(wideK, wideV))
            onEveryBuild { label, _ in
                let label = "\(label), \(scores)"
                let floats = Self.check(q, label) {
                    $0.attending(keys: k, values: v, layout: $1, heads: heads.all, keyHeads: heads.keys, scores: scores)
                }
                expectClose(floats.values, exact, relative: 1e-4, absolute: 1e-5, label: label)
                let narrow = Self.check(q, label + ", bf16") {
                    $0.attending(keys: narrowK, values: narrowV, layout: $1, heads: heads.all, keyHeads: heads.keys, scores: scores)
                }
                expectClose(narrow.values, rounded, relative: 1e-4, absolute: 1e-5, label: label + ", bf16")
            }
        }
    }

    @Test("a NaN that a window hides from one sequence stays hidden in a group")
    func hiddenRows() {
        let (dim, window) = (16, 40)
        let q = OpCase.Input.normal("q", [Self.queryCount, dim]).tensor
        let k = OpCase.Input.normal("k", [Self.keyCount, dim]).tensor
        var v = OpCase.Input.normal("v", [Self.keyCount, dim]).tensor
        // sequence 2, with one own key, sees the prefix of 45 rows from row 6 on; sequence 9, with 30, from row 35 on
        v.update { $0[20 * dim] = .nan }
        onEveryBuild { label, _ in
            let out = q.attending(
                keys: k, values: v, layout: Self.layout, heads: 1, keyHeads: 1, scores: AttentionScores(window: window))
            let (seeing, blind) = (Self.layout.segments[2].queries, Self.layout.segments[9].queries)
            #expect(out.rows(seeing).values[0].isNaN, "\(label)")
            let isFinite = out.rows(blind).values.allSatisfy(\.isFinite)
            #expect(isFinite, "\(label)")
        }
    }

    private static func answers(_ count: Int, behind prefix: Range<Int>, first: Int = 0, queries: Int = 1) -> [AttentionLayout.Segment] {
        (first..<first + count).map {
            .init(
                queries: $0 * queries..<($0 + 1) * queries, keyBegin: 1000 + 10 * $0, firstKey: 1005 + 10 * $0, prefix: prefix)
        }
    }

    @Test("groups share a prefix, are neither too small nor too large, and contain every segment once")
    func groups() {
        func sizes(_ segments: [AttentionLayout.Segment], headGroup: Int = 1) -> [Int] {
            let groups = AttentionGroups(AttentionLayout(segments), headGroup: headGroup) { $0 * headGroup <= 4 }
            let (begins, expected) = (groups.segments.map(\.query_begin).sorted(), segments.map(\.queries.lowerBound).sorted())
            #expect(begins == expected)
            let places = groups.ranges.flatMap(Array.init)
            #expect(places == Array(groups.segments.indices))
            for range in groups.ranges where range.count > 1 {
                let members = groups.segments[range]
                let (prefixes, lengths) = (Set(members.map(\.prefix_begin)), Set(members.map(\.prefix_count)))
                #expect(prefixes.count == 1 && lengths.count == 1)
                let queries = members.map(\.query_count).reduce(0, +)
                #expect(queries * headGroup <= Kernels.prefixQueries)
            }
            let counts = groups.ranges.map(\.count).sorted(by: >)
            #expect(groups.isShared == ((counts.first ?? 0) > 1))
            return counts
        }
        #expect(sizes(Self.answers(16, behind: 0..<50)) == [16])
        #expect(sizes(Self.answers(18, behind: 0..<50)) == [9, 9])
        #expect(sizes(Self.answers(2, behind: 0..<50)) == [1, 1], "too small")
        #expect(sizes(Self.answers(2, behind: 0..<50), headGroup: 4) == [2])
        #expect(sizes(Self.answers(8, behind: 0..<10)) == Array(repeating: 1, count: 8), "a short prefix")
        #expect(sizes(Self.answers(6, behind: 0..<50, queries: 4)) == [3, 3])
        #expect(sizes(Self.answers(4, behind: 0..<50, queries: 5)) == [1, 1, 1, 1], "more than few queries")
        // two prompts in turn
        let first = Self.answers(10, behind: 0..<50)
        let second = Self.answers(10, behind: 50..<90, first: 10)
        #expect(sizes(zip(first, second).flatMap { [$0, $1] }) == [10, 10])
        #expect(sizes(Self.answers(0, behind: 0..<50)) == [])
    }
}
