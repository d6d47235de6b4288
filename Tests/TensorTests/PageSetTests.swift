import Tensor
import Testing

@Suite struct PageSetTests {
    @Test("a set of bits has the pages that a set of numbers has")
    func randomChanges() {
        var generator = Philox(seed: 2)
        var (set, judge) = (PageSet(), Set<Int>())
        func range() -> Range<Int> {
            let start = Int.random(in: 0..<700, using: &generator)
            return start..<start + Int.random(in: 0..<200, using: &generator)
        }
        for _ in 0..<500 {
            let (inserted, removed, counted) = (range(), range(), range())
            set.insert(inserted)
            judge.formUnion(inserted)
            set.remove(removed)
            judge.subtract(removed)
            #expect(set.count(in: counted) == judge.intersection(counted).count)
            // a part counts from its beginning
            let start = counted.lowerBound / PageSet.wordPages * PageSet.wordPages
            let part = set.part(start..<counted.upperBound)
            #expect(part.count(in: 0..<counted.upperBound - start) == judge.intersection(start..<counted.upperBound).count)
            #expect(part.count(in: counted.lowerBound - start..<counted.upperBound - start) == judge.intersection(counted).count)
        }
        #expect(!judge.isEmpty && judge.count < 900)
    }
}
