import Synchronization

/// The vectors of texts that were encoded before, so that measurements that have texts in common encode them once.
///
/// Texts are told apart by their bytes. When the vectors would take more than the capacity, all are forgotten.
final class VectorMemory: Sendable {
    private struct Contents {
        var precision = ""
        var vectors: [[UInt8]: [Float]] = [:]
        var bytes = 0
        var encoded = 0
    }

    private let capacity: Int
    private let contents = Mutex(Contents())

    /// A memory of so many bytes.
    init(capacity: Int) { self.capacity = capacity }

    /// How many texts have been encoded so far.
    var encoded: Int { contents.withLock { $0.encoded } }

    /// The vectors of texts. One call runs at a time: what it finds out is there for the next one.
    /// - Parameters:
    ///   - precision: what the encoder multiplies; with another one it begins anew.
    ///   - encode: the vectors of the different texts that are not known.
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
