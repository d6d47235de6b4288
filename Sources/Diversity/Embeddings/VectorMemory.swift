import Synchronization

/// Caches the vectors of encoded texts, so that measurements that share texts encode them once.
///
/// Texts are distinguished by their bytes. The whole cache is cleared when it would exceed its capacity.
final class VectorMemory: Sendable {
    private struct Contents {
        var precision = ""
        var vectors: [[UInt8]: [Float]] = [:]
        var bytes = 0
        var encoded = 0
    }

    private let capacity: Int
    private let contents = Mutex(Contents())

    /// A cache with a capacity in bytes.
    init(capacity: Int) { self.capacity = capacity }

    /// The number of texts encoded so far.
    var encoded: Int { contents.withLock { $0.encoded } }

    /// The vectors of texts. Calls are serialised, so a concurrent call finds the vectors of the previous one in the cache.
    /// - Parameters:
    ///   - texts: the texts; the same text may appear several times.
    ///   - precision: the encoder's matmul precision; the cache is cleared when it changes.
    ///   - encode: the vectors of the distinct texts that are not cached.
    /// - Throws: what `encode` throws.
    func vectors(of texts: [String], under precision: String, encode: ([String]) throws -> [[Float]]) throws -> [[Float]?] {
        try contents.withLock { contents in
            if contents.precision != precision { contents = Contents(precision: precision, encoded: contents.encoded) }
            let keys = texts.map { Array($0.utf8) }
            var (seen, missing): (Set<[UInt8]>, [Int]) = ([], [])
            for (place, key) in keys.enumerated() where contents.vectors[key] == nil && seen.insert(key).inserted { missing.append(place) }
            let found = missing.isEmpty ? [] : try encode(missing.map { texts[$0] })
            precondition(found.count == missing.count, "\(found.count) vectors of \(missing.count) texts")
            contents.encoded += missing.count
            for (place, vector) in zip(missing, found) {
                contents.vectors[keys[place]] = vector
                contents.bytes += keys[place].count + vector.count * MemoryLayout<Float>.stride
            }
            let result = keys.map { contents.vectors[$0] }
            if contents.bytes > capacity { contents = Contents(precision: precision, encoded: contents.encoded) }
            return result
        }
    }
}
