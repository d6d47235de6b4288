import Tensor
import Testing

@Suite struct AllocatorTests {
    private let megabyte = 1 << 20

    @Test func blocksAreUsedAgain() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        let blocks = (0..<4).map { _ in allocator.allocate(byteCount: megabyte) }
        #expect(allocator.bytesInUse == 4 * megabyte)
        for block in blocks.prefix(2) { allocator.release(block.0, capacity: block.capacity) }
        let again = (0..<2).map { _ in allocator.allocate(byteCount: megabyte - 1_000) }
        #expect(Set(again.map(\.0)) == Set(blocks.prefix(2).map(\.0)))
        #expect(allocator.peakBytesInUse == 4 * megabyte)
        for block in again + blocks.suffix(2) { allocator.release(block.0, capacity: block.capacity) }
        #expect(allocator.bytesInUse == 0)
    }

    @Test func neighboursJoin() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        let blocks = (0..<4).map { _ in allocator.allocate(byteCount: megabyte) }
        let requested = allocator.bytesRequested
        for block in blocks { allocator.release(block.0, capacity: block.capacity) }
        // other sizes in the same pages
        for count in [1, 2, 8] {
            let others = (0..<count).map { _ in allocator.allocate(byteCount: 4 * megabyte / count) }
            #expect(Set(others.map(\.0)).count == count && others[0].0 == blocks.map(\.0).min())
            for block in others { allocator.release(block.0, capacity: block.capacity) }
        }
        #expect(allocator.bytesRequested == requested && allocator.bytesInUse == 0)
    }

    @Test func theSmallestSufficientRangeServes() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        let sizes = [3, 1, 1, 1, 2, 1].map { $0 * megabyte }
        let blocks = sizes.map { allocator.allocate(byteCount: $0) }
        for index in [0, 2, 4] { allocator.release(blocks[index].0, capacity: blocks[index].capacity) }
        let block = allocator.allocate(byteCount: 2 * megabyte - 4096)
        #expect(block.0 == blocks[4].0)
        for block in [1, 3, 5].map({ blocks[$0] }) + [block] { allocator.release(block.0, capacity: block.capacity) }
    }

    @Test func whatWasFreedFirstReturnsToTheSystemAndNoMore() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        // the small blocks keep the others apart
        let blocks = [60, 1, 40, 1].map { allocator.allocate(byteCount: $0 * megabyte) }
        for index in [2, 0] { allocator.release(blocks[index].0, capacity: blocks[index].capacity) }
        let larger = allocator.allocate(byteCount: 62 * megabyte)
        let bound = Allocator.bound(peak: allocator.peakBytesInUse)
        let sum = allocator.bytesInUse + allocator.bytesKept
        #expect(sum <= bound && sum > bound - 4 * megabyte)
        let requested = allocator.bytesRequested
        let again = allocator.allocate(byteCount: 60 * megabyte)
        #expect(again.0 == blocks[0].0 && allocator.bytesRequested == requested)
        for block in [blocks[1], blocks[3], larger, again] { allocator.release(block.0, capacity: block.capacity) }
        #expect(allocator.bytesInUse == 0)
    }

    @Test func hugePagesCountAsAWhole() {
        let allocator = Allocator(reservedBytes: 64 * megabyte)
        let block = allocator.allocate(byteCount: 16 * megabyte + 1)
        // the block begins where the addresses begin
        #expect((Int(bitPattern: block.0) + allocator.bytesRequested) % (2 * megabyte) == 0)
        #expect(allocator.bytesInUse + allocator.bytesKept == allocator.bytesRequested)
        allocator.release(block.0, capacity: block.capacity)
        #expect(allocator.bytesKept == allocator.bytesRequested)
    }

    @Test func usedAndKeptBlocksStayNearThePeak() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        // passes of other sizes each time, from 1 to 12 MiB, of which none is ever asked for again
        for pass in 0..<40 {
            let blocks = (0..<3).map { allocator.allocate(byteCount: megabyte / 4 * (4 + (pass * 7 + $0 * 13) % 44)) }
            #expect(
                allocator.bytesInUse + allocator.bytesKept <= Allocator.bound(peak: allocator.peakBytesInUse))
            for block in blocks {
                block.0.storeBytes(of: UInt8(pass), toByteOffset: block.capacity - 1, as: UInt8.self)
                allocator.release(block.0, capacity: block.capacity)
            }
        }
        #expect(allocator.bytesInUse == 0 && allocator.bytesKept > 0)
    }

    @Test func smallRequestsDriveNothingOut() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        let large = allocator.allocate(byteCount: 8 * megabyte)
        allocator.release(large.0, capacity: large.capacity)
        let small = (0..<100).map { _ in allocator.allocate(byteCount: 1_000) }
        let again = allocator.allocate(byteCount: 8 * megabyte)
        #expect(again.0 == large.0)
        for block in small + [again] { allocator.release(block.0, capacity: block.capacity) }
    }

    @Test func blocksAreAlignedAndLargeEnough() {
        let allocator = Allocator(reservedBytes: 256 << 20)
        for byteCount in [0, 1, 63, 64, 65, 1_000, 32_767, 32_768, 32_769, 100_000, 1_000_000, 5_000_000] {
            let block = allocator.allocate(byteCount: byteCount)
            #expect(UInt(bitPattern: block.0) % 64 == 0)
            #expect(block.capacity >= byteCount)
            allocator.release(block.0, capacity: block.capacity)
        }
        #expect(allocator.bytesInUse == 0)
    }

    @Test func capacitiesWasteAtMostAnEighth() {
        var byteCount = 1
        while byteCount < 1 << 40 {
            for size in [byteCount - 1, byteCount, byteCount + 1] {
                let capacity = Allocator.capacity(for: size)
                #expect(capacity >= size && capacity % 64 == 0)
                if size >= 16 * 1024 { #expect(Double(capacity - size) <= Double(size) / 8) }
                #expect(size < 1 << 20 || capacity - size < 1 << 16)
                #expect(Allocator.capacity(for: capacity) == capacity)
            }
            byteCount = byteCount * 9 / 8 + 1
        }
    }

    @Test func storageGoesBackWhenItsLastTensorIsGone() {
        weak var storage: Storage?
        do {
            let tensor = Tensor.zeros([100])
            let copy = tensor.reshaped([10, 10])
            storage = copy.storage
            #expect(storage === tensor.storage)
        }
        #expect(storage == nil)
    }
}
