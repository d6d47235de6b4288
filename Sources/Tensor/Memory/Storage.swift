import Synchronization

/// The owner of memory that can be read again after its pages are dropped, such as a mapped file.
package protocol ReadableAgain: AnyObject {
    /// Lets the system reclaim the pages that lie wholly within the given bytes.
    func forget(_ pointer: UnsafeRawPointer, byteCount: Int)
}

/// The memory of a tensor: a block aligned to 64 bytes that returns to the allocator with its last tensor, a view of memory owned
/// by another object, or elements in a narrow format.
///
/// It is `@unchecked Sendable` because bytes are written only by the operation that creates the tensor, before anything else can
/// see the storage, and by in-place updates of the optimiser while it has exclusive use of the parameter.
package final class Storage: @unchecked Sendable {
    private enum Contents {
        /// Memory owned by this storage, as allocated.
        case block(UnsafeMutableRawPointer, capacity: Int)
        /// Read-only memory that the owner keeps alive.
        case view(UnsafeMutableRawPointer, owner: AnyObject)
        /// Elements in a narrow format; there are no floats in memory.
        case narrow(NarrowElements)
    }

    private let contents: Contents
    /// The usable size in bytes, counted as 32-bit floats even for narrow elements; the block itself may be larger.
    package let byteCount: Int
    /// Cached forms of the contents for products, made on demand. Changing the contents must clear them.
    let packings = Mutex(WeightPackings())

    /// Allocates a block of at least `byteCount` bytes with undefined contents.
    package init(byteCount: Int) {
        let (block, capacity) = Allocator.shared.allocate(byteCount: byteCount)
        contents = .block(block, capacity: capacity)
        self.byteCount = byteCount
    }

    /// Creates a read-only view of memory that `owner` keeps alive, such as a mapped file.
    package init(viewing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
        contents = .view(UnsafeMutableRawPointer(mutating: pointer), owner: owner)
        self.byteCount = byteCount
    }

    /// Creates a storage of elements in a narrow format.
    package init(_ narrow: NarrowElements) {
        contents = .narrow(narrow)
        byteCount = narrow.count * 4
    }

    /// A pointer to the first byte. Stops the program for narrow elements, which have no floats in memory: use
    /// ``Tensor/widened()``.
    package var pointer: UnsafeMutableRawPointer {
        switch contents {
        case .block(let block, _): block
        case .view(let block, _): block
        case .narrow(let narrow):
            preconditionFailure(
                "the \(narrow.count) elements are stored in \(narrow.format.name) and have no address as floats; "
                    + "call widened() for a copy in f32")
        }
    }

    /// The format in which the elements are stored.
    package var format: NumberFormat { narrow?.format ?? .f32 }

    /// The contents in a narrow format; nil if they are floats.
    package var narrow: NarrowElements? { if case .narrow(let narrow) = contents { narrow } else { nil } }

    /// Whether products in bf16 precision may keep packed copies of the contents: not if ``packsInPassing`` is set, and not of narrow
    /// elements without ``NarrowElements/keepsPacking``.
    package var keepsPacking: Bool { !packsInPassing && narrow?.keepsPacking ?? true }

    /// Whether products pack the contents on the fly, whatever their format, and keep no packed copies. This saves 2 bytes per element
    /// for each direction of a product, and takes time. The results have the same bits. Default: false.
    ///
    /// Setting it to true frees the copies that exist. A copy that ``Tensor/update(_:)`` makes of the contents has the same value.
    package var packsInPassing: Bool {
        get { packings.withLock { $0.isInPassing } }
        set {
            packings.withLock {
                $0.isInPassing = newValue
                if newValue { $0.clear() }
            }
        }
    }

    /// Whether the memory can be read again after its pages are dropped, as that of a mapped file.
    package var isReadableAgain: Bool {
        switch contents {
        case .block: false
        case .view(_, let owner): owner is any ReadableAgain
        case .narrow(let narrow): narrow.isReadableAgain
        }
    }

    /// Another storage of the same memory, without packed copies, if the memory can be read again; nil otherwise.
    var readAgain: Storage? {
        guard isReadableAgain else { return nil }
        return switch contents {
        case .block: nil
        case .view(let block, let owner): Storage(viewing: block, byteCount: byteCount, owner: owner)
        case .narrow(let narrow): Storage(narrow)
        }
    }

    /// Writes a range of the elements as floats.
    package func copyFloats(_ range: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        if let narrow { narrow.widen(range, into: out) } else { withFloats { out.update(from: $0 + range.lowerBound, count: range.count) } }
    }

    /// A new storage with a copy of the first `count` elements as floats.
    func copiedAsFloats(count: Int) -> Storage {
        let copy = Storage(byteCount: count * 4)
        copy.withFloats { floats in
            Compute.forChunks(count, grain: 262_144) { copyFloats($0, to: floats + $0.lowerBound) }
        }
        return copy
    }

    /// Whether the memory is not owned by this storage as a block, and must not be written to.
    package var isView: Bool { if case .block = contents { false } else { true } }

    /// Calls `body` with a pointer to the block as floats; the block stays alive until `body` returns.
    package func withFloats<Result>(_ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(self) {} }
        return try body(pointer.assumingMemoryBound(to: Float.self))
    }

    /// Lets the system reclaim memory that its owner can read again: its pages do not count as memory of this process until they
    /// are next read. Has no effect on an allocated block.
    package func forget() {
        switch contents {
        case .block: break
        case .view(let block, let owner): (owner as? any ReadableAgain)?.forget(block, byteCount: byteCount)
        case .narrow(let narrow): narrow.releasePages()
        }
    }

    /// The bytes of a mapped file that hold the contents; 0 if the contents are in allocated memory.
    package var mappedByteCount: Int { isReadableAgain ? format.byteCount(of: byteCount / 4) : 0 }

    deinit {
        switch contents {
        case .block(let block, let capacity): Allocator.shared.release(block, capacity: capacity)
        case .view, .narrow: forget()
        }
    }
}
