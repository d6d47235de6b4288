import Tensor
import Testing
import _TestSupport

/// Equivalences between the ways in which a layout can ask for the same attention.
@Suite struct AttentionTests {
    private static func random(_ rows: Int, _ width: Int, _ name: String) -> Tensor {
        OpCase.Input.normal(name, [rows, width]).tensor
    }

    @Test(arguments: [4, 8, 16, 20, 64, 80], [(1, 1), (4, 2), (6, 1)])
    func oneQueryAtATimeEqualsAllAtOnce(dim: Int, heads: (all: Int, keys: Int)) {
        let length = 37
        let q = Self.random(length, heads.all * dim, "q")
        let (k, v) = (Self.random(length, heads.keys * dim, "k"), Self.random(length, heads.keys * dim, "v"))
        onEveryBuild { label, _ in
            let full = q.attending(
                keys: k, values: v, layout: AttentionLayout(lengths: [length]), heads: heads.all, keyHeads: heads.keys)
            for position in 0..<length {
                let one = q.rows([position]).attending(
                    keys: k, values: v, layout: AttentionLayout([.init(queries: 0..<1, keyBegin: 0, firstKey: position)]),
                    heads: heads.all, keyHeads: heads.keys)
                expectClose(one, full.rows([position]), relative: 1e-5, absolute: 1e-6, label: "\(label), \(position)")
            }
        }
    }

    @Test(arguments: [1, 5, 48, 60]) func prefillInTwoPartsEqualsOne(first: Int) {
        let (length, dim, heads, keyHeads) = (101, 16, 4, 2)
        let q = Self.random(length, heads * dim, "q")
        let (k, v) = (Self.random(length, keyHeads * dim, "k"), Self.random(length, keyHeads * dim, "v"))
        func attend(_ q: Tensor, _ layout: AttentionLayout) -> Tensor {
            q.attending(keys: k, values: v, layout: layout, heads: heads, keyHeads: keyHeads)
        }
        onEveryBuild { label, _ in
            let full = attend(q, AttentionLayout(lengths: [length]))
            let parts = attend(
                q,
                AttentionLayout([
                    .init(queries: 0..<first, keyBegin: 0, firstKey: 0),
                    .init(queries: first..<length, keyBegin: 0, firstKey: first),
                ]))
            expectClose(parts, full, relative: 1e-5, absolute: 1e-6, label: label)
        }
    }

    @Test("keys and values in bfloat16: the attention over the rounded numbers", arguments: [4, 16, 20, 64, 72], [(1, 1), (4, 2), (6, 1)])
    func narrowKeysAndValues(dim: Int, heads: (all: Int, keys: Int)) {
        let (rows, width) = (29, heads.keys * dim)
        let (k, v) = (Self.random(rows, width, "k"), Self.random(rows, width, "v"))
        func narrow(_ x: Tensor) -> NarrowElements {
            let numbers = NarrowElements(count: rows * width) { _ in }
            for row in 0..<rows { numbers.round(x.pointer + row * width, into: row * width..<(row + 1) * width) }
            return numbers
        }
        func widened(_ x: NarrowElements) -> Tensor {
            .uninitialized([rows, width]) { x.widen(0..<x.count, into: $0) }
        }
        let (narrowK, narrowV) = (narrow(k), narrow(v))
        expectClose(widened(narrowK), k, relative: 1 / 256, absolute: 0, label: "rounding")
        // two queries of one sequence behind a prefix, one of another, and more than few
        let layout = AttentionLayout([
            .init(queries: 0..<2, keyBegin: 11, firstKey: 12, prefix: 0..<11), .init(queries: 2..<3, keyBegin: 14, firstKey: 20),
            .init(queries: 3..<10, keyBegin: 21, firstKey: 22),
        ])
        let q = Self.random(10, heads.all * dim, "q")
        onEveryBuild { label, _ in
            let wide = q.attending(
                keys: widened(narrowK), values: widened(narrowV), layout: layout, heads: heads.all, keyHeads: heads.keys)
            let result = q.attending(keys: narrowK, values: narrowV, layout: layout, heads: heads.all, keyHeads: heads.keys)
            expectClose(result, wide, relative: 1e-5, absolute: 1e-6, label: label)
        }
    }

