import Tensor
import Testing

/// Peaks of memory that do not depend on the timing of threads. Other tests that allocate at the same time are not counted.
@Suite struct PeakCountTests {
    /// Whole pages on every system.
    private let block = 64 << 10

    private func peak(threads: Int, _ body: () -> Void) -> Int {
        Compute.$threads.withValue(threads) { Allocator.greatestPeakBytes(during: body) } / block
    }

    /// Calls that take 1, 2, 3 and 4 blocks: the largest ones, one for each thread.
    @Test("temporary memory counts for each thread", arguments: [(1, 4), (2, 7), (3, 9), (8, 10)])
    func temporary(threads: Int, blocks: Int) {
        for _ in 0..<10 {
            let peak = peak(threads: threads) {
                let held = Storage(byteCount: block)
                Compute.forEach(4) { withExtendedLifetime(Storage(byteCount: ($0 + 1) * block)) {} }
                withExtendedLifetime(held) {}
            }
            #expect(peak == 1 + blocks)
        }
    }

    /// Six results of a block each. Each call first takes two blocks and releases them: one more than it keeps.
    @Test("memory that calls keep counts until it is released", arguments: [1, 2, 3])
    func kept(threads: Int) {
        func results() -> [Storage] {
            Compute.map(6) { _ in
                withExtendedLifetime(Storage(byteCount: 2 * block)) {}
                return Storage(byteCount: block)
            }
        }
        #expect(peak(threads: threads) { withExtendedLifetime(results()) {} } == 6 + threads)
        let after = peak(threads: threads) {
            withExtendedLifetime(results()) {}
            withExtendedLifetime(Storage(byteCount: 20 * block)) {}
        }
        #expect(after == 20)
    }

    @Test("a region inside of a call runs on the thread of the call", arguments: [1, 2, 3])
    func inner(threads: Int) {
        let peak = peak(threads: threads) {
            Compute.forEach(3) { _ in
                let held = Storage(byteCount: block)
                Compute.forEach(5) { _ in withExtendedLifetime(Storage(byteCount: block)) {} }
                withExtendedLifetime(held) {}
            }
        }
        #expect(peak == 2 * threads)
    }
}
