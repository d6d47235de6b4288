/// The division of gradients into buckets, which travel one after another.
///
/// Every rank owns some of the parameters. Its numbers are in the reverse order of the parameters, which is about the order in which a
/// backward pass completes gradients. A bucket takes the next numbers of every owner at once, so that all ranks receive equally
/// much. The division is a function of the parameters and their owners, so all ranks have the same one.
struct GradientBuckets {
    /// Some consecutive numbers of a parameter.
    struct Slice: Equatable {
        /// The index of the parameter.
        var parameter: Int
        /// The places of the numbers in the parameter.
        var range: Range<Int>
    }

    /// What travels at once.
    struct Bucket {
        /// For each rank, the numbers that it owns.
        var slices: [[Slice]]
        /// The parameters of all slices. The bucket can travel when their gradients are complete.
        var parameters: Set<Int>
    }

    /// The buckets in the order in which they travel.
    let buckets: [Bucket]
    /// The maximum number of floats that a bucket has for a rank.
    let length: Int

    /// Divides the gradients of some parameters.
    /// - Parameters:
    ///   - counts: the number of elements of each parameter.
    ///   - owners: the owner of each parameter.
    ///   - included: whether the gradient of each parameter travels.
    ///   - ranks: the number of ranks.
    ///   - config: the sizes of buckets.
    init(counts: [Int], owners: [Int], included: [Bool], ranks: Int, config: ExchangeConfig) {
        let owned = (0..<ranks).map { rank in counts.indices.reversed().filter { included[$0] && owners[$0] == rank } }
        let longest = owned.map { $0.reduce(0) { $0 + counts[$1] } }.max() ?? 0
        let length = config.gradientBucket(longest: longest)
        self.length = length
        buckets = stride(from: 0, to: longest, by: length).map { begin in
            let slices = owned.map { Self.slices(of: $0, counts: counts, in: begin..<begin + length) }
            return Bucket(slices: slices, parameters: Set(slices.joined().map(\.parameter)))
        }
    }

    /// The slices of parameters, one after another, that lie in a range of all their numbers.
    private static func slices(of parameters: [Int], counts: [Int], in range: Range<Int>) -> [Slice] {
        var (result, begin) = ([Slice](), 0)
        for index in parameters {
            let end = begin + counts[index]
            let part = range.clamped(to: begin..<end)
            if !part.isEmpty { result.append(Slice(parameter: index, range: part.lowerBound - begin..<part.upperBound - begin)) }
            begin = end
        }
        return result
    }
}
