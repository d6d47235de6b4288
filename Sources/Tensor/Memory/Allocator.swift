import Synchronization

/// A malloc that keeps freed blocks for the next request of about the same size.
///
/// Training asks for the same sizes in every step; returning them to the system each time costs more in page faults than the
/// arithmetic on them. Sizes are rounded up to eight classes per doubling, so at most an eighth of a block is unused, and a request
/// is served from a kept block of up to two classes above its own. Blocks below 16 KiB are left to malloc, those of 1 MiB and more
/// come from the system and go back to it.
///
/// All blocks together, used and kept, stay within a sixteenth, or 32 MiB, of the most that was ever in use at once: when a request needs
/// new memory, kept blocks of the sizes that nobody has asked for lately make room.
///
/// When the system has no more memory, what is kept goes back to it first. If that does not help, the process ends: an operation on tensors
/// has no other way to say so. How it ends is up to ``endsProcess(with:)``.
///
/// Like malloc itself this is one object for the process: it has no influence on any result.
package final class Allocator: Sendable {
    package static let shared = Allocator()

    /// Kept blocks of one capacity.
    private struct Kept {
        var addresses: [UInt] = []
        /// When a block was last taken or kept, in requests.
        var touched = 0
    }

    private struct State: ~Copyable {
        var kept: [Int: Kept] = [:]
        var keptBytes = 0
        var inUse = 0
        var peak = 0
        /// The most in use since a measurement began.
        var mark = 0
        var requests = 0

        mutating func take(_ capacity: Int) -> UInt? {
            guard let address = kept[capacity]?.addresses.popLast() else { return nil }
            kept[capacity]?.touched = requests
            keptBytes -= capacity
            return address
        }

        /// Takes blocks out of those that are kept until everything fits into the peak and a little more.
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

    /// What is kept beside a small peak: layers whose blocks have three sizes would else give one back whenever they need another.
    private static let slack = 32 << 20

    /// The most that used and kept blocks are together, when so many bytes were in use at once.
    package static func bound(peak: Int) -> Int { peak + max(peak / 16, min(peak, slack)) }
    /// The greatest peak whose bound is not above `bytes`.
    package static func mostInUse(within bytes: Int) -> Int {
        if bytes <= 2 * slack { return bytes / 2 }
        return bytes <= 17 * slack ? bytes - slack : bytes - (bytes + 16) / 17
    }

    /// Bytes handed out and not yet returned.
    package var bytesInUse: Int { state.withLock { $0.inUse } }
    /// Bytes of returned blocks that wait for the next request.
    package var bytesKept: Int { state.withLock { $0.keptBytes } }
    /// The most bytes that were ever in use at once.
    package var peakBytesInUse: Int { state.withLock { $0.peak } }

    /// The most bytes that were in use during a call of `body` beyond those at its beginning. One measurement at a time: whatever else
    /// the process allocates meanwhile is counted, too.
    package func peakBytes(during body: () throws -> Void) rethrows -> Int {
        let before = state.withLock { state in
            state.mark = state.inUse
            return state.inUse
        }
        try body()
        return state.withLock { $0.mark - before }
    }

    /// Gives all blocks that are kept for later, and what malloc keeps, back to the system: what a measurement or a stage has left is of no use to the next.
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

    package static func capacity(for byteCount: Int) -> Int {
        if byteCount < smallest { return max(64, (byteCount + 63) & ~63) }
        let top = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = 1 << (top - 3)
        return (byteCount + step - 1) / step * step
    }

    package func allocate(byteCount: Int) -> (UnsafeMutableRawPointer, capacity: Int) {
        let wanted = Self.capacity(for: byteCount)
        let isKept = wanted >= Self.smallest
        let (reused, capacity, surplus) = state.withLock { state -> (UInt?, Int, [(address: UInt, capacity: Int)]) in
            var (reused, capacity): (UInt?, Int) = (nil, wanted)
            if isKept {
                state.requests += 1
                // this class, or one of the two above it
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
        let problem = "there is no memory for \(byteCount) more bytes; tensors use \(bytesInUse - capacity) bytes"
        end.withLock(\.self)?(problem)
        fatalError(problem)
    }

    /// Sets what is called with one line about the problem when the system has no more memory. It should end the process; when it returns,
    /// the process ends with a trap.
    package func endsProcess(with end: @escaping @Sendable (String) -> Void) { self.end.withLock { $0 = end } }

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
