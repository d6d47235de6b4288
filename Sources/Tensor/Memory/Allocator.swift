import Synchronization

/// A caching memory allocator: memory of freed blocks is kept for later requests of any size.
///
/// Training requests about the same memory in every step, in blocks of changing sizes. Returning blocks to the system each time
/// would cost more in page faults than the arithmetic on them. Blocks are whole pages of an ``Arena``, which joins freed neighbours
/// and serves a request from the smallest sufficient free range. Blocks below 32 KiB (eight pages) are left to malloc.
///
/// Used and kept memory together never exceed the peak of memory in use by more than max(peak / 16, min(peak, 32 MiB)). When a
/// request needs new pages, the free pages that were not used for the longest time return to the system to stay within that
/// bound.
///
/// When the system has no more memory, all free pages return to it first. If that does not suffice, the process ends, because an
/// operation on tensors cannot report an error; ``endsProcess(with:)`` sets how.
///
/// Like malloc, the allocator is shared by the whole process and by all threads. It does not affect results.
package final class Allocator: Sendable {
    /// The allocator of the process.
    package static let shared = Allocator()

    private struct State: ~Copyable {
        var arena: Arena
        var inUse = 0
        var peak = 0
        /// The most bytes in use since the current measurement began.
        var mark = 0

        var kept: Int { arena.keptPages * MemoryRegion.pageBytes }

        mutating func use(_ capacity: Int) {
            inUse += capacity
            peak = max(peak, inUse)
            mark = max(mark, inUse)
        }
    }
    private let state: Lock<State>
    private let end = Mutex<(@Sendable (String) -> Void)?>(nil)
    /// The minimum size of a block of whole pages; so at most an eighth of it is unused.
    private static let smallest = 8 * MemoryRegion.pageBytes

    /// Creates an allocator.
    /// - Parameter reservedBytes: the size of the regions of addresses that it reserves. Addresses without pages take no memory. 0
    ///   reserves none, and maps memory for each request that finds no room. Default: four times the memory of the machine, and 0 in
    ///   a process whose address space is limited (`ulimit -v`).
    package init(reservedBytes: Int? = nil) {
        let reserved = reservedBytes ?? (Kernels.addressesAreLimited ? 0 : max(16 << 30, 4 * Kernels.machineMemory))
        state = Lock(State(arena: Arena(reservedBytes: reserved)))
    }

    deinit { state.withLock { $0.arena.giveBackAll(unreserves: true) } }

    /// The minimum surplus with a small peak, for which free ranges of several sizes are much.
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
    /// The bytes of free memory that are kept for later requests.
    package var bytesKept: Int { state.withLock { $0.kept } }
    /// The maximum of ``bytesInUse`` so far.
    package var peakBytesInUse: Int { state.withLock { $0.peak } }

    /// The bytes of pages that were requested from the system so far, those that were requested again after their return included.
    package var bytesRequested: Int { state.withLock { $0.arena.newPages } * MemoryRegion.pageBytes }

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

    /// Returns all free memory, also that of malloc, to the system. Useful between stages or measurements that need other sizes.
    package func releaseKept() {
        state.withLock { $0.arena.giveBackAll() }
        Kernels.trim()
    }

    /// The capacity of the block for a request of `byteCount` bytes: whole pages for 32 KiB or more, and multiples of 64 below.
    package static func capacity(for byteCount: Int) -> Int {
        let unit = byteCount < smallest ? 64 : MemoryRegion.pageBytes
        return max(64, (byteCount + unit - 1) / unit * unit)
    }

    /// Returns a block of at least `byteCount` bytes with undefined contents, and its capacity, which ``release(_:capacity:)``
    /// needs.
    package func allocate(byteCount: Int) -> (UnsafeMutableRawPointer, capacity: Int) {
        let capacity = Self.capacity(for: byteCount)
        PeakCount.current?.add(capacity)
        guard capacity >= Self.smallest else {
            state.withLock { $0.use(capacity) }
            return (.allocate(byteCount: capacity, alignment: 64), capacity)
        }
        if let block = take(capacity) { return (block, capacity) }
        releaseKept()
        if let block = take(capacity) { return (block, capacity) }
        let problem = "out of memory: cannot allocate \(byteCount) more bytes; tensors use \(bytesInUse) bytes"
        end.withLock(\.self)?(problem)
        fatalError(problem)
    }

    /// A block of the arena; nil if the system has no more memory.
    private func take(_ capacity: Int) -> UnsafeMutableRawPointer? {
        let page = state.withLock { state -> Int? in
            guard let page = state.arena.take(capacity / MemoryRegion.pageBytes) else { return nil }
            state.use(capacity)
            let surplus = state.inUse + state.kept - Self.bound(peak: state.peak)
            if surplus > 0 { state.arena.giveBack((surplus + MemoryRegion.pageBytes - 1) / MemoryRegion.pageBytes) }
            return page
        }
        return page.map(MemoryRegion.address)
    }

    /// Sets the function that is called with a one-line message when the system has no more memory. It should end the process; if
    /// it returns, the process ends with a trap.
    package func endsProcess(with end: @escaping @Sendable (String) -> Void) { self.end.withLock { $0 = end } }

    /// Takes back a block of ``allocate(byteCount:)``; its memory is kept for later requests if it has 32 KiB or more.
    package func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
        let address = UInt(bitPattern: pointer)
        PeakCount.current?.add(-capacity)
        state.withLock { state in
            state.inUse -= capacity
            guard capacity >= Self.smallest else { return }
            let page = Int(address) / MemoryRegion.pageBytes
            state.arena.put(page..<page + capacity / MemoryRegion.pageBytes)
        }
        if capacity < Self.smallest { pointer.deallocate() }
    }
}
