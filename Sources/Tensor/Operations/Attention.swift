extension Tensor {
    /// Attention over packed sequences: softmax(scale · q kᵀ) v, for every query of `layout` and every head.
    ///
    /// This tensor holds the queries [R, NH·D]. Keys and values are [T, KH·D], where NH must be a multiple of KH (grouped-query
    /// attention, Ainslie et al. 2023). The matrix of all queries by all keys never exists; the backward pass recomputes it block
    /// by block.
    ///
    /// In bf16 precision (``Compute/precision``) the factors of its products are rounded to bfloat16, if the processor has
    /// instructions for them, in forward and backward pass; the softmax and all sums are 32-bit floats. Not rounded are heads with
    /// fewer than 16 channels and segments with at most four queries per key/value head, as in decoding.
    /// - Parameters:
    ///   - keys: the keys [T, KH·D].
    ///   - values: the values [T, KH·D].
    ///   - layout: which keys each query sees.
    ///   - heads: the number of query heads, NH.
    ///   - keyHeads: the number of key/value heads, KH.
    ///   - scores: how scores are computed. Default: the scale is 1/√D.
    ///   - dropout: dropout of the attention weights, after the softmax. A query in row r of the mask uses row r · NH + head for
    ///     each head. The elements of that row are the keys that the query would see without a window, the keys of the prefix
    ///     first.
    /// - Returns: [R, NH·D].
    public func attending(
        keys: Tensor, values: Tensor, layout: AttentionLayout, heads: Int, keyHeads: Int, scores: AttentionScores = AttentionScores(),
        dropout: DropoutMask? = nil
    ) -> Tensor {
        precondition(
            shape.rank == 2 && keys.shape.rank == 2 && keys.shape == values.shape && heads % keyHeads == 0
                && shape[1] % heads == 0 && keys.shape[1] == shape[1] / heads * keyHeads,
            "attention of \(heads)/\(keyHeads) heads does not match q \(shape), k \(keys.shape), v \(values.shape)")
        layout.check(queries: shape[0], keys: keys.shape[0])
        scores.check(heads: heads, layout: layout)
        let record = Tensor.anyRecorded(self, keys, values)
        let logSumExp = Tensor.uninitialized([record ? shape[0] : 0, heads]) { _ in }
        let call = Attention(
            queries: widened().detached, keys: keys.widened().detached, values: values.widened().detached,
            out: Tensor.uninitialized(shape) { _ in },
            logSumExp: logSumExp, layout: layout, heads: heads, keyHeads: keyHeads,
            scores: scores, dropout: dropout, isRounded: Attention.isRounded(dim: shape[1] / heads), places: [])
        call.forward(saving: record)
        return Tensor.recorded(call.out, from: [self, keys, values]) {
            var call = call
            call.places = $0
            return .attention(call)
        }
    }
}

extension Tensor {
    /// Self-attention without a tape. Every row of this tensor [T, 3·C] holds a query, a key and a value, in this order. The
    /// result is [T, C]. It is rounded in bf16 precision like
    /// ``attending(keys:values:layout:heads:keyHeads:scores:dropout:)``, except with relative keys or queries.
    package func attendingWithin(
        layout: AttentionLayout, heads: Int, scores: AttentionScores = AttentionScores(), relative: RelativePositions? = nil
    ) -> Tensor {
        precondition(
            shape.rank == 2 && shape[1] % (3 * heads) == 0, "attention of \(heads) heads does not match rows of \(shape)")
        layout.check(queries: shape[0], keys: shape[0])
        scores.check(heads: heads, layout: layout)
        let width = shape[1] / 3
        relative?.check(heads: heads, width: width, layout: layout)
        var arrays = Kernels.AttentionArrays()
        let rows = widened()
        arrays.queries = rows.pointer
        arrays.keys = rows.pointer + width
        arrays.values = rows.pointer + 2 * width
        (arrays.query_stride, arrays.key_stride, arrays.value_stride) = (3 * width, 3 * width, 3 * width)
        arrays.out_stride = width
        (arrays.heads, arrays.kv_heads, arrays.dim) = (heads, heads, width / heads)
        relative?.apply(to: &arrays)
        let isRounded = Attention.isRounded(dim: arrays.dim) && relative?.keys == nil && relative?.queries == nil
        defer { withExtendedLifetime((rows, relative)) {} }
        return Tensor.uninitialized([shape[0], width]) { out in
            arrays.out = out
            scores.apply(to: arrays) { Attention.forward($0, layout, isRounded: isRounded) }
        }
    }
}

