import Data
import Diversity
import Eval
import Formats
import Foundation
import Runs

/// Embedding diversities of a study's tables, cached in `embeddings.json` in its folder for later reports. A cached value is
/// used only if the checksums of its table and of the encoder's files, the seed and the program's version are unchanged.
final class StudyEmbeddings {
    /// The cache's file name in the folder of a study.
    static let fileName = "embeddings.json"

    private let encoder: any TextEncoder
    private let file: URL
    /// The checksum of the encoder's files; nil if they cannot be identified, and nothing is cached.
    private let models: String?
    private var known: [String: SystemMeasurement.Spread] = [:]
    /// The number of tables measured, and of tables found in the cache.
    private(set) var measured = 0, found = 0
    private var isSaved = true

    /// Reads the cache of a study.
    /// - Parameters:
    ///   - encoder: the sentence encoder.
    ///   - models: the folder of the encoder.
    ///   - study: the folder of the study.
    /// - Throws: `FileError`.
    init(_ encoder: any TextEncoder, of models: URL, study: URL) throws {
        self.encoder = RememberingEncoder(encoder)
        file = study.appendingPathComponent(Self.fileName)
        // a folder that contains links has no checksums
        self.models =
            (try? FolderChecksums(of: models.resolvingSymlinksInPath()))?.files.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.bytes) \($0.value.crc64)\n" }.joined().withChecksum
        // a cache that cannot be decoded is replaced
        if self.models != nil, try FileStatus.of(file)?.kind == .file {
            let content = Foundation.Data(try Descriptor.content(of: file.path))
            known = (try? JSONDecoder().decode([String: SystemMeasurement.Spread].self, from: content)) ?? [:]
        }
    }

    /// The embedding diversity of a table's rows, from the cache or measured.
    func spread(of rows: [SampleRow], in table: URL, seed: UInt64) throws -> SystemMeasurement.Spread {
        guard let models else {
            return try SystemMeasurement.embeddingSpread(of: rows, by: encoder, seed: seed)
        }
        let text = RunConfiguration.checksum(of: try Descriptor.content(of: table.path))
        let key = "\(text) \(models) \(seed) \(SystemMeasurement.embeddedOutputs) \(PackageVersion.current)"
        if let spread = known[key] {
            found += 1
            return spread
        }
        let spread = try SystemMeasurement.embeddingSpread(of: rows, by: encoder, seed: seed)
        known[key] = spread
        (measured, isSaved) = (measured + 1, false)
        return spread
    }

    /// Writes the cache if it has new values.
    /// - Throws: `FileError`.
    func save() throws {
        guard !isSaved else { return }
        try AtomicFile.write(ResultJSON.text(of: known), to: file)
        isSaved = true
    }
}

extension String {
    /// The checksum of the text.
    fileprivate var withChecksum: String { RunConfiguration.checksum(of: Array(utf8)) }
}

/// An encoder that caches embeddings, since systems of one study share many texts.
final class RememberingEncoder: TextEncoder, @unchecked Sendable {
    let name: String
    private let encoder: any TextEncoder
    private let limit: Int
    private let lock = NSLock()
    /// Embeddings by the bytes of a text: strings that compare equal in Swift may have different tokens.
    private var vectors: [[UInt8]: [Float]?] = [:]

    /// Wraps an encoder.
    /// - Parameter limit: the maximum number of cached texts. The cache is emptied when it would exceed this.
    init(_ encoder: any TextEncoder, limit: Int = 65_536) {
        (self.encoder, name, self.limit) = (encoder, encoder.name, limit)
    }

    func embeddings(of texts: [String]) throws -> [[Float]?] {
        try lock.withLock {
            let keys = texts.map { Array($0.utf8) }
            var seen: Set<[UInt8]> = []
            let new = texts.indices.filter { vectors.index(forKey: keys[$0]) == nil && seen.insert(keys[$0]).inserted }
            let found = new.isEmpty ? [] : try encoder.embeddings(of: new.map { texts[$0] })
            // the caller handles a result with the wrong number of embeddings
            guard found.count == new.count else { return found }
            if vectors.count + new.count > limit {
                let kept = vectors
                vectors = [:]
                let added = Dictionary(zip(new.map { keys[$0] }, found)) { first, _ in first }
                return keys.map { (added[$0] ?? kept[$0]) ?? nil }
            }
            for (place, vector) in zip(new, found) { vectors[keys[place]] = .some(vector) }
            return keys.map { vectors[$0] ?? nil }
        }
    }
}
