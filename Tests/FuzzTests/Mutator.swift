import _TestSupport

/// Damages files. The seed decides everything, so that an input can be made again.
struct Mutator: RandomNumberGenerator {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    mutating func next() -> UInt64 { random.next() }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }

    /// A damaged copy of one of the files, with pieces of the others; at most `limit` bytes long.
    ///
    /// Half of the copies keep their length, so that offsets into them stay right and the damage gets past the first check.
    /// - Parameters:
    ///   - sound: how many of the files, from the first, are as they should be; most copies are of those.
    ///   - words: what the format is made of.
    mutating func damaged(_ files: [[UInt8]], sound: Int, words: [[UInt8]], limit: Int) -> [UInt8] {
        var bytes = files[below(below(3) == 0 ? files.count : sound)]
        let other = files[below(files.count)]
        let keepsLength = below(2) == 0
        for _ in 0...below(2) * below(4) where !bytes.isEmpty {
            if keepsLength || below(3) == 0 {
                overwrite(&bytes, words: words)
            } else {
                rearrange(&bytes, other, words: words)
            }
        }
        return Array(bytes.prefix(limit))
    }

    // MARK: Damage that keeps the length

    private mutating func overwrite(_ bytes: inout [UInt8], words: [[UInt8]]) {
        let place = below(bytes.count)
        switch below(6) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8(truncatingIfNeeded: next())
        case 2: put(number(width: 1 << below(4), near: bytes.count), into: &bytes, at: place)
        case 3:
            // the digits of a number in a text
            guard let start = bytes[place...].firstIndex(where: Self.isDigit) else { return }
            let end = bytes[start...].firstIndex { !Self.isDigit($0) } ?? bytes.count
            for index in start..<end { bytes[index] = 0x30 + (below(2) == 0 ? 9 : UInt8(below(10))) }
        case 4:
            if !words.isEmpty { put(words[below(words.count)], into: &bytes, at: place) }
        default:
            let length = min(1 + below(16), bytes.count - place)
            let from = below(bytes.count - length + 1)
            for offset in 0..<length { bytes.swapAt(place + offset, from + offset) }
        }
    }

    private func put(_ piece: [UInt8], into bytes: inout [UInt8], at place: Int) {
        for (offset, byte) in piece.enumerated() where place + offset < bytes.count { bytes[place + offset] = byte }
    }

    /// A length, a count or an offset that is wrong, little-endian.
    private mutating func number(width: Int, near size: Int) -> [UInt8] {
        let all: [Int] = [
            0, 1, 2, -1, -2, .max, .min, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF, 0xFFFF, 1 << 40, size, size - 1,
            size + 1,
            below(size * 2),
        ]
        let value = all[below(all.count)]
        return (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    // MARK: Damage that does not

    private mutating func rearrange(_ bytes: inout [UInt8], _ other: [UInt8], words: [[UInt8]]) {
        let place = below(bytes.count)
        let end = min(bytes.count, place + 1 + below(48))
        switch below(7) {
        case 0: bytes.removeSubrange(place..<end)
        case 1: bytes.insert(contentsOf: bytes[place..<end], at: below(bytes.count))
        case 2: bytes.removeSubrange(place...)
        case 3:
            // the start of one file and the end of another
            bytes.replaceSubrange(place..., with: other[below(other.count)...])
        case 4:
            let from = below(other.count)
            bytes.insert(contentsOf: other[from..<min(other.count, from + 1 + below(64))], at: place)
        case 5:
            if !words.isEmpty { bytes.insert(contentsOf: words[below(words.count)], at: place) }
        default:
            // the same again and again: depth, or length
            let piece = Array(bytes[place..<min(end, place + 4)])
            bytes.insert(contentsOf: (0..<1 << below(12)).flatMap { _ in piece }, at: place)
        }
    }
}
