import Foundation
import Tensor
import Testing

/// Blocks of random sizes and lifetimes.
@Suite struct AllocatorTraceTests {
    /// Blocks in use, each with its number in the first and last eight bytes.
    private struct Blocks {
        let allocator: Allocator
        var generator: Philox
        private var blocks: [(address: UnsafeMutableRawPointer, capacity: Int, number: UInt64)] = []
        private var count: UInt64 = 0

        init(_ allocator: Allocator, seed: UInt64) { (self.allocator, generator) = (allocator, Philox(seed: seed)) }

        var isEmpty: Bool { blocks.isEmpty }
        var bytes: Int { blocks.reduce(0) { $0 + $1.capacity } }

        mutating func allocate(_ byteCount: Int) {
            count += 1
            let (address, capacity) = allocator.allocate(byteCount: byteCount)
            // a judge without any structure: the new block is apart from all others
            let isApart = blocks.allSatisfy { $0.address + $0.capacity <= address || address + capacity <= $0.address }
            #expect(isApart, "blocks overlap")
            address.storeBytes(of: count, as: UInt64.self)
            address.storeBytes(of: count, toByteOffset: capacity - 8, as: UInt64.self)
            blocks.append((address, capacity, count))
        }

        mutating func releaseOne() {
            let (address, capacity, number) = blocks.remove(at: Int.random(in: blocks.indices, using: &generator))
            #expect(address.load(as: UInt64.self) == number, "a block in use has lost its contents")
            #expect(address.load(fromByteOffset: capacity - 8, as: UInt64.self) == number, "a block in use has lost its contents")
            allocator.release(address, capacity: capacity)
        }

        /// A size of 1 KiB to 4 MiB; each power of two is as likely as another.
        mutating func size() -> Int {
            let power = 1 << Int.random(in: 10..<22, using: &generator)
            return Int.random(in: power...2 * power, using: &generator)
        }
    }

    @Test(
        "blocks in use never overlap, keep their contents, and stay within the bound together with free memory",
        arguments: [256 << 20, 16 << 20, 3 << 20, 0])
    func randomTrace(reservedBytes: Int) {
        let allocator = Allocator(reservedBytes: reservedBytes)
        var blocks = Blocks(allocator, seed: 1)
        let first = allocator.allocate(byteCount: 1 << 20)
        allocator.release(first.0, capacity: first.capacity)
        // what is in use grows and falls, so that ranges of all sizes are free at times
        for turn in 0..<3_000 {
            let isFull = blocks.bytes > (turn / 300 % 2 == 0 ? 48 << 20 : 6 << 20)
            if !blocks.isEmpty, isFull || Int.random(in: 0..<3, using: &blocks.generator) == 0 {
                blocks.releaseOne()
            } else {
                blocks.allocate(blocks.size())
            }
            if turn % 500 == 499 {
                allocator.releaseKept()
                #expect(allocator.bytesKept == 0)
            }
            #expect(allocator.bytesInUse == blocks.bytes)
            #expect(allocator.bytesInUse + allocator.bytesKept <= Allocator.bound(peak: allocator.peakBytesInUse), "turn \(turn)")
        }
        while !blocks.isEmpty { blocks.releaseOne() }
        #expect(allocator.bytesInUse == 0)
        // all pages are one range again; nothing writes to them
        if reservedBytes == 256 << 20 {
            let all = allocator.allocate(byteCount: reservedBytes)
            #expect(all.0 == first.0)
            allocator.release(all.0, capacity: all.capacity)
        }
    }

    @Test(arguments: [nil, 0])
    func threadsAllocateAtOnce(reservedBytes: Int?) async {
        let allocator = Allocator(reservedBytes: reservedBytes)
        await withTaskGroup(of: Void.self) { group in
            for seed in 0..<8 {
                group.addTask {
                    var blocks = Blocks(allocator, seed: UInt64(seed))
                    for _ in 0..<500 {
                        if !blocks.isEmpty, blocks.bytes > 8 << 20 || Int.random(in: 0..<2, using: &blocks.generator) == 0 {
                            blocks.releaseOne()
                        } else {
                            blocks.allocate(blocks.size())
                        }
                    }
                    while !blocks.isEmpty { blocks.releaseOne() }
                }
            }
        }
        #expect(allocator.bytesInUse == 0)
        #expect(allocator.bytesKept <= Allocator.bound(peak: allocator.peakBytesInUse))
    }

    @Test("many small blocks that pin the pages of others do not raise memory over the bound", arguments: [nil, 0])
    func scatteredBlocks(reservedBytes: Int?) {
        let allocator = Allocator(reservedBytes: reservedBytes)
        let small = (0..<1_024).map { _ in allocator.allocate(byteCount: 64 << 10) }
        // one of 16 remains, so that no huge page is free as a whole
        for (index, block) in small.enumerated() where index % 16 != 0 { allocator.release(block.0, capacity: block.capacity) }
        #expect(allocator.bytesKept >= 60 << 20)
        let large = allocator.allocate(byteCount: 50 << 20)
        #expect(allocator.peakBytesInUse == 64 << 20)
        #expect(allocator.bytesInUse + allocator.bytesKept <= Allocator.bound(peak: 64 << 20))
        for (index, block) in small.enumerated() where index % 16 == 0 { allocator.release(block.0, capacity: block.capacity) }
        allocator.release(large.0, capacity: large.capacity)
        #expect(allocator.bytesInUse == 0)
    }

    @Test func moreThanWasReservedIsReservedAgain() {
        let allocator = Allocator(reservedBytes: 8 << 20)
        // larger than a region, and more than one
        let blocks = [3, 3, 3, 20, 1, 1, 1, 9].map { allocator.allocate(byteCount: $0 << 20) }
        let sorted = blocks.sorted { $0.0 < $1.0 }
        for (block, next) in zip(sorted, sorted.dropFirst()) { #expect(block.0 + block.capacity <= next.0) }
        for (index, block) in blocks.enumerated() { memset(block.0, Int32(index), block.capacity) }
        for (index, block) in blocks.enumerated() {
            #expect(block.0.load(as: UInt8.self) == index)
            #expect(block.0.load(fromByteOffset: block.capacity - 1, as: UInt8.self) == index)
            allocator.release(block.0, capacity: block.capacity)
        }
        #expect(allocator.bytesInUse == 0)
    }
}
