/// A set of Unicode scalars, stored as ranges.
struct CharacterSet: Sendable, Hashable {
    /// The ranges in ascending order; they neither overlap nor touch.
    let ranges: [ClosedRange<UInt32>]

    static let last: UInt32 = 0x10FFFF
    /// Every scalar.
    static let all = CharacterSet([0...last])
    static let newline = CharacterSet([0x0A])

    /// The union of ranges in any order.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var merged: [ClosedRange<UInt32>] = []
        merged.reserveCapacity(ranges.count)
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let open = merged.last, range.lowerBound <= open.upperBound + 1 {
                merged[merged.count - 1] = open.lowerBound...max(open.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    /// A set of individual scalars.
    init(_ scalars: [UInt32]) {
        self.init(scalars.map { $0...$0 })
    }

    /// The scalars below `bound` that pass a test.
    init(below bound: UInt32, where test: (UInt32) -> Bool) {
        var ranges: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for value in 0...bound {
            if value < bound, test(value) {
                if start == nil { start = value }
            } else if let first = start {
                ranges.append(first...value - 1)
                start = nil
            }
        }
        self.init(ranges)
    }

    var isEmpty: Bool { ranges.isEmpty }

    /// The complement of this set.
    var inverted: CharacterSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= Self.last { gaps.append(next...Self.last) }
        return CharacterSet(gaps)
    }

    /// The scalars in either set.
    func union(_ other: CharacterSet) -> CharacterSet {
        CharacterSet(ranges + other.ranges)
    }

    /// The scalars in both sets.
    func intersection(_ other: CharacterSet) -> CharacterSet {
        var result: [ClosedRange<UInt32>] = []
        var (left, right) = (0, 0)
        while left < ranges.count, right < other.ranges.count {
            let first = max(ranges[left].lowerBound, other.ranges[right].lowerBound)
            let last = min(ranges[left].upperBound, other.ranges[right].upperBound)
            if first <= last { result.append(first...last) }
            if ranges[left].upperBound < other.ranges[right].upperBound { left += 1 } else { right += 1 }
        }
        return CharacterSet(result)
    }

    /// The scalars of this set that are not in the other.
    func subtracting(_ other: CharacterSet) -> CharacterSet {
        intersection(other.inverted)
    }

    /// Whether the set contains a scalar.
    func contains(_ value: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }
}

/// The partition of all scalars by the sets of an expression: scalars of the same class are in the same sets.
struct CharacterClasses: Sendable {
    /// The number of classes.
    let count: Int
    /// Whether each class is in each set.
    private let members: [Bool]
    private let basicPlane: [UInt8]
    /// The positions above the basic plane where the class changes, with the class that starts there.
    private let changes: [(start: UInt32, value: UInt8)]

    /// Computes the classes of sets.
    /// - Returns: nil if there are more than 255 classes.
    init?(_ sets: [CharacterSet]) {
        var events: [(at: UInt32, set: Int)] = []
        for (index, set) in sets.enumerated() {
            for range in set.ranges {
                events.append((range.lowerBound, index))
                events.append((range.upperBound + 1, index))
            }
        }
        events.sort { $0.at < $1.at }
        var basicPlane = [UInt8](repeating: 0, count: 0x10000)
        var changes: [(start: UInt32, value: UInt8)] = []
        var known: [[UInt64]: UInt8] = [:]
        var signatures: [[UInt64]] = []
        var signature = [UInt64](repeating: 0, count: (sets.count + 63) / 64)
        var start: UInt32 = 0
        var next = 0
        while start <= CharacterSet.last {
            while next < events.count, events[next].at == start {
                signature[events[next].set / 64] ^= 1 << UInt64(events[next].set % 64)
                next += 1
            }
            let end = next < events.count ? events[next].at : CharacterSet.last + 1
            let value: UInt8
            if let present = known[signature] {
                value = present
            } else {
                guard signatures.count < 255 else { return nil }
                value = UInt8(signatures.count)
                known[signature] = value
                signatures.append(signature)
            }
            for scalar in min(start, 0x10000)..<min(end, 0x10000) { basicPlane[Int(scalar)] = value }
            if end > 0x10000 { changes.append((start, value)) }
            start = end
        }
        var members: [Bool] = []
        for signature in signatures {
            for set in sets.indices { members.append(signature[set / 64] >> UInt64(set % 64) & 1 != 0) }
        }
        (self.members, self.basicPlane, self.changes) = (members, basicPlane, changes)
        count = signatures.count
        setCount = sets.count
    }

    private let setCount: Int

    /// Whether a class is in a set.
    @inline(__always)
    func contains(_ value: Int, set: Int) -> Bool { members[value * setCount + set] }

    /// The class of a scalar.
    @inline(__always)
    func of(_ scalar: UInt32) -> Int {
        scalar < 0x10000 ? Int(basicPlane[Int(scalar)]) : supplementary(scalar)
    }

    /// The class of a scalar above the basic plane.
    private func supplementary(_ scalar: UInt32) -> Int {
        var (low, high) = (0, changes.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if changes[middle].start <= scalar { low = middle } else { high = middle }
        }
        return Int(changes[low].value)
    }
}
