package import Tensor

extension Collective {
    /// Collects named tensors on rank 0, one after another. Every rank calls it. A name belongs to one rank.
    /// - Returns: on rank 0 the tensors of all ranks, on the other ranks their own.
    /// - Throws: ``CollectiveError``.
    package func gatherOnFirst(_ own: [String: Tensor]) throws -> [String: Tensor] {
        guard size > 1 else { return own }
        let lists = try gather(values: own.keys.sorted().map { TensorOutline(name: $0, dimensions: own[$0]?.shape.dimensions ?? []) })
        var all = own
        let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        for sender in 1..<size {
            for outline in lists[sender] {
                var sending = Array(repeating: UnsafeRawBufferPointer(nothing), count: size)
                var receiving = Array(repeating: nothing, count: size)
                if rank == 0 {
                    var tensor = Tensor.zeros(Shape(outline.dimensions))
                    try tensor.update {
                        receiving[sender] = UnsafeMutableRawBufferPointer($0)
                        try exchange(sending: sending, receiving: receiving)
                    }
                    all[outline.name] = tensor
                } else if rank == sender, let tensor = own[outline.name] {
                    try tensor.withUnsafeBufferPointer {
                        sending[0] = UnsafeRawBufferPointer($0)
                        try exchange(sending: sending, receiving: receiving)
                    }
                } else {
                    try exchange(sending: sending, receiving: receiving)
                }
            }
        }
        return all
    }
}

/// The name and dimensions of a tensor that a rank sends.
private struct TensorOutline: Codable {
    var name: String
    var dimensions: [Int]
}
