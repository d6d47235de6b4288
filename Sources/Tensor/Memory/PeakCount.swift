import Synchronization

/// The bytes that are in use during a measurement, beyond those in use at its beginning, and their peak.
///
/// How many threads hold temporary memory at the same time depends on timing. So each call in a parallel region is counted
/// separately, and the region is counted as if the calls with the most temporary memory ran at the same time, one on each thread. The
/// peak is the same in each measurement, and not below the real one.
final class PeakCount: Sendable {
    /// What counts the allocations of the calling thread; nil if none are measured.
    @TaskLocal static var current: PeakCount?

    private struct Bytes {
        var held = 0
        var peak = 0
    }

    private let bytes = Mutex(Bytes())
    /// Whether this counts one call in a parallel region. Regions inside of such a call run on its thread.
    let isCall: Bool

    init(isCall: Bool = false) { self.isCall = isCall }

    /// The peak so far.
    var peak: Int { bytes.withLock { $0.peak } }

    /// Counts a block that is allocated, or released if `capacity` is negative.
    func add(_ capacity: Int) {
        bytes.withLock {
            $0.held += capacity
            $0.peak = max($0.peak, $0.held)
        }
    }

    /// Counters for the calls in a parallel region, in their order.
    func calls(_ count: Int) -> [PeakCount] { (0..<count).map { _ in PeakCount(isCall: true) } }

    /// Adds the calls in a parallel region, which have all returned.
    /// - Parameters:
    ///   - calls: the counters of the calls.
    ///   - threads: the number of threads of the region.
    func add(_ calls: [PeakCount], threads: Int) {
        let counted = calls.map { call in call.bytes.withLock { (held: $0.held, peak: $0.peak) } }
        // what a call allocates and does not release is in use until the region ends
        let kept = counted.reduce(0) { $0 + max(0, $1.held) }
        let temporary = counted.map { $0.peak - max(0, $0.held) }.sorted(by: >).prefix(threads).reduce(0, +)
        let change = counted.reduce(0) { $0 + $1.held }
        bytes.withLock {
            $0.peak = max($0.peak, $0.held + kept + temporary)
            $0.held += change
        }
    }
}

extension Allocator {
    /// The peak of bytes in use during a call of `body`, beyond those in use at its beginning, if in each parallel region the calls with
    /// the most temporary memory run at the same time.
    ///
    /// Unlike ``peakBytes(during:)``, it does not depend on the timing of threads, and counts only what the calling thread and its
    /// parallel regions (``Compute``) allocate and release. Several measurements can run at a time.
    package static func greatestPeakBytes(during body: () throws -> Void) rethrows -> Int {
        let count = PeakCount()
        try PeakCount.$current.withValue(count) { try body() }
        return count.peak
    }
}
