import Synchronization

/// Memory whose contents come back by themselves when they are touched: a mapped file.
package protocol ReadableAgain: AnyObject {
    /// Gives back the pages that lie wholly within the given bytes.
    func forget(_ pointer: UnsafeRawPointer, byteCount: Int)
}

/// A block of memory, aligned to 64 bytes, that goes back to the allocator when its last tensor is gone; or numbers in bfloat16.
///
/// It is `@unchecked Sendable` because the bytes are written only by the operation that makes the tensor, before anything else can
/// see the storage, and by in-place updates, which the optimiser makes while it alone uses the parameter.
package final class Storage: @unchecked Sendable {
    private enum Contents {
        /// Memory of its own, as the allocator gave it.
        case block(UnsafeMutableRawPointer, capacity: Int)
        /// Memory that the owner keeps alive and nobody writes to.
        case view(UnsafeMutableRawPointer, owner: AnyObject)
        /// Numbers that stand for floats, of which there are none in memory.
        case narrow(NarrowElements)
    }

    private let contents: Contents
    /// The usable size, that of the floats that the numbers stand for; the block itself may be larger.
    package let byteCount: Int
    /// The contents as packed weight matrices, as far as they were asked for. Whoever changes the contents forgets them.
    let packings = Mutex(WeightPackings())

    /// A block of at least `byteCount` bytes with undefined contents.
    package init(byteCount: Int) {
        let (block, capacity) = Allocator.shared.allocate(byteCount: byteCount)
        contents = .block(block, capacity: capacity)
        self.byteCount = byteCount
    }

    /// A view of memory that `owner` keeps alive, for example a mapped file. It must not be written to.
    package init(viewing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
        contents = .view(UnsafeMutableRawPointer(mutating: pointer), owner: owner)
        self.byteCount = byteCount
    }

    /// Floats that are kept in bfloat16.
    package init(_ narrow: NarrowElements) {
        contents = .narrow(narrow)
        byteCount = narrow.count * 4
    }

    /// The first byte. Numbers that are kept in fewer bits have none to give: whoever needs floats says ``Tensor/widened()``.
    package var pointer: UnsafeMutableRawPointer {
        switch contents {
        case .block(let block, _): block
        case .view(let block, _): block
        case .narrow(let narrow):
            preconditionFailure(
                "\(narrow.count) numbers are kept in bfloat16 and have no address as floats: say widened() for a copy that has one")
        }
    }

    /// How the numbers are stored.
    package var format: NumberFormat { narrow == nil ? .f32 : .bf16 }

    /// The contents in bfloat16; nil for all other storage.
    package var narrow: NarrowElements? { if case .narrow(let narrow) = contents { narrow } else { nil } }

    /// Writes some of the numbers as floats.
    func copyFloats(_ range: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        if let narrow { narrow.widen(range, into: out) } else { withFloats { out.update(from: $0 + range.lowerBound, count: range.count) } }
    }

    /// A storage of its own with the same first `count` numbers as floats.
    func copiedAsFloats(count: Int) -> Storage {
        let copy = Storage(byteCount: count * 4)
        copy.withFloats { copyFloats(0..<count, to: $0) }
        return copy
    }

    /// Whether the memory belongs to somebody else and must not be written to.
    package var isView: Bool { if case .block = contents { false } else { true } }

    /// Calls `body` with the block read as floats; the block is there until `body` returns, even when nothing else holds it.
    package func withFloats<Result>(_ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
        defer { withExtendedLifetime(self) {} }
        return body(pointer.assumingMemoryBound(to: Float.self))
    }

    /// Lets the system take back memory that its owner can read again: afterwards nothing of it counts as memory of this process until
    /// it is touched. Any other storage stays as it is.
    package func forget() {
        switch contents {
        case .block: break
        case .view(let block, let owner): (owner as? any ReadableAgain)?.forget(block, byteCount: byteCount)
        case .narrow(let narrow): narrow.wereCopied()
        }
    }

    deinit {
        switch contents {
        case .block(let block, let capacity): Allocator.shared.release(block, capacity: capacity)
        case .view: forget()
        case .narrow: break
        }
    }
}
