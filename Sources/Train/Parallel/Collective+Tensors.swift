package import Tensor

extension Collective {
    /// Collects named tensors on rank 0, one after another. Every rank calls it. A name belongs to one rank.
    /// - Returns: on rank 0 the tensors of all ranks, on the other ranks their own.
    /// - Throws: ``CollectiveError``.
    package func gatherOnFirst(_ own: [String: Tensor]) throws -> [String: Tensor] {
        guard size > 1 else { return own }
        var all = own
        for (sender, outline) in try outlines(own.mapValues(\.shape)) {
            if rank == 0 {
                var tensor = Tensor.zeros(Shape(outline.dimensions))
                try tensor.update { try move(from: sender, to: UnsafeMutableRawBufferPointer($0)) }
                all[outline.name] = tensor
            } else if rank == sender, let tensor = own[outline.name] {
                try tensor.withUnsafeBufferPointer { try move(UnsafeRawBufferPointer($0), from: sender) }
            } else {
                try move(from: sender)
            }
        }
        return all
    }

    /// Collects named moments in 8 bits on rank 0, as ``gatherOnFirst(_:)`` for tensors does.
    /// - Throws: ``CollectiveError``.
    package func gatherOnFirst(_ own: [String: MomentCodes]) throws -> [String: MomentCodes] {
        guard size > 1 else { return own }
        var all = own
        for (sender, outline) in try outlines(own.mapValues(\.shape)) {
            let shape = Shape(outline.dimensions)
            if rank == 0 {
                var codes = [UInt8](repeating: 0, count: shape.count)
                var scales = [Float](repeating: 0, count: MomentCodes.blocks(of: shape.count))
                try codes.withUnsafeMutableBytes { try move(from: sender, to: $0) }
                try scales.withUnsafeMutableBytes { try move(from: sender, to: $0) }
                guard let moments = codes.withUnsafeBytes({ MomentCodes(shape: shape, codes: $0, scales: scales) }) else {
                    throw CollectiveError.broken(rank: rank, message: "rank \(sender) sent damaged moments of \(outline.name)")
                }
                all[outline.name] = moments
            } else if rank == sender, let moments = own[outline.name] {
                try moments.withCodes { try move($0, from: sender) }
                try moments.withScales { try move(UnsafeRawBufferPointer($0), from: sender) }
            } else {
                try move(from: sender)
                try move(from: sender)
            }
        }
        return all
    }

    /// What the ranks above 0 will send, in the order of the ranks and names.
    private func outlines(_ own: [String: Shape]) throws -> [(sender: Int, outline: TensorOutline)] {
        let lists = try gather(values: own.keys.sorted().map { TensorOutline(name: $0, dimensions: own[$0]?.dimensions ?? []) })
        return (1..<size).flatMap { sender in lists[sender].map { (sender, $0) } }
    }

    /// Sends bytes of one rank to rank 0. Every rank calls it: the sender with its bytes, rank 0 with the memory for them.
    private func move(
        _ bytes: UnsafeRawBufferPointer? = nil, from sender: Int, to memory: UnsafeMutableRawBufferPointer? = nil
    ) throws {
        let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        var sending = Array(repeating: UnsafeRawBufferPointer(nothing), count: size)
        var receiving = Array(repeating: nothing, count: size)
        if let bytes { sending[0] = bytes }
        if let memory { receiving[sender] = memory }
        try exchange(sending: sending, receiving: receiving)
    }
}

/// The name and dimensions of a tensor that a rank sends.
private struct TensorOutline: Codable {
    var name: String
    var dimensions: [Int]
}
