// The products of several linear layers as one parallel region. `ProductTable` decides for each of them, as for a single product.

extension LinearProducts {
    /// A product of a group: rows · Wᵀ in the forward pass, rows · W for the gradient of an input.
    struct Member {
        /// The left-hand matrix.
        let rows: ProductRows
        /// The weight, [outputs, inputs].
        let weight: Tensor
        /// The bias, [outputs], in floats; nil for none.
        var bias: Tensor?
        /// The result.
        let out: UnsafeMutablePointer<Float>
    }

    /// out[rows, outputs] = x Wᵀ + b + beta · out of several layers with the same x. For fewer rows than ``ProductTable/manyRows``, beta
    /// must be 0.
    static func forward(_ members: [Member], rows: Int, beta: Float = 0) {
        ProductGroup.compute(prepared(.forward, members, rows: rows, beta: beta))
    }

    /// gate[rows, outputs] = f(x W₁ᵀ + b₁) · (x W₂ᵀ + b₂) for two layers with the same x and equally many outputs. `up` receives the
    /// output of the second layer.
    static func gatedForward(gate: Member, up: Member, rows: Int, _ activation: GatedActivation) {
        let (kernels, width) = (Kernels.current, gate.weight.shape[0])
        func apply(_ first: Int, _ count: Int) {
            activation.apply(kernels, count: count, gate: gate.out + first, up: up.out + first, into: gate.out + first)
        }
        let products = prepared(.forward, [gate, up], rows: rows)
        // one thread reads one weight after the other at a higher rate than both alternately
        guard Compute.threads > 1, products[1].hasBlocks(of: products[0]) else {
            ProductGroup.compute(products)
            return Compute.forChunks(rows * width, grain: 32_768) { apply($0.lowerBound, $0.count) }
        }
        ProductGroup.computeTogether(products) { block in
            for row in block.rows { apply(row * width + block.columns.lowerBound, block.columns.count) }
        }
    }

    /// dx[rows, inputs] = Σ dy W + beta · dx over several layers with the same input. The products are added in the order of the
    /// layers, with the bits of one product after another.
    static func inputGradient(
        _ layers: [(dy: ProductRows, weight: Tensor)], rows: Int, into dx: UnsafeMutablePointer<Float>, beta: Float
    ) {
        let members = layers.map { Member(rows: $0.dy, weight: $0.weight, out: dx) }
        let products = prepared(.inputGradient, members, rows: rows, beta: beta)
        if let first = products.first, products.allSatisfy({ $0.hasBlocks(of: first) }) { return ProductGroup.computeTogether(products) }
        for product in products { ProductGroup.compute([product]) }
    }

    /// The products with all copies and packed matrices that they need.
    /// - Parameter beta: the factor of the results. For gradients of an input, it is that of the first product; the others add to it.
    private static func prepared(
        _ kind: ProductQuestion.Kind, _ members: [Member], rows: Int, beta: Float = 0
    ) -> [PreparedProduct] {
        let (kernels, isForward) = (Kernels.current, kind == .forward)
        let plans = members.map { plan(kind, rows: rows, $0.weight) }
        let packed = packedMatrices(kernels, isForward, members, plans, rows: rows)
        // in the forward pass all members have the same rows
        var lefts: [PanelFormat: PanelRows] = [:]
        return members.indices.map { index in
            let (member, plan) = (members[index], plans[index])
            let (depth, columns) = member.weight.rightHandSize(transposed: isForward)
            let format = plan.panelFormat ?? .floats
            let left = (isForward ? lefts[format] : nil) ?? member.rows.panelRows(kernels, format, rows: rows, width: depth)
            lefts[format] = left
            let right: PreparedProduct.RightHand =
                if let matrix = packed[index] {
                    .packed(matrix)
                } else if plan == .fewRows && isForward && beta == 0 {
                    .rows
                } else if case .packedInPassing(let format) = plan {
                    .packedInPassing(format, RightHandMatrix(member.weight, transposed: isForward))
                } else {
                    preconditionFailure("the plan \(plan) does not apply to a product with a weight")
                }
            return PreparedProduct(
                kernels: kernels, rows: rows, columns: columns, depth: depth, left: left, right: right, weight: member.weight,
                out: member.out, beta: isForward || index == 0 ? beta : 1, bias: member.bias)
        }
    }

    /// The right-hand matrices that are packed before the products begin; nil for the others.
    private static func packedMatrices(
        _ kernels: UnsafePointer<Kernels.Table>, _ isForward: Bool, _ members: [Member], _ plans: [ProductPlan], rows: Int
    ) -> [PackedWeight?] {
        var packed = [PackedWeight?](repeating: nil, count: members.count)
        func fill(_ indices: [Int], _ make: ([Tensor]) -> [PackedWeight]) {
            for (index, matrix) in zip(indices, make(indices.map { members[$0].weight })) { packed[index] = matrix }
        }
        for format in PanelFormat.allCases {
            fill(plans.indices.filter { plans[$0] == .packedAndKept(format) }) {
                WeightPackings.packed(kernels, format, $0, transposed: isForward)
            }
            // Too few panels for the threads: the rows are split as well, so a panel serves several threads. One product alone does so
            // with any number of rows, so that small passes show what memory large ones take.
            let passing = plans.indices.filter { plans[$0] == .packedInPassing(format) && members[$0].weight.count > 0 }
            let work = passing.reduce(0) { $0 + rows * members[$1].weight.count }
            let isWorthIt = members.count == 1 || ProductParts.splitsRows(rows)
            guard Compute.threads > 1, isWorthIt, work >= ProductParts.leastCut else { continue }
            let panels = passing.map {
                (members[$0].weight.rightHandSize(transposed: isForward).columns + ProductParts.panel - 1) / ProductParts.panel
            }
            let parts = isForward ? panels.reduce(0, +) : panels.first ?? 0
            guard parts < 4 * Compute.threads else { continue }
            fill(passing) { PackedWeight.packed(kernels, format, $0, transposed: isForward) }
        }
        return packed
    }
}

extension ProductPlan {
    /// The format of the panels; nil if there are none.
    var panelFormat: PanelFormat? {
        switch self {
        case .packedInPassing(let format), .packedOnce(let format), .packedAndKept(let format): format
        case .fewRows, .narrow: nil
        }
    }
}

extension ProductRows {
    /// The rows [rows, width] in the layout of a panel format. Floats are read as they are; they must outlive the result.
    func panelRows(_ kernels: UnsafePointer<Kernels.Table>, _ format: PanelFormat, rows: Int, width: Int) -> PanelRows {
        if format == .bf16 { return rounded(kernels, rows: rows, width: width).panelRows }
        let (layout, threads) = (format.layout(kernels), ProductParts.isSmall(rows, width, ProductParts.panel) ? 1 : Compute.threads)
        switch self {
        case .floats(let floats): return layout.rows(of: .plain(floats, stride: width), m: rows, k: width, threads: threads)
        case .rounded(let matrix):
            let wide = matrix.widened()
            let floats = UnsafePointer(wide.pointer.assumingMemoryBound(to: Float.self))
            var copy = layout.rows(of: .plain(floats, stride: width), m: rows, k: width, threads: threads)
            if copy.owner == nil { copy.owner = wide }
            withExtendedLifetime(wide) {}
            return copy
        }
    }
}
