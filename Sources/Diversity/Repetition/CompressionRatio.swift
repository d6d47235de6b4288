public import Eval

/// Compression ratio (Shaib et al., 2024): the bytes of all texts divided by the bytes of their compressed form. Repetitive
/// text compresses better, so a higher ratio means less diversity.
///
/// The compressed size is that of a fixed Lempel–Ziv (1977) code defined here, not of `gzip`. The value thus does not depend on
/// a library or its version, and there is no window or header:
///
/// 1. The texts are sorted by their UTF-8 bytes and joined with a newline, so their order does not matter.
/// 2. From left to right, at position p, the longest earlier match of the following bytes is searched among the 256 latest
///    positions that share the next four bytes. The match may overlap p; of equally long matches, the nearest counts.
/// 3. A copy of `length` bytes costs `1 + (2⌊log₂ length⌋ + 1) + (⌊log₂ p⌋ + 1)` bits: flag, Elias gamma code of the length,
///    and distance. A single byte costs 9 bits. A copy is used if it is cheaper than coding its bytes individually.
/// 4. The size is the number of bits divided by 8.
///
/// The ratio is close to 1 for text without repetition (8/9 for random bytes) and grows without bound for copies.
public enum CompressionRatio {
    /// The ratio for `texts`; nil for fewer than two texts, or if all are empty. Lower is more diverse.
    public static func value(of texts: [String]) -> Double? {
        guard texts.count > 1 else { return nil }
        let sorted = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        let bytes = Array(sorted.joined(separator: [0x0A]))
        guard sorted.contains(where: { !$0.isEmpty }) else { return nil }
        return Double(bytes.count) * 8 / Double(compressedBits(bytes))
    }

    /// The size of the code of `bytes` in bits.
    package static func compressedBits(_ bytes: [UInt8]) -> Int {
        let maximumCandidates = 256
        var latest: [UInt32: Int] = [:]
        var previous = [Int](repeating: -1, count: bytes.count)
        return bytes.withUnsafeBufferPointer { bytes in
            func key(_ p: Int) -> UInt32 {
                UInt32(bytes[p]) | UInt32(bytes[p + 1]) << 8 | UInt32(bytes[p + 2]) << 16 | UInt32(bytes[p + 3]) << 24
            }
            func enter(_ p: Int) {
                guard p + 4 <= bytes.count else { return }
                let key = key(p)
                previous[p] = latest[key] ?? -1
                latest[key] = p
            }
            var bits = 0
            var p = 0
            while p < bytes.count {
                var length = 0
                if p + 4 <= bytes.count {
                    var candidate = latest[key(p)] ?? -1
                    var tried = 0
                    while candidate >= 0, tried < maximumCandidates, p + length < bytes.count {
                        if bytes[candidate + length] == bytes[p + length] {
                            var same = 0
                            while p + same < bytes.count, bytes[candidate + same] == bytes[p + same] { same += 1 }
                            length = max(length, same)
                        }
                        candidate = previous[candidate]
                        tried += 1
                    }
                }
                let cost = length > 0 ? 1 + (2 * log2Floor(length) + 1) + (log2Floor(p) + 1) : Int.max
                let step = cost < 9 * length ? length : 1
                bits += step == 1 ? 9 : cost
                for q in p..<(p + step) { enter(q) }
                p += step
            }
            return bits
        }
    }

    /// ⌊log₂ value⌋ for value ≥ 1.
    private static func log2Floor(_ value: Int) -> Int {
        Int.bitWidth - 1 - value.leadingZeroBitCount
    }
}

/// The compression ratio as a metric, `compression_ratio`.
public struct CompressionRatioMetric: DiversityMetric {
    public let name = "compression_ratio"
    public var higherIsMoreDiverse: Bool { false }
    public func range(ofTexts count: Int) -> MetricRange { MetricRange(least: 8.0 / 9) }

    /// Creates the metric.
    public init() {}

    public func value(of set: [Int], in collection: TextCollection) -> Double? {
        CompressionRatio.value(of: set.map { collection.texts[$0] })
    }
}