    @Test func sharedPrefixEqualsRepeatedPrefix() {
        let (prompt, lengths, dim, heads, keyHeads) = (13, [6, 50, 1], 20, 6, 3)
        let total = lengths.reduce(0, +)
        let q = Self.random(total, heads * dim, "q")
        let (k, v) = (Self.random(prompt + total, keyHeads * dim, "k"), Self.random(prompt + total, keyHeads * dim, "v"))
        let upstream = Self.random(total, heads * dim, "upstream")
        var (shared, repeated): ([AttentionLayout.Segment], [AttentionLayout.Segment]) = ([], [])
        var (rows, query): ([Int], Int) = ([], 0)
        for length in lengths {
            shared.append(
                .init(queries: query..<query + length, keyBegin: prompt + query, firstKey: prompt + query, prefix: 0..<prompt))
            repeated.append(
                .init(queries: query..<query + length, keyBegin: rows.count, firstKey: rows.count + prompt))
            rows += Array(0..<prompt) + (0..<length).map { prompt + query + $0 }
            query += length
        }
        func run(_ layout: AttentionLayout, gathering: [Int]?) -> [Tensor] {
            let tape = Tape()
            let inputs = [q, k, v].map(tape.variable)
            let (keys, values) = (gathering.map(inputs[1].rows) ?? inputs[1], gathering.map(inputs[2].rows) ?? inputs[2])
            let out = inputs[0].attending(keys: keys, values: values, layout: layout, heads: heads, keyHeads: keyHeads)
            return [out.detached] + tape.backward(from: [(out, upstream)], variables: inputs)
        }
        onEveryBuild { label, _ in
            let (a, b) = (run(AttentionLayout(shared), gathering: nil), run(AttentionLayout(repeated), gathering: rows))
            for (index, name) in ["out", "dq", "dk", "dv"].enumerated() {
                expectClose(a[index], b[index], relative: 1e-4, absolute: 1e-5, label: "\(name), \(label)")
            }
        }
    }

    @Test func packedSequencesEqualSingleOnes() {
        let (lengths, dim, heads) = ([5, 49, 1, 17], 8, 2)
        let q = Self.random(72, heads * dim, "q")
        let (k, v) = (Self.random(72, heads * dim, "k"), Self.random(72, heads * dim, "v"))
        onEveryBuild { label, _ in Self.expectSameAlone(q, k, v, lengths: lengths, heads: heads, label) }
    }

    /// Expects each of several packed sequences to get the bits that it gets alone.
    static func expectSameAlone(_ q: Tensor, _ k: Tensor, _ v: Tensor, lengths: [Int], heads: Int, _ label: String) {
        let packed = q.attending(keys: k, values: v, layout: AttentionLayout(lengths: lengths), heads: heads, keyHeads: heads)
        var at = 0
        for length in lengths {
            let rows = at..<at + length
            let single = q.rows(rows).attending(
                keys: k.rows(rows), values: v.rows(rows), layout: AttentionLayout(lengths: [length]), heads: heads, keyHeads: heads)
            #expect(single.values == packed.rows(rows).values, "\(label), length \(length)")
            at += length
        }
    }

    @Test func groupsAreTheSegmentsThatShareKeys() {
        var generator = Philox(seed: 5)
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
        for _ in 0..<300 {
            let segments = (0..<1 + below(7)).map { index -> AttentionLayout.Segment in
                let (keyBegin, prefix) = (below(40), below(40))
                return .init(
                    queries: index * 4..<index * 4 + below(4), keyBegin: keyBegin, firstKey: keyBegin + below(3),
                    prefix: prefix..<prefix + below(4))
            }
            let keys = segments.map { Set($0.prefix).union($0.keyBegin..<$0.firstKey + $0.queries.count) }
            // groups by painting: everything that touches a painted segment's keys is painted as well
            var colours = [Int](repeating: -1, count: segments.count)
            for index in segments.indices where colours[index] < 0 {
                colours[index] = index
                var grows = true
                while grows {
                    grows = false
                    for (a, b) in segments.indices.flatMap({ a in segments.indices.map { (a, $0) } })
                    where colours[a] == index && colours[b] < 0 && !keys[a].isDisjoint(with: keys[b]) {
                        colours[b] = index
                        grows = true
                    }
                }
            }
            let expected = Set(colours).sorted().map { colour in
                segments.indices.filter { colours[$0] == colour }.map { segments[$0] }
            }
            #expect(AttentionLayout(segments).groups == expected, "\(segments)")
        }
    }

    @Test func lengthsLayOutSequencesOneAfterTheOther() {
        #expect(
            AttentionLayout(lengths: [3, 0, 2]).segments == [
                .init(queries: 0..<3, keyBegin: 0, firstKey: 0), .init(queries: 3..<3, keyBegin: 3, firstKey: 3),
                .init(queries: 3..<5, keyBegin: 3, firstKey: 3),
            ])
    }
}
