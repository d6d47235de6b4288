import Data
import Diversity
import Eval
import Formats
import Foundation
import Runs

/// Diversities of embeddings of a study's tables, each measured once: what an earlier report of the study has measured is read from
/// `embeddings.json` in its folder. A diversity is found again only under the checksums
/// of its table and of the encoder's files, and for the same draws.
final class StudyEmbeddings {
    /// The file's name in the folder of a study.
    static let fileName = "embeddings.json"

    private let encoder: any TextEncoder
    private let file: URL
    /// What stands for the encoder's files; nil where they are not to be told, so that nothing is kept.
    private let models: String?
    private var known: [String: SystemMeasurement.Spread] = [:]
    /// How many tables were measured, and how many were found.
    private(set) var measured = 0, found = 0
    private var isSaved = true

    /// - Parameters:
    ///   - encoder: the encoder of a folder.
    ///   - models: that folder.
    init(_ encoder: any TextEncoder, of models: URL, study: URL) throws {
        self.encoder = RememberingEncoder(encoder)
        file = study.appendingPathComponent(Self.fileName)
        // a folder with links in it has no checksums
        self.models =
            (try? FolderChecksums(of: models.resolvingSymlinksInPath()))?.files.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.bytes) \($0.value.crc64)\n" }.joined().withChecksum
        // one that cannot be understood is made anew
        if self.models != nil, try FileStatus.of(file)?.kind == .file {
            let content = Foundation.Data(try Descriptor.content(of: file.path))
            known = (try? JSONDecoder().decode([String: SystemMeasurement.Spread].self, from: content)) ?? [:]
        }
    }

    /// The diversity of a table's rows.
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

    /// Writes what is known, where something is new.
    /// - Throws: `FileError`.
    func save() throws {
        guard !isSaved else { return }
        try AtomicFile.write(ResultJSON.text(of: known), to: file)
        isSaved = true
    }
}

extension String {
    /// What stands for the text.
    fileprivate var withChecksum: String { RunConfiguration.checksum(of: Array(utf8)) }
}

/// An encoder that remembers: systems of one study share many of their texts.
final class RememberingEncoder: TextEncoder, @unchecked Sendable {
    let name: String
    private let encoder: any TextEncoder
    private let limit: Int
    private let lock = NSLock()
    /// By the bytes of a text: texts that are equal to Swift may have other tokens.
    private var vectors: [[UInt8]: [Float]?] = [:]

    /// - Parameter limit: texts to remember at most; beyond that all are forgotten.
    init(_ encoder: any TextEncoder, limit: Int = 65_536) {
        (self.encoder, name, self.limit) = (encoder, encoder.name, limit)
    }

    func embeddings(of texts: [String]) throws -> [[Float]?] {
        try lock.withLock {
            let keys = texts.map { Array($0.utf8) }
            var seen: Set<[UInt8]> = []
            let new = texts.indices.filter { vectors.index(forKey: keys[$0]) == nil && seen.insert(keys[$0]).inserted }
            let found = new.isEmpty ? [] : try encoder.embeddings(of: new.map { texts[$0] })
            // what answers for other texts than were asked for is for the caller to refuse
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
