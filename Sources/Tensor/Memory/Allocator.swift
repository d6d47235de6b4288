import Synchronization

/// A caching memory allocator: freed blocks are kept for later requests of about the same size.
///
/// Training requests the same sizes in every step. Returning blocks to the system each time would cost more in page faults than
/// the arithmetic on them. Sizes are rounded up to eight size classes per power of two, so at most an eighth of a block is
/// unused. A request is served from a kept block of its own class or one of the next two. Blocks below 16 KiB are left to malloc;
/// blocks of 1 MiB or more are mapped from the system and returned to it.
///
/// Used and kept blocks together never exceed the peak of memory in use by more than max(peak / 16, min(peak, 32 MiB)). When a
/// request needs new memory, kept blocks of the least recently used sizes are freed to stay within that bound.
///
/// When the system has no more memory, all kept blocks are freed first. If that does not suffice, the process ends, because an
/// operation on tensors cannot report an error; ``endsProcess(with:)`` sets how.
///
/// Like malloc, the allocator is shared by the whole process. It does not affect results.
package final class Allocator: Sendable {
    /// The allocator of the process.
    package static let shared = Allocator()

    /// The kept blocks of one capacity.
    private struct Kept {
        var addresses: [UInt] = []
        /// When a block of this capacity was last taken or kept, counted in requests.
        var touched = 0
    }

    private struct State: ~Copyable {
        var kept: [Int: Kept] = [:]
        var keptBytes = 0
        var inUse = 0
        var peak = 0
        /// The most bytes in use since the current measurement began.
        var mark = 0
        var requests = 0

        mutating func take(_ capacity: Int) -> UInt? {
            guard let address = kept[capacity]?.addresses.popLast() else { return nil }
            kept[capacity]?.touched = requests
            keptBytes -= capacity
            return address
        }

        /// Removes kept blocks, least recently used sizes first, until the total is within the bound.
        mutating func takeSurplus() -> [(address: UInt, capacity: Int)] {
            var surplus: [(address: UInt, capacity: Int)] = []
            while inUse + keptBytes > Allocator.bound(peak: peak) {
                let oldest = kept.lazy.filter { !$0.value.addresses.isEmpty }.min {
                    $0.value.touched < $1.value.touched
                }
                guard let capacity = oldest?.key, let address = kept[capacity]?.addresses.popLast() else { break }
                keptBytes -= capacity
                surplus.append((address, capacity))
            }
            return surplus
        }
    }
    private let state = Mutex(State())
    private let end = Mutex<(@Sendable (String) -> Void)?>(nil)
    private static let smallest = 16 * 1024
    private static let mapped = 1024 * 1024

    package init() {}

    /// The minimum surplus with a small peak. Without it, layers whose blocks have three different sizes would free one block
    /// whenever they need another.
    private static let slack = 32 << 20

    /// The upper bound of used and kept bytes together, given the peak of bytes in use.
    package static func bound(peak: Int) -> Int { peak + max(peak / 16, min(peak, slack)) }
    /// The greatest peak whose bound is at most `bytes`.
    package static func mostInUse(within bytes: Int) -> Int {
        if bytes <= 2 * slack { return bytes / 2 }
        return bytes <= 17 * slack ? bytes - slack : bytes - (bytes + 16) / 17
    }

    /// The bytes that are allocated and not yet released.
    package var bytesInUse: Int { state.withLock { $0.inUse } }
    /// The bytes of released blocks that are kept for later requests.
    package var bytesKept: Int { state.withLock { $0.keptBytes } }
    /// The maximum of ``bytesInUse`` so far.
    package var peakBytesInUse: Int { state.withLock { $0.peak } }

    /// The peak of bytes in use during a call of `body`, beyond those in use at its beginning. Only one measurement can run at a
    /// time; anything else that the process allocates meanwhile is included.
    package func peakBytes(during body: () throws -> Void) rethrows -> Int {
        let before = state.withLock { state in
            state.mark = state.inUse
            return state.inUse
        }
        try body()
        return state.withLock { $0.mark - before }
    }

    /// Returns all kept blocks, and unused memory of malloc, to the system. Useful between stages or measurements that need other
    /// sizes.
    package func releaseKept() {
        let blocks = state.withLock { state in
            let blocks = state.kept.flatMap { kept in kept.value.addresses.map { ($0, kept.key) } }
            state.kept = [:]
            state.keptBytes = 0
            return blocks
        }
        for (address, capacity) in blocks {
            if let block = UnsafeMutableRawPointer(bitPattern: address) { Self.free(block, capacity: capacity) }
        }
        Kernels.trim()
    }

    /// The capacity of the block for a request of `byteCount` bytes: its size class.
    package static func capacity(for byteCount: Int) -> Int {
        if byteCount < smallest { return max(64, (byteCount + 63) & ~63) }
        let top = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = 1 << (top - 3)
        return (byteCount + step - 1) / step * step
    }

    /// Returns a block of at least `byteCount` bytes with undefined contents, and its capacity, which ``release(_:capacity:)``
    /// needs.
    package func allocate(byteCount: Int) -> (UnsafeMutableRawPointer, capacity: Int) {
        let wanted = Self.capacity(for: byteCount)
        let isKept = wanted >= Self.smallest
        let (reused, capacity, surplus) = state.withLock { state -> (UInt?, Int, [(address: UInt, capacity: Int)]) in
            var (reused, capacity): (UInt?, Int) = (nil, wanted)
            if isKept {
                state.requests += 1
                // this size class or one of the next two
                reused = state.take(capacity)
                for _ in 0..<2 where reused == nil {
                    capacity = Self.capacity(for: capacity + 1)
                    reused = state.take(capacity)
                }
                if reused == nil { capacity = wanted }
            }
            state.inUse += capacity
            state.peak = max(state.peak, state.inUse)
            state.mark = max(state.mark, state.inUse)
            return (reused, capacity, isKept && reused == nil ? state.takeSurplus() : [])
        }
        for (address, capacity) in surplus {
            if let block = UnsafeMutableRawPointer(bitPattern: address) { Self.free(block, capacity: capacity) }
        }
        if let block = reused.flatMap(UnsafeMutableRawPointer.init(bitPattern:)) { return (block, capacity) }
        guard capacity >= Self.mapped else { return (.allocate(byteCount: capacity, alignment: 64), capacity) }
        if let block = Kernels.map(byteCount: capacity) { return (block, capacity) }
        releaseKept()
        if let block = Kernels.map(byteCount: capacity) { return (block, capacity) }
        let problem = "out of memory: cannot allocate \(byteCount) more bytes; tensors use \(bytesInUse - capacity) bytes"
        end.withLock(\.self)?(problem)
        fatalError(problem)
    }

    /// Sets the function that is called with a one-line message when the system has no more memory. It should end the process; if
    /// it returns, the process ends with a trap.
    package func endsProcess(with end: @escaping @Sendable (String) -> Void) { self.end.withLock { $0 = end } }

    /// Takes back a block of ``allocate(byteCount:)``; it is kept for later requests if it has 16 KiB or more.
    package func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
        let isKept = capacity >= Self.smallest
        state.withLock { state in
            state.inUse -= capacity
            guard isKept else { return }
            state.kept[capacity, default: Kept()].addresses.append(UInt(bitPattern: pointer))
            state.kept[capacity]?.touched = state.requests
            state.keptBytes += capacity
        }
        if !isKept { Self.free(pointer, capacity: capacity) }
    }

    private static func free(_ block: UnsafeMutableRawPointer, capacity: Int) {
        if capacity >= mapped { Kernels.unmap(block, byteCount: capacity) } else { block.deallocate() }
    }
}
