import Synchronization

/// A block of memory, aligned to 64 bytes, that goes back to the allocator when its last tensor is gone.
///
/// It is `@unchecked Sendable` because the bytes are written only by the operation that makes the tensor, before anything else can
/// see the storage, and by in-place updates, which the optimiser makes while it alone uses the parameter.
package final class Storage: @unchecked Sendable {
    package let pointer: UnsafeMutableRawPointer
    /// The usable size; the block itself may be larger.
    package let byteCount: Int
    private let capacity: Int
    private let owner: AnyObject?
    /// The contents as a weight matrix, rounded and packed; nil until it is asked for. Whoever changes the contents forgets them.
    let packings = Mutex(Packings())

    /// See ``packings``: as the right-hand side of dy W and of x Wᵀ.
    struct Packings: Sendable {
        var plain: PackedMatrix?
        var transposed: PackedMatrix?
    }

    /// A block of at least `byteCount` bytes with undefined contents.
    package init(byteCount: Int) {
        (pointer, capacity) = Allocator.shared.allocate(byteCount: byteCount)
        self.byteCount = byteCount
        owner = nil
    }

    /// A view of memory that `owner` keeps alive, for example a mapped file. It must not be written to.
    package init(viewing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
        self.pointer = UnsafeMutableRawPointer(mutating: pointer)
        self.byteCount = byteCount
        capacity = 0
        self.owner = owner
    }

    /// Whether the memory belongs to somebody else and must not be written to.
    package var isView: Bool { owner != nil }

    /// Calls `body` with the block read as floats; the block is there until `body` returns, even when nothing else holds it.
    package func withFloats(_ body: (UnsafeMutablePointer<Float>) -> Void) {
        body(pointer.assumingMemoryBound(to: Float.self))
        withExtendedLifetime(self) {}
    }

    deinit {
        if owner == nil { Allocator.shared.release(pointer, capacity: capacity) }
    }
}

/// A malloc that keeps freed blocks for the next request of about the same size.
///
/// Training asks for the same sizes in every step; returning them to the system each time costs more in page faults than the
/// arithmetic on them. Sizes are rounded up to eight classes per doubling, so at most an eighth of a block is unused. Blocks below
/// 16 KiB are left to malloc. What is kept is at most half of the most that was ever in use at once.
///
/// Like malloc itself this is one object for the process: it has no influence on any result.
package final class Allocator: Sendable {
    package static let shared = Allocator()

    private struct State: ~Copyable {
        /// Addresses of kept blocks by capacity.
        var free: [Int: [UInt]] = [:]
        var kept = 0
        var inUse = 0
        var peak = 0
        /// The most in use since a measurement began.
        var mark = 0
    }
    private let state = Mutex(State())
    private static let smallest = 16 * 1024

    package init() {}

    /// Bytes handed out and not yet returned.
    package var bytesInUse: Int { state.withLock { $0.inUse } }
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

    /// Gives all blocks that are kept for later back to malloc: what a measurement or a stage has left is of no use to the next.
    package func releaseKept() {
        let blocks = state.withLock { state in
            let blocks = state.free.values.flatMap { $0 }
            state.free = [:]
            state.kept = 0
            return blocks
        }
        for block in blocks { UnsafeMutableRawPointer(bitPattern: block)?.deallocate() }
    }

    package static func capacity(for byteCount: Int) -> Int {
        if byteCount < smallest { return max(64, (byteCount + 63) & ~63) }
        let top = Int.bitWidth - 1 - (byteCount - 1).leadingZeroBitCount
        let step = 1 << (top - 3)
        return (byteCount + step - 1) / step * step
    }

    package func allocate(byteCount: Int) -> (UnsafeMutableRawPointer, capacity: Int) {
        let capacity = Self.capacity(for: byteCount)
        let reused: UInt? = state.withLock { state in
            state.inUse += capacity
            state.peak = max(state.peak, state.inUse)
            state.mark = max(state.mark, state.inUse)
            guard let block = state.free[capacity]?.popLast() else { return nil }
            state.kept -= capacity
            return block
        }
        if let block = reused.flatMap(UnsafeMutableRawPointer.init(bitPattern:)) { return (block, capacity) }
        return (UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64), capacity)
    }

    package func release(_ pointer: UnsafeMutableRawPointer, capacity: Int) {
        let address = UInt(bitPattern: pointer)
        let keep = state.withLock { state in
            state.inUse -= capacity
            guard capacity >= Self.smallest, state.kept + capacity <= state.peak / 2 else { return false }
            state.free[capacity, default: []].append(address)
            state.kept += capacity
            return true
        }
        if !keep { pointer.deallocate() }
    }
}
