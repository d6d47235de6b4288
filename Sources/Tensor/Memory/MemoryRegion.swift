/// A range of addresses that was requested from the system at once, and which of its pages are in memory.
///
/// Pages are numbered by address, so numbers of several regions differ.
struct MemoryRegion {
    /// The bytes of a page of the system.
    static let pageBytes = Kernels.pageSize
    /// The pages of a huge page of 2 MiB.
    static let hugePages = max(1, (2 << 20) / pageBytes)

    /// The pages of the region.
    private(set) var pages: Range<Int>
    /// Whether the region is mapped memory, whose addresses return to the system together with the pages. Other regions are reserved
    /// addresses, which are opened from the beginning on.
    let isMapped: Bool
    /// The first page that is not yet open.
    private(set) var opened: Int
    /// The pages for which huge pages are requested.
    private var huge: Range<Int>
    /// The page from which ``resident`` and ``freed`` count, at the first page or shortly before it.
    private var origin: Int
    private var resident = PageSet()
    /// When something in each huge page was last freed.
    private var freed: [Int] = []

    /// Reserves addresses, or maps memory, of a number of pages; nil if the system refuses.
    init?(count: Int, isMapped: Bool) {
        let bytes = count * Self.pageBytes
        guard let start = isMapped ? Kernels.map(byteCount: bytes) : Kernels.reserve(byteCount: bytes) else { return nil }
        let first = Int(bitPattern: start) / Self.pageBytes
        pages = first..<first + count
        self.isMapped = isMapped
        opened = isMapped ? pages.upperBound : first
        origin = Self.origin(of: first)
        // While little memory is in use, a whole huge page would be much more than what is needed. So reserved regions begin with
        // small pages, and small mappings have no others.
        let small = isMapped ? 0 : 2 * Self.hugePages
        huge = Self.whole(first + (count < 2 * Self.hugePages ? count : small)..<pages.upperBound)
        if !huge.isEmpty { Kernels.useHugePages(Self.address(huge.lowerBound), byteCount: huge.count * Self.pageBytes) }
    }

    /// The address of a page.
    static func address(_ page: Int) -> UnsafeMutableRawPointer {
        guard let address = UnsafeMutableRawPointer(bitPattern: page * pageBytes) else { preconditionFailure("page 0") }
        return address
    }

    /// The last page before a page, or this, at which a huge page and a word of a set begin.
    private static func origin(of page: Int) -> Int {
        let unit = max(hugePages, PageSet.wordPages)
        return page / unit * unit
    }

    /// The range in numbers from ``origin``.
    private func local(_ range: Range<Int>) -> Range<Int> { range.lowerBound - origin..<range.upperBound - origin }

    /// The number of pages of a range that are not in memory.
    func missing(_ range: Range<Int>) -> Int { range.count - resident.count(in: local(range)) }

    /// Makes sure that the pages before `end` can be written; false if the system refuses.
    mutating func open(to end: Int) -> Bool {
        guard end > opened else { return true }
        let end = min(pages.upperBound, (end + Self.hugePages - 1) / Self.hugePages * Self.hugePages)
        guard Kernels.open(Self.address(opened), byteCount: (end - opened) * Self.pageBytes) else { return false }
        opened = end
        return true
    }

    /// The range, extended by the huge pages that come into memory as a whole when the range is written.
    func touched(by range: Range<Int>) -> Range<Int> {
        func whole(_ page: Int) -> Range<Int>? {
            let start = page / Self.hugePages * Self.hugePages
            let whole = start..<start + Self.hugePages
            guard huge.contains(start), resident.count(in: local(whole)) == 0 else { return nil }
            return whole
        }
        let lower = whole(range.lowerBound)?.lowerBound ?? range.lowerBound
        return lower..<(whole(range.upperBound - 1)?.upperBound ?? range.upperBound)
    }

    /// Notes that pages are in memory.
    mutating func keep(_ range: Range<Int>) { resident.insert(local(range)) }

    /// Notes the time at which a block was freed.
    mutating func free(_ range: Range<Int>, at time: Int) {
        let last = (range.upperBound - 1 - origin) / Self.hugePages
        if last >= freed.count { freed += [Int](repeating: 0, count: last + 1 - freed.count) }
        for index in (range.lowerBound - origin) / Self.hugePages...last { freed[index] = time }
    }

    /// The time at which something in a page's huge page was last freed.
    func freed(_ page: Int) -> Int {
        let index = (page - origin) / Self.hugePages
        return index < freed.count ? freed[index] : 0
    }

    /// Returns free pages to the system; their addresses remain.
    mutating func giveBack(_ range: Range<Int>) {
        resident.remove(local(range))
        Kernels.discard(Self.address(range.lowerBound), byteCount: range.count * Self.pageBytes)
    }

    /// Returns some of the pages together with their addresses to the system. The result is what remains before and after them.
    func unmap(_ range: Range<Int>) -> [MemoryRegion] {
        Kernels.unmap(Self.address(range.lowerBound), byteCount: range.count * Self.pageBytes)
        return [pages.lowerBound..<range.lowerBound, range.upperBound..<pages.upperBound].filter { !$0.isEmpty }.map { rest in
            var region = self
            region.pages = rest
            region.opened = min(opened, rest.upperBound)
            region.huge = Self.whole(huge.clamped(to: rest))
            region.origin = Self.origin(of: rest.lowerBound)
            region.resident = resident.part(local(region.origin..<rest.upperBound))
            region.freed = Array(freed.dropFirst((region.origin - origin) / Self.hugePages))
            return region
        }
    }

    /// The huge pages that lie within a range.
    static func whole(_ range: Range<Int>) -> Range<Int> {
        let lower = (range.lowerBound + hugePages - 1) / hugePages * hugePages
        return lower..<max(lower, range.upperBound / hugePages * hugePages)
    }
}
