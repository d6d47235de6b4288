import Tensor
import Testing

@Suite struct AllocatorTests {
    private let megabyte = 1 << 20

    @Test func blocksAreUsedAgain() {
        let allocator = Allocator()
        let blocks = (0..<4).map { _ in allocator.allocate(byteCount: megabyte) }
        #expect(allocator.bytesInUse == 4 * megabyte)
        for block in blocks.prefix(2) { allocator.release(block.0, capacity: block.capacity) }
        let again = (0..<2).map { _ in allocator.allocate(byteCount: megabyte - 1_000) }
        #expect(Set(again.map(\.0)) == Set(blocks.prefix(2).map(\.0)))
        #expect(allocator.peakBytesInUse == 4 * megabyte)
        for block in again + blocks.suffix(2) { allocator.release(block.0, capacity: block.capacity) }
        #expect(allocator.bytesInUse == 0)
    }

    @Test func otherSizesAreNotMixedUp() {
        let allocator = Allocator()
        let blocks = (0..<4).map { _ in allocator.allocate(byteCount: megabyte) }
        for block in blocks.prefix(2) { allocator.release(block.0, capacity: block.capacity) }
        let larger = allocator.allocate(byteCount: megabyte + 1)
        #expect(!blocks.map(\.0).contains(larger.0))
        for block in blocks.suffix(2) + [larger] { allocator.release(block.0, capacity: block.capacity) }
    }

    @Test func aBlockThatIsALittleLargerServes() {
        let allocator = Allocator()
        let block = allocator.allocate(byteCount: 1_280 * 1024)
        allocator.release(block.0, capacity: block.capacity)
        // two classes of an eighth above, and no more
        let near = allocator.allocate(byteCount: megabyte)
        #expect(near.0 == block.0 && near.capacity == block.capacity)
        allocator.release(near.0, capacity: near.capacity)
        let far = allocator.allocate(byteCount: megabyte - 128 * 1024)
        #expect(far.0 != block.0)
        allocator.release(far.0, capacity: far.capacity)
        #expect(allocator.bytesInUse == 0)
    }

    @Test func usedAndKeptBlocksStayNearThePeak() {
        let allocator = Allocator()
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
        let allocator = Allocator()
        let large = allocator.allocate(byteCount: 8 * megabyte)
        allocator.release(large.0, capacity: large.capacity)
        let small = (0..<100).map { _ in allocator.allocate(byteCount: 1_000) }
        let again = allocator.allocate(byteCount: 8 * megabyte)
        #expect(again.0 == large.0)
        for block in small + [again] { allocator.release(block.0, capacity: block.capacity) }
    }

    @Test func blocksAreAlignedAndLargeEnough() {
        let allocator = Allocator()
        for byteCount in [0, 1, 63, 64, 65, 1_000, 16_383, 16_384, 16_385, 100_000, 1_000_000] {
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
