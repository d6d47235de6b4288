/// The free ranges of an arena, in order of address and of size. Neighbours are joined by the arena.
///
/// Both orders are sorted arrays: a range is found in logarithmic time, and adding or removing one moves the rest of an array,
/// which is fast for the thousands of ranges that occur.
struct FreeRanges {
    /// Consecutive free pages.
    struct Element {
        /// The first page, and the page after the last.
        var pages: Range<Int>
        /// The number of pages that are not in memory.
        var missing: Int
    }

    /// A range by size.
    private struct Size {
        var count: Int
        var start: Int

        static func < (a: Size, b: Size) -> Bool { a.count != b.count ? a.count < b.count : a.start < b.start }
    }

    /// All ranges, in order of address.
    private(set) var elements: [Element] = []
    /// The ranges that are in memory as a whole, and the others.
    private var resident: [Size] = []
    private var partial: [Size] = []
    /// The number of free pages that are in memory.
    private(set) var residentPages = 0

    /// The index of the first range that begins at a page or after it.
    func index(from page: Int) -> Int { elements.partitioningIndex { $0.pages.lowerBound >= page } }

    /// The smallest range of at least `count` pages that is in memory as a whole; of equal ones, the first in memory.
    func smallestResident(_ count: Int) -> Element? {
        let index = resident.partitioningIndex { $0.count >= count }
        return index < resident.count ? elements[self.index(from: resident[index].start)] : nil
    }

    /// Calls `body` with the ranges of at least `count` pages that are not in memory as a whole, in order of size, until it returns
    /// false.
    func forPartial(_ count: Int, _ body: (Element) -> Bool) {
        for size in partial[partial.partitioningIndex { $0.count >= count }...] {
            guard body(elements[index(from: size.start)]) else { return }
        }
    }

    /// Adds a range that touches no other.
    mutating func insert(_ element: Element) {
        guard !element.pages.isEmpty else { return }
        let size = Size(count: element.pages.count, start: element.pages.lowerBound)
        elements.insert(element, at: index(from: size.start))
        if element.missing == 0 {
            resident.insert(size, at: resident.partitioningIndex { !($0 < size) })
        } else {
            partial.insert(size, at: partial.partitioningIndex { !($0 < size) })
        }
        residentPages += size.count - element.missing
    }

    /// Removes and returns the range at an index of ``elements``.
    mutating func remove(at index: Int) -> Element {
        let element = elements.remove(at: index)
        let size = Size(count: element.pages.count, start: element.pages.lowerBound)
        if element.missing == 0 {
            resident.remove(at: resident.partitioningIndex { !($0 < size) })
        } else {
            partial.remove(at: partial.partitioningIndex { !($0 < size) })
        }
        residentPages -= size.count - element.missing
        return element
    }
}

extension Array {
    /// The index of the first element for which a condition holds that holds for all elements after it.
    func partitioningIndex(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
