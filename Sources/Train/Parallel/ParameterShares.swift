package import Tensor

/// The division of an optimiser's parameters among ranks (stage 1 of ZeRO, Rajbhandari et al. 2020): each parameter has one owner,
/// which keeps its moments, receives the sum of all ranks' gradients, updates the value and sends it to all.
package struct ParameterShares {
    let collective: any Collective
    private let parameters: [Parameter]
    /// The owner of each parameter.
    package let owners: [Int]
    private let config: ExchangeConfig

    /// A division of parameters. All ranks give the same ones, in the same order, and the same settings.
    package init(_ parameters: [Parameter], among collective: any Collective, config: ExchangeConfig = ExchangeConfig()) {
        (self.collective, self.parameters, self.config) = (collective, parameters, config)
        owners = Self.owners(counts: parameters.map(\.value.count), ranks: collective.size)
    }

    /// Whether gradients are summed during the last backward pass of a step.
    var overlaps: Bool { config.overlaps && collective.size > 1 }

    /// The owner of each parameter: from the largest to the smallest, each goes to the rank with the fewest numbers.
    package static func owners(counts: [Int], ranks: Int) -> [Int] {
        var owners = counts.map { _ in 0 }
        guard ranks > 1 else { return owners }
        var loads = [Int](repeating: 0, count: ranks)
        for index in counts.indices.sorted(by: { (-counts[$0], $0) < (-counts[$1], $1) }) {
            let rank = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
            owners[index] = rank
            loads[rank] += counts[index]
        }
        return owners
    }

    /// Whether this rank owns a parameter.
    func owns(_ index: Int) -> Bool { owners[index] == collective.rank }

    /// Sums the gradients of all ranks, in the order of the ranks. Afterwards the owner of a parameter has the sum, and other ranks
    /// have no gradient.
    /// - Returns: for each parameter, whether any rank had a gradient.
    /// - Throws: ``CollectiveError``.
    package func sumGradients() throws -> [Bool] {
        let present = try collective.any(parameters.map { $0.gradient != nil })
        guard collective.size > 1 else { return present }
        try exchange(of: present, awaiting: present.map { _ in false }, overlaps: false).end()
        keepSums(of: present)
        return present
    }

    /// Sums the gradients of all ranks as ``sumGradients()`` does, with the same bits, while a backward pass completes them. All ranks
    /// call it, also one without a backward pass.
    ///
    /// Another thread exchanges while `body` runs. So `body` must not use the group, and cannot fail.
    /// - Parameters:
    ///   - awaited: whether the backward pass of this rank will add to the gradient of each parameter, as far as is known before it.
    ///   - body: runs the backward pass, and reports each parameter whose gradient is complete. Those that it leaves out are complete at
    ///     its end.
    /// - Returns: for each parameter, whether any rank had a gradient.
    /// - Throws: ``CollectiveError``, after `body` has returned.
    package func sumGradients(awaiting awaited: [Bool], during body: (GradientExchange) -> Void) throws -> [Bool] {
        // a parameter that is awaited may get no gradient, so what is present is known only afterwards
        let included = try collective.any(zip(parameters, awaited).map { $0.gradient != nil || $1 })
        let exchange = exchange(of: included, awaiting: awaited, overlaps: overlaps)
        body(exchange)
        try exchange.end()
        let present = try collective.any(parameters.indices.map { parameters[$0].gradient != nil && !exchange.isMade[$0] })
        keepSums(of: present)
        return present
    }

    /// Begins the exchange of some gradients.
    private func exchange(of included: [Bool], awaiting awaited: [Bool], overlaps: Bool) -> GradientExchange {
        GradientExchange(
            parameters, owners: owners, included: included, awaited: awaited, among: collective, config: config, overlaps: overlaps)
    }

    /// Clears the gradients that other ranks own, and those that no rank had.
    private func keepSums(of present: [Bool]) {
        for (index, parameter) in parameters.enumerated() where !owns(index) || !present[index] { parameter.clearGradient() }
    }

    /// The bytes that the exchange of all gradients takes during a backward pass, besides the gradients: 0 where it does not overlap.
    package var exchangeBytes: Int {
        guard overlaps else { return 0 }
        let buckets = GradientBuckets(
            counts: parameters.map(\.value.count), owners: owners, included: parameters.map { _ in true }, ranks: collective.size,
            config: config)
        return buckets.buckets.count > 1 ? BucketSum.byteCount(ranks: collective.size, length: buckets.length) : 0
    }

    /// Sends the values of the owned parameters to all ranks.
    /// - Parameter present: the parameters whose values have changed.
    /// - Throws: ``CollectiveError``.
    package func shareValues(_ present: [Bool]) throws {
        guard collective.size > 1 else { return }
        try inBuckets(present) { flats, ranges, buffers in
            let parts = ranges.indices.map { UnsafeMutableBufferPointer(rebasing: buffers[$0][..<ranges[$0].count]) }
            var own = [Float](repeating: 0, count: ranges[collective.rank].count)
            own.withUnsafeMutableBufferPointer { flats[collective.rank].copyValues(ranges[collective.rank], to: $0) }
            try own.withUnsafeBufferPointer { try collective.allGather($0, into: parts) }
            for rank in parts.indices where rank != collective.rank {
                flats[rank].setValues(ranges[rank], from: UnsafeBufferPointer(parts[rank]))
            }
        }
    }

    /// For each parameter, the number that its owner gives.
    /// - Throws: ``CollectiveError``.
    func collect(_ own: [Double]) throws -> [Double] {
        let all = try collective.gather(own)
        return owners.indices.map { all[owners[$0]][$0] }
    }

    /// Walks through the numbers of all owners at once, in ranges of at most `ExchangeConfig.bucket` numbers of each.
    private func inBuckets(
        _ present: [Bool],
        _ body: (_ flats: [FlatParameters], _ ranges: [Range<Int>], _ buffers: [UnsafeMutableBufferPointer<Float>]) throws -> Void
    ) throws {
        let flats = (0..<collective.size).map { FlatParameters(parameters, of: $0, owners, present) }
        let longest = flats.map(\.count).max() ?? 0
        let length = min(config.bucket, longest)
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, length * flats.count))
        defer { memory.deallocate() }
        let buffers = flats.indices.map { UnsafeMutableBufferPointer(rebasing: memory[$0 * length..<($0 + 1) * length]) }
        for begin in stride(from: 0, to: longest, by: max(1, length)) {
            try body(flats, flats.map { min(begin, $0.count)..<min(begin + length, $0.count) }, buffers)
        }
    }
}

