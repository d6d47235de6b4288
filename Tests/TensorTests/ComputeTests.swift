import Foundation
import Synchronization
import Tensor
import Testing

/// Fork and join over the pool of threads.
@Suite struct ComputeTests {
    /// Counts how often each index was called.
    private final class Tally: Sendable {
        let counts: Mutex<[Int]>
        init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
        func add(_ index: Int) { counts.withLock { $0[index] += 1 } }
        var allOnce: Bool { counts.withLock { $0.allSatisfy { $0 == 1 } } }
    }

    @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 3, 100, 1_000]) func everyIndexRunsOnce(threads: Int, count: Int) {
        Compute.$threads.withValue(threads) {
            for _ in 0..<20 {
                let tally = Tally(count)
                Compute.forEach(count) { tally.add($0) }
                #expect(tally.allOnce)
            }
        }
    }

    @Test(arguments: [1, 2, 3]) func chunksCoverEverythingInGrains(threads: Int) {
        Compute.$threads.withValue(threads) {
            for (count, grain) in [(0, 4), (1, 4), (4, 4), (5, 4), (100, 7), (9, 0), (3, Int.max)] {
                let tally = Tally(count)
                let ranges = Mutex<[Range<Int>]>([])
                Compute.forChunks(count, grain: grain) { range in
                    range.forEach(tally.add)
                    ranges.withLock { $0.append(range) }
                }
                #expect(tally.allOnce)
                // the cuts depend on the grain alone
                let grain = min(max(1, grain), max(1, count))
                let expected = stride(from: 0, to: count, by: grain).map { $0..<min(count, $0 + grain) }
                #expect(ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } } == expected)
            }
        }
    }

    /// Each of two calls waits until the other one has begun, so that they run on two threads.
    @Test func theInstructionSetHoldsOnAllThreads() {
        #expect(Compute.instructionSets.map(\.rawValue) == Kernels.available.map { "\($0)" })
        for (set, level) in zip(Compute.instructionSets, Kernels.available) {
            let levels = Mutex<[Kernels.Level?]>([])
            Compute.$threads.withValue(2) {
                Compute.withInstructionSet(set) {
                    Compute.forEach(2) { _ in
                        levels.withLock { $0.append(Kernels.level) }
                        let deadline = Date().addingTimeInterval(5)
                        while levels.withLock({ $0.count }) < 2, Date() < deadline {}
                    }
                }
            }
            #expect(levels.withLock { $0 } == [level, level])
        }
        #expect(Kernels.level == nil)
    }

    @Test func nestedCallsRun() {
        Compute.$threads.withValue(3) {
            let tally = Tally(30)
            Compute.forEach(5) { outer in
                Compute.forEach(6) { tally.add(outer * 6 + $0) }
            }
            #expect(tally.allOnce)
        }
    }

    @Test func callersOnManyThreadsRun() async {
        let tally = Tally(8 * 50)
        await withTaskGroup { group in
            for caller in 0..<8 {
                group.addTask {
                    Compute.$threads.withValue(3) {
                        for round in 0..<5 { Compute.forEach(10) { tally.add(caller * 50 + round * 10 + $0) } }
                    }
                }
            }
        }
        #expect(tally.allOnce)
    }

    @Test func theDefaultIsEveryProcessor() {
        #expect(Compute.threads == Kernels.processorCount)
        #expect(Kernels.processorCount >= 1 && Kernels.processorCount <= ProcessInfo.processInfo.processorCount)
    }

    /// Every number of a product is made once, whatever its size; no part is so low that a panel is fetched for a few rows, and there is
    /// something to do for every thread.
    @Test(arguments: [1, 2, 7], [(1, 1), (24, 64), (16, 768), (47, 1_000), (96, 192), (512, 384), (1_000, 193), (1_024, 2_048)])
    func partsOfAProduct(threads: Int, shape: (rows: Int, columns: Int)) {
        let (rows, columns) = shape
        let times = Mutex([Int](repeating: 0, count: rows * columns))
        let parts = Mutex(0)
        Compute.$threads.withValue(threads) {
            ProductParts.forEach(rows: rows, columns: columns, depth: 700, rowUnit: 24) { part, panels in
                #expect(part.lowerBound % 24 == 0 && panels.lowerBound % 64 == 0)
                #expect(part.count >= min(rows, 40))
                parts.withLock { $0 += 1 }
                times.withLock { times in
                    for row in part { for column in panels { times[row * columns + column] += 1 } }
                }
            }
        }
        #expect(times.withLock { $0.allSatisfy { $0 == 1 } })
        let possible = (columns + 63) / 64 * max(1, rows / 48)
        if rows * columns >= 10_000 { #expect(parts.withLock { $0 } >= min(threads, possible)) }
    }
}