extension Tensor {
    /// Attention without a tape for a decoding step: keys and values [T, KH·D] are in bfloat16, and every segment has few
    /// queries. See ``attending(keys:values:layout:heads:keyHeads:scores:dropout:)``.
    package func attending(
        keys: NarrowElements, values: NarrowElements, layout: AttentionLayout, heads: Int, keyHeads: Int,
        scores: AttentionScores = AttentionScores()
    ) -> Tensor {
        let (dim, width) = (shape[1] / heads, shape[1] / heads * keyHeads)
        precondition(
            shape.rank == 2 && shape[1] % heads == 0 && heads % keyHeads == 0 && keys.count == values.count
                && keys.count % width == 0,
            "attention of \(heads)/\(keyHeads) heads does not match q \(shape) and \(keys.count), \(values.count) elements")
        layout.check(queries: shape[0], keys: keys.count / width)
        scores.check(heads: heads, layout: layout)
        var arrays = Kernels.AttentionArrays()
        let queries = widened()
        arrays.queries = queries.pointer
        (arrays.narrow_keys, arrays.narrow_values) = (keys.pointer, values.pointer)
        (arrays.query_stride, arrays.out_stride) = (shape[1], shape[1])
        (arrays.key_stride, arrays.value_stride) = (width, width)
        (arrays.heads, arrays.kv_heads, arrays.dim) = (heads, keyHeads, dim)
        defer { withExtendedLifetime((queries, keys, values)) {} }
        return Tensor.uninitialized(shape) { out in
            arrays.out = out
            scores.apply(to: arrays) { Attention.forward($0, layout, isRounded: false) }
        }
    }
}

struct Attention {
    let queries: Tensor
    let keys: Tensor
    let values: Tensor
    let out: Tensor
    let logSumExp: Tensor
    let layout: AttentionLayout
    let heads: Int
    let keyHeads: Int
    let scores: AttentionScores
    let dropout: DropoutMask?
    /// Whether factors of products are rounded to bfloat16, in the forward and the backward pass.
    let isRounded: Bool
    var places: [Int?]

    /// Whether attention in the precision of the scope rounds factors to bfloat16. Without instructions for bfloat16 it does not,
    /// because products with shifts are slower than those of floats. Narrow heads are not rounded, as narrow weights are not.
    static func isRounded(dim: Int) -> Bool {
        Compute.precision == .bf16 && Kernels.current.pointee.attention_bf16 != nil && dim >= ProductTable.leastRounded
    }

    private var dim: Int { queries.shape[1] / heads }

    private func arrays(saving: Bool) -> Kernels.AttentionArrays {
        var arrays = Kernels.AttentionArrays()
        arrays.queries = queries.pointer
        arrays.keys = keys.pointer
        arrays.values = values.pointer
        arrays.query_stride = queries.shape[1]
        arrays.key_stride = keys.shape[1]
        arrays.value_stride = values.shape[1]
        arrays.out_stride = out.shape[1]
        arrays.heads = heads
        arrays.kv_heads = keyHeads
        arrays.dim = dim
        arrays.out = out.mutablePointer
        arrays.log_sum_exp = saving ? logSumExp.mutablePointer : nil
        return arrays
    }

    func forward(saving: Bool) {
        DropoutMask.withKernel(of: dropout, rows: queries.shape[0]) { dropout in
            scores.apply(to: arrays(saving: saving)) {
                var arrays = $0
                arrays.dropout = dropout
                Self.forward(arrays, layout, isRounded: isRounded)
            }
        }
        withExtendedLifetime(self) {}
    }