/// The numbers of some parameters, one parameter after another.
struct FlatParameters {
    let parameters: [Parameter]
    private let ends: [Int]

    /// The parameters of a rank whose values have changed.
    init(_ all: [Parameter], of rank: Int, _ owners: [Int], _ present: [Bool]) {
        parameters = all.indices.filter { owners[$0] == rank && present[$0] }.map { all[$0] }
        var end = 0
        ends = parameters.map {
            end += $0.value.count
            return end
        }
    }

    /// The number of all numbers.
    var count: Int { ends.last ?? 0 }

    /// Copies the values in a range to a buffer of its length.
    func copyValues(_ range: Range<Int>, to buffer: UnsafeMutableBufferPointer<Float>) {
        walk(range) { parameter, inside, outside in
            guard let base = buffer.baseAddress else { return }
            parameter.value.copyFloats(inside, to: base + outside.lowerBound)
        }
    }

    /// Replaces the values in a range.
    func setValues(_ range: Range<Int>, from buffer: UnsafeBufferPointer<Float>) {
        walk(range) { parameter, inside, outside in
            let numbers = UnsafeBufferPointer(rebasing: buffer[outside])
            if parameter.masterFormat == .bf16 {
                // the owner has rounded them already
                parameter.value.replace(inside, with: numbers)
            } else {
                parameter.value.update { _ = UnsafeMutableBufferPointer(rebasing: $0[inside]).update(fromContentsOf: numbers) }
            }
        }
    }

    /// Visits the parameters of a range, each with its range of elements and their place in a buffer for the whole range.
    private func walk(_ range: Range<Int>, _ body: (_ parameter: Parameter, _ inside: Range<Int>, _ outside: Range<Int>) -> Void) {
        var begin = 0
        for (parameter, end) in zip(parameters, ends) {
            let part = range.clamped(to: begin..<end)
            if !part.isEmpty {
                body(
                    parameter, part.lowerBound - begin..<part.upperBound - begin,
                    part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound)
            }
            begin = end
        }
    }
}
