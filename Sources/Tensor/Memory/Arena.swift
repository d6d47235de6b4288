/// Pages of memory for blocks of any size.
///
/// Addresses are reserved in large regions, and blocks are ranges of whole pages in them. A freed block joins its free neighbours.
/// A request takes the smallest sufficient free range that is in memory (best fit). If there is none, it takes the range of which
/// the fewest pages must come new from the system. So ragged sizes share the same pages, and a step that is repeated needs no new
/// ones.
///
/// Not thread-safe.
struct Arena {
    private var regions: [MemoryRegion] = []
    private var free = FreeRanges()
    private var time = 0
    /// The pages of addresses to reserve at once; 0 maps memory for each request that finds no room.
    private let reserved: Int

    /// Creates an arena.
    /// - Parameter reservedBytes: the addresses to reserve at once; 0 maps memory for each request that finds no room.
    init(reservedBytes: Int) { reserved = reservedBytes / MemoryRegion.pageBytes }

    /// The number of free pages that are in memory.
    var keptPages: Int { free.residentPages }
    /// The number of pages that came from the system since the beginning.
    private(set) var newPages = 0

    /// The first page of a block of `count` pages; nil if the system has no more memory.
    mutating func take(_ count: Int) -> Int? {
        guard let start = find(count) ?? (addRegion(count) ? find(count) : nil) else { return nil }
        let block = start..<start + count
        let region = self.region(of: start)
        guard regions[region].open(to: block.upperBound) else { return nil }
        let index = free.index(from: start + 1) - 1
        let range = free.remove(at: index)
        // the rest of a huge page comes into memory together with the block
        let touched = regions[region].touched(by: block)
        let new = regions[region].missing(touched)
        regions[region].keep(touched)
        newPages += new
        let before = range.pages.lowerBound..<block.lowerBound
        let missing = before.isEmpty ? 0 : regions[region].missing(before)
        free.insert(FreeRanges.Element(pages: before, missing: missing))
        free.insert(FreeRanges.Element(pages: block.upperBound..<range.pages.upperBound, missing: range.missing - new - missing))
        return start
    }

    /// Takes back a block.
    mutating func put(_ block: Range<Int>) {
        time += 1
        let region = self.region(of: block.lowerBound)
        regions[region].free(block, at: time)
        var range = FreeRanges.Element(pages: block, missing: 0)
        let limits = regions[region].pages
        var index = free.index(from: block.lowerBound)
        if index < free.elements.count, free.elements[index].pages.lowerBound == block.upperBound, block.upperBound < limits.upperBound {
            let next = free.remove(at: index)
            range = FreeRanges.Element(pages: block.lowerBound..<next.pages.upperBound, missing: next.missing)
        }
        index -= 1
        if index >= 0, free.elements[index].pages.upperBound == block.lowerBound, block.lowerBound > limits.lowerBound {
            let previous = free.remove(at: index)
            range = FreeRanges.Element(
                pages: previous.pages.lowerBound..<range.pages.upperBound, missing: previous.missing + range.missing)
        }
        free.insert(range)
    }

    /// The index of the region that holds a page.
    private func region(of page: Int) -> Int { regions.partitioningIndex { $0.pages.lowerBound > page } - 1 }

    /// The first page for a block: in the smallest range that is in memory, or where the fewest pages are new.
    private func find(_ count: Int) -> Int? {
        if let range = free.smallestResident(count) { return range.pages.lowerBound }
        var (best, fewest) = (Int?.none, Int.max)
        free.forPartial(count) { range in
            let pages = range.pages
            let starts = range.missing == pages.count ? [pages.lowerBound] : [pages.lowerBound, pages.upperBound - count]
            for start in starts {
                let new = starts.count == 1 ? count : regions[region(of: start)].missing(start..<start + count)
                if new < fewest { (best, fewest) = (start, new) }
            }
            return fewest > 0
        }
        return best
    }

