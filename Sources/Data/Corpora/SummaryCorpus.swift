public import Foundation

/// A summarisation set in its splits.
///
/// Split names: `train`, `validation`, `test` (in distribution), `ood_train`, `ood_validation`, `ood_test` (out of
/// distribution), `full_train`, `full_validation`, `full_test` (both). On disk: a folder with one JSON-lines file per
/// split and `corpus.json`, which holds name and prompt format.
public struct SummaryCorpus: Sendable, Equatable {
    public var name: String
    public var splits: [String: [SummaryExample]]
    /// How a post of this corpus becomes a prompt.
    public var format: PromptFormat

    public init(name: String, splits: [String: [SummaryExample]], format: PromptFormat = .tldr) {
        self.name = name
        self.splits = splits
        self.format = format
    }

    /// All names that a split may have, in the order of reports.
    public static let splitNames = [
        "train", "validation", "test", "ood_train", "ood_validation", "ood_test", "full_train", "full_validation",
        "full_test",
    ]

    /// The splits that there are, in the order of reports.
    public var availableSplits: [String] {
        Self.splitNames.filter { (try? examples(in: $0)) != nil }
    }

    /// The examples of one split. A `full_` split that is not stored is the in-distribution split followed by the
    /// out-of-distribution one.
    /// - Throws: `DataError.unknownSplit`; `DataError.emptySplit` if there is no example in it.
    public func examples(in split: String) throws -> [SummaryExample] {
        var examples = splits[split]
        if examples == nil, split.hasPrefix("full_") {
            let part = String(split.dropFirst("full_".count))
            if let inside = splits[part], let outside = splits["ood_" + part] { examples = inside + outside }
        }
        guard let examples else {
            throw DataError.unknownSplit(split, available: Self.splitNames.filter { splits[$0] != nil })
        }
        guard !examples.isEmpty else {
            throw DataError.emptySplit(split, reason: "the corpus \"\(name)\" has no example in it")
        }
        return examples
    }

    /// How many examples each stored split has, one split per line, for people.
    public var counts: String {
        Self.splitNames.compactMap { name in splits[name].map { "\(name): \($0.count)" } }.joined(separator: "\n")
    }

    /// Reads a folder that `write` made.
    ///
    /// - Throws: `DataError.unreadable`, `DataError.badRow` with file and line, `DataError.missingSplit` if there is no
    ///   file of any split.
    public static func load(_ folder: URL) throws -> SummaryCorpus {
        var splits: [String: [SummaryExample]] = [:]
        for split in splitNames {
            let file = folder.appendingPathComponent(split + ".jsonl")
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            splits[split] = try JSONLines<SummaryExample>(file).read()
        }
        guard !splits.isEmpty else {
            let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            throw DataError.missingSplit("train", folder: folder.path, found: found.sorted())
        }
        var about = About(name: folder.lastPathComponent, promptFormat: .tldr)
        let aboutFile = folder.appendingPathComponent(About.fileName)
        if FileManager.default.fileExists(atPath: aboutFile.path),
            let row = try JSONLines<About>(aboutFile).read(first: 1).first
        {
            about = row
        }
        return SummaryCorpus(name: about.name, splits: splits, format: about.promptFormat)
    }

    /// Writes the stored splits as a folder: complete or not at all. A corpus that is already there is replaced.
    /// - Throws: `DataError.unwritable`, also if `folder` holds something else than a corpus.
    public func write(to folder: URL) throws {
        try AtomicFolder.write(folder, replacingFoldersWith: About.fileName) { partial in
            for (split, examples) in splits {
                try JSONLines<SummaryExample>(partial.appendingPathComponent(split + ".jsonl")).write(examples)
            }
            try JSONLines<About>(partial.appendingPathComponent(About.fileName))
                .write([About(name: name, promptFormat: format)])
        }
    }

    private struct About: Codable {
        static let fileName = "corpus.json"
        var name: String
        var promptFormat: PromptFormat
    }
}