    static func forward(_ arrays: Kernels.AttentionArrays, _ layout: AttentionLayout, isRounded: Bool) {
        let kernels = Kernels.current
        let (heads, keyHeads, dim) = (arrays.heads, arrays.kv_heads, arrays.dim)
        let most = layout.segments.map(\.seen).max() ?? 0
        let isRelative = arrays.relative_keys != nil || arrays.relative_queries != nil
        let isNarrow = arrays.narrow_keys != nil
        func isFew(_ queries: Int) -> Bool { isNarrow || queries * (heads / keyHeads) <= Kernels.fewQueries }
        let isShared = arrays.dropout.threshold == 0 && !isRelative
        let groups = isShared ? AttentionGroups(layout, headGroup: heads / keyHeads, isFew: isFew) : AttentionGroups(alone: layout)
        let workspace = max(
            Kernels.attentionWorkspace(keys: most, dim: dim, backward: false, isRounded: isRounded)
                + (isRelative ? Kernels.relativeWorkspace(keys: most, dim: dim) : 0),
            groups.isShared ? Kernels.prefixWorkspace(keys: most, dim: dim) : 0)
        let count = groups.ranges.count * keyHeads
        let work = layout.segments.reduce(0) { $0 + $1.queries.count * $1.seen } * heads * dim
        let body = { (range: Range<Int>) in
            Storage(byteCount: workspace * 4).withFloats { floats in
                withUnsafePointer(to: arrays) { arrays in
                    groups.segments.withUnsafeBufferPointer { segments in
                        guard let base = segments.baseAddress else { return }
                        var index = range.lowerBound
                        while index < range.upperBound {
                            let members = groups.ranges[index / keyHeads]
                            let (segment, head) = (base + members.lowerBound, index % keyHeads)
                            // as many heads of the group as the range contains
                            let heads = min(keyHeads - head, range.upperBound - index)
                            if members.count > 1 {
                                kernels.pointee.attention_prefix(arrays, segment, members.count, head, heads, floats)
                                index += heads
                            } else if isFew(segment.pointee.query_count) {
                                kernels.pointee.attention_few(arrays, segment, head, heads, floats)
                                index += heads
                            } else {
                                if isRounded {
                                    kernels.pointee.attention_bf16(arrays, segment, head, floats)
                                } else {
                                    kernels.pointee.attention(arrays, segment, head, floats)
                                }
                                index += 1
                            }
                        }
                    }
                }
            }
        }
        // a decoding step is cheap: use few large chunks, so that parts of rows are long; a training pass is expensive: many small
        // chunks balance the load
        let isDecoding = groups.isShared && groups.segments.allSatisfy { isFew($0.query_count) }
        let chunks = work < 200_000 ? 1 : isDecoding ? Compute.threads * 2 : work < 20_000_000 ? Compute.threads * 4 : count
        Compute.forChunks(count, grain: (count + chunks - 1) / max(1, chunks), body)
    }

    func backward(_ gradient: Tensor, on tape: Tape) {
        let kernels = Kernels.current
        var arrays = arrays(saving: true)
        let dq = Tensor.zeros(queries.shape)
        let dk = Tensor.zeros(keys.shape)
        let dv = Tensor.zeros(values.shape)
        arrays.d_out = gradient.pointer
        arrays.d_queries = dq.mutablePointer
        arrays.d_keys = dk.mutablePointer
        arrays.d_values = dv.mutablePointer
        let workspace = Kernels.attentionWorkspace(
            keys: layout.segments.map(\.seen).max() ?? 0, dim: dim, backward: true, isRounded: isRounded)
        let (groups, isRounded) = (layout.groups, isRounded)
        DropoutMask.withKernel(of: dropout, rows: queries.shape[0]) { dropout in
            scores.apply(to: arrays) {
                var shared = $0
                shared.dropout = dropout
                let arrays = shared
                Compute.forEach(groups.count * keyHeads) { index in
                    Storage(byteCount: workspace * 4).withFloats { floats in
                        withUnsafePointer(to: arrays) { arrays in
                            for segment in groups[index / keyHeads] {
                                var segment = Kernels.Segment(segment)
                                if isRounded {
                                    kernels.pointee.attention_bf16_backward(arrays, &segment, index % keyHeads, floats)
                                } else {
                                    kernels.pointee.attention_backward(arrays, &segment, index % keyHeads, floats)
                                }
                            }
                        }
                    }
                }
            }
        }
        tape.add(dq, to: places[0])
        tape.add(dk, to: places[1])
        tape.add(dv, to: places[2])
    }
}
