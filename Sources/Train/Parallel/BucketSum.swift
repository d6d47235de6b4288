import Tensor

/// The gradients of a bucket in the memory of this rank.
struct BucketMemory: Sendable {
    /// Some consecutive numbers of a gradient.
    struct Part: Sendable {
        /// The gradient; nil for zeros.
        var gradient: Storage?
        /// The places of the numbers in the gradient.
        var range: Range<Int>
    }

    /// For each rank, the numbers that it owns. Those that this rank owns are 32-bit floats in memory of their own, into which the
    /// sums are written.
    var parts: [[Part]]
}

/// Sums buckets over all ranks: each rank receives the parts of what it owns from all others, and adds them in the order of the ranks.
///
/// The memory for what is sent and received is kept from one bucket to the next. A part that is in memory as floats is sent from
/// there, without a copy.
struct BucketSum {
    private let collective: any Collective
    /// The maximum number of floats that a bucket has for a rank.
    private let length: Int
    private let sent: Storage
    private let received: Storage
    private let sums: Storage
    /// The number of floats that are added at a time, so that they stay in the cache.
    private static let addedAtOnce = 4096

    /// The bytes of memory that sums of buckets take.
    static func byteCount(ranks: Int, length: Int) -> Int { 2 * 4 * ranks * length }

    /// Sums of buckets with at most `length` floats for each rank.
    init(among collective: any Collective, length: Int) {
        (self.collective, self.length) = (collective, length)
        sent = Storage(byteCount: 4 * collective.size * length)
        received = Storage(byteCount: 4 * collective.size * length)
        sums = Storage(byteCount: 4 * Self.addedAtOnce)
    }

    /// Replaces the numbers that this rank owns by their sums over all ranks. All ranks call it with the same bucket.
    /// - Throws: ``CollectiveError`` when the group is broken.
    func add(_ bucket: BucketMemory) throws {
        let (rank, parts) = (collective.rank, bucket.parts)
        let count = parts[rank].reduce(0) { $0 + $1.range.count }
        let sending = parts.indices.map { other in
            other == rank ? UnsafeRawBufferPointer(start: nil, count: 0) : gathered(parts[other], for: other)
        }
        let receiving = parts.indices.map { other in
            other == rank
                ? UnsafeMutableRawBufferPointer(start: nil, count: 0)
                : UnsafeMutableRawBufferPointer(start: floats(of: other, in: received), count: 4 * count)
        }
        try withExtendedLifetime(bucket) { try collective.exchange(sending: sending, receiving: receiving) }
        var begin = 0
        for part in parts[rank] {
            part.gradient?.withFloats { sum(into: $0 + part.range.lowerBound, count: part.range.count, receivedFrom: begin) }
            begin += part.range.count
        }
    }

    /// The memory of a rank in a block for all ranks.
    private func floats(of rank: Int, in storage: Storage) -> UnsafeMutablePointer<Float> {
        storage.pointer.assumingMemoryBound(to: Float.self) + rank * length
    }

    /// The numbers that go to a rank: where they are if they are one piece of floats, or else copied to the memory for that rank.
    private func gathered(_ parts: [BucketMemory.Part], for other: Int) -> UnsafeRawBufferPointer {
        if parts.count == 1, let gradient = parts[0].gradient, gradient.format == .f32 {
            let first = gradient.pointer.assumingMemoryBound(to: Float.self) + parts[0].range.lowerBound
            return UnsafeRawBufferPointer(start: first, count: 4 * parts[0].range.count)
        }
        let out = floats(of: other, in: sent)
        var count = 0
        for part in parts {
            if let gradient = part.gradient {
                gradient.copyFloats(part.range, to: out + count)
            } else {
                (out + count).update(repeating: 0, count: part.range.count)
            }
            count += part.range.count
        }
        return UnsafeRawBufferPointer(start: out, count: 4 * count)
    }

    /// Adds the numbers of all ranks to those of this rank, in the order of the ranks.
    /// - Parameters:
    ///   - own: the first number of this rank, which the sum replaces.
    ///   - count: the number of numbers.
    ///   - begin: the place of the first number in what each other rank has sent.
    private func sum(into own: UnsafeMutablePointer<Float>, count: Int, receivedFrom begin: Int) {
        sums.withFloats { sum in
            for first in stride(from: 0, to: count, by: Self.addedAtOnce) {
                let part = min(Self.addedAtOnce, count - first)
                for rank in 0..<collective.size {
                    let numbers = rank == collective.rank ? own + first : floats(of: rank, in: received) + begin + first
                    if rank == 0 {
                        sum.update(from: numbers, count: part)
                    } else {
                        for index in 0..<part { sum[index] += numbers[index] }
                    }
                }
                (own + first).update(from: sum, count: part)
            }
        }
    }
}
