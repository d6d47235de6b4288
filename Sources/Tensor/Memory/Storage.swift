import Synchronization

/// Memory whose contents come back by themselves when they are touched: a mapped file.
package protocol ReadableAgain: AnyObject {
    /// Gives back the pages that lie wholly within the given bytes.
    func forget(_ pointer: UnsafeRawPointer, byteCount: Int)
}

/// A block of memory, aligned to 64 bytes, that goes back to the allocator when its last tensor is gone.
///
/// It is `@unchecked Sendable` because the bytes are written only by the operation that makes the tensor, before anything else can
/// see the storage, and by in-place updates, which the optimiser makes while it alone uses the parameter.
package final class Storage: @unchecked Sendable {
    /// The memory; nil when it began as ``NarrowElements``.
    private let block: UnsafeMutableRawPointer?
    /// What became of a storage without a block.
    private let late = Mutex(Late())
    /// The usable size; the block itself may be larger.
    package let byteCount: Int
    private let capacity: Int
    private let owner: AnyObject?
    /// The contents as a packed weight matrix; nil until it is asked for. Whoever changes the contents forgets them.
    let packings = Mutex(Packings())

    /// See ``packings``: rounded, as the right-hand side of dy W and of x Wᵀ.
    struct Packings: Sendable {
        var plain: PackedMatrix?
        var transposed: PackedMatrix?
    }

    private struct Late: Sendable {
        /// The numbers until somebody asks for floats.
        var narrow: NarrowElements?
        /// The floats from then on.
        var address: UInt = 0
        var capacity = 0
    }

    /// A block of at least `byteCount` bytes with undefined contents.
    package init(byteCount: Int) {
        let (block, capacity) = Allocator.shared.allocate(byteCount: byteCount)
        (self.block, self.capacity) = (block, capacity)
        self.byteCount = byteCount
        owner = nil
    }

    /// A view of memory that `owner` keeps alive, for example a mapped file. It must not be written to.
    package init(viewing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
        block = UnsafeMutableRawPointer(mutating: pointer)
        self.byteCount = byteCount
        capacity = 0
        self.owner = owner
    }

    /// Floats that stay in bfloat16 until ``pointer`` is asked for.
    package init(_ narrow: NarrowElements) {
        block = nil
        byteCount = narrow.count * 4
        (capacity, owner) = (0, nil)
        late.withLock { $0.narrow = narrow }
    }

    /// The first byte. Numbers in bfloat16 become floats, and remain so, when it is asked for.
    package var pointer: UnsafeMutableRawPointer { block ?? widened() }

    /// The contents in bfloat16, as long as they have not become floats; nil for all other storage.
    package var narrow: NarrowElements? { block == nil ? late.withLock { $0.narrow } : nil }

    private func widened() -> UnsafeMutableRawPointer {
        let address = late.withLock { late in
            guard let narrow = late.narrow else { return late.address }
            let (block, capacity) = Allocator.shared.allocate(byteCount: byteCount)
            narrow.widen(0..<narrow.count, into: block.assumingMemoryBound(to: Float.self))
            narrow.wereCopied()
            late = Late(address: UInt(bitPattern: block), capacity: capacity)
            return late.address
        }
        guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else {
            preconditionFailure("a storage has a block or numbers to make one from")
        }
        return pointer
    }

    /// A storage of its own with the same first `byteCount` bytes.
    func copied(byteCount: Int) -> Storage {
        let copy = Storage(byteCount: byteCount)
        if let narrow {
            copy.withFloats { narrow.widen(0..<byteCount / 4, into: $0) }
        } else {
            copy.pointer.copyMemory(from: pointer, byteCount: byteCount)
        }
        return copy
    }

    /// Whether the memory belongs to somebody else and must not be written to.
    package var isView: Bool { owner != nil || narrow != nil }

    /// Calls `body` with the block read as floats; the block is there until `body` returns, even when nothing else holds it.
    package func withFloats<Result>(_ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
        defer { withExtendedLifetime(self) {} }
        return body(pointer.assumingMemoryBound(to: Float.self))
    }

    /// Lets the system take back the memory behind a view, where its owner can read it again: afterwards nothing of it counts as
    /// memory of this process until it is touched. Any other storage stays as it is.
    package func forget() {
        if let block, let owner = owner as? any ReadableAgain { owner.forget(block, byteCount: byteCount) }
    }

    deinit {
        if let block {
            if owner == nil { Allocator.shared.release(block, capacity: capacity) } else { forget() }
            return
        }
        let (address, capacity) = late.withLock { ($0.address, $0.capacity) }
        if let block = UnsafeMutableRawPointer(bitPattern: address) {
            Allocator.shared.release(block, capacity: capacity)
        }
    }
}