    /// Adds a region with room for `count` pages; false if the system refuses.
    private mutating func addRegion(_ count: Int) -> Bool {
        var region: MemoryRegion?
        if reserved > 0 { region = MemoryRegion(count: max(reserved, count), isMapped: false) }
        if region == nil {
            // blocks share mappings, so that what is free can join
            let mapped = regions.reduce(0) { $0 + ($1.isMapped ? $1.pages.count : 0) }
            let shared = max(count, mapped / 4, (1 << 20) / MemoryRegion.pageBytes)
            region = MemoryRegion(count: shared, isMapped: true) ?? MemoryRegion(count: count, isMapped: true)
        }
        guard let region else { return false }
        regions.insert(region, at: regions.partitioningIndex { $0.pages.lowerBound > region.pages.lowerBound })
        free.insert(FreeRanges.Element(pages: region.pages, missing: region.pages.count))
        return true
    }
}

extension Arena {
    /// Returns at least `count` free pages to the system, if so many are in memory: first mappings that are free as a whole and huge
    /// pages that are free as a whole, those that were freed first before others; then parts of huge pages.
    mutating func giveBack(_ count: Int) {
        let goal = max(0, free.residentPages - count)
        unmapFreeRegions(until: goal)
        if free.residentPages > goal { giveBackHugePages(until: goal) }
        if free.residentPages > goal { giveBackRanges(until: goal) }
    }

    /// Returns all free pages to the system, together with their addresses if these are not reserved.
    /// - Parameter unreserves: whether reserved regions without a block return to the system, too.
    mutating func giveBackAll(unreserves: Bool = false) {
        for range in free.elements {
            let region = regions[region(of: range.pages.lowerBound)]
            if region.isMapped || unreserves && region.pages == range.pages { unmap(range.pages) }
        }
        giveBackRanges(until: 0)
    }

    private mutating func unmapFreeRegions(until goal: Int) {
        var candidates: [(time: Int, pages: Range<Int>)] = []
        for range in free.elements {
            let region = regions[region(of: range.pages.lowerBound)]
            guard region.isMapped, region.pages == range.pages else { continue }
            candidates.append((region.freed(range.pages.lowerBound), range.pages))
        }
        for candidate in candidates.sorted(by: { $0.time < $1.time }) where free.residentPages > goal { unmap(candidate.pages) }
    }

    /// Returns a free range together with its addresses to the system.
    private mutating func unmap(_ pages: Range<Int>) {
        _ = free.remove(at: free.index(from: pages.lowerBound))
        let index = region(of: pages.lowerBound)
        regions.replaceSubrange(index...index, with: regions[index].unmap(pages))
    }

    private mutating func giveBackHugePages(until goal: Int) {
        let huge = MemoryRegion.hugePages
        var candidates: [(time: Int, start: Int)] = []
        for range in free.elements where range.missing < range.pages.count {
            let region = regions[region(of: range.pages.lowerBound)]
            let end = min(range.pages.upperBound, region.opened)
            for start in stride(from: MemoryRegion.whole(range.pages).lowerBound, through: end - huge, by: huge)
            where region.missing(start..<start + huge) < huge {
                candidates.append((region.freed(start), start))
            }
        }
        candidates.sort { ($0.time, $0.start) < ($1.time, $1.start) }
        var kept = free.residentPages
        var chosen: [Int] = []
        for candidate in candidates where kept > goal {
            let pages = candidate.start..<candidate.start + huge
            kept -= huge - regions[region(of: candidate.start)].missing(pages)
            chosen.append(candidate.start)
        }
        chosen.sort()
        var first = 0
        while first < chosen.count {
            // neighbours in one call
            var last = first
            let range = free.elements[free.index(from: chosen[first] + 1) - 1].pages
            while last + 1 < chosen.count, chosen[last + 1] == chosen[last] + huge, chosen[last + 1] < range.upperBound { last += 1 }
            giveBack(chosen[first]..<chosen[last] + huge)
            first = last + 1
        }
    }

    private mutating func giveBackRanges(until goal: Int) {
        let ranges = free.elements.filter { $0.missing < $0.pages.count }.sorted { $0.pages.count > $1.pages.count }
        for range in ranges {
            guard free.residentPages > goal else { return }
            let end = min(range.pages.upperBound, regions[region(of: range.pages.lowerBound)].opened)
            giveBack(range.pages.lowerBound..<end)
        }
    }

    /// Returns pages of one free range to the system.
    private mutating func giveBack(_ pages: Range<Int>) {
        let region = region(of: pages.lowerBound)
        var range = free.remove(at: free.index(from: pages.lowerBound + 1) - 1)
        range.missing += pages.count - regions[region].missing(pages)
        regions[region].giveBack(pages)
        free.insert(range)
    }
}
