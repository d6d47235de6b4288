package import Tensor

extension Collective {
    /// Checks that all ranks have the same parameters with the same bits. Ranks may have processors of different kinds.
    /// - Throws: ``CollectiveError/rankDiffers(rank:what:)`` on all ranks.
    package func requireSameWeights(_ parameters: [Parameter]) throws {
        guard size > 1 else { return }
        let texts = parameters.map { "\($0.name) \($0.value.shape) \($0.value.checksum)" }
        try requireSame(texts.joined(separator: "\n"), what: "the model")
    }
}

extension Tensor {
    /// A checksum of the bits of all elements as floats, and of their order. It is made of integers, so it is the same on every
    /// processor, while a sum of floats depends on the order of summation.
    fileprivate var checksum: UInt64 {
        var (sum, place): (UInt64, UInt64) = (0, 1)
        forEachPart { part in
            for number in part {
                sum &+= UInt64(number.bitPattern) &* place
                place &+= 2
            }
        }
        return sum
    }
}
