import Foundation

/// Which file holds the metadata of a model in GGUF: the only one of a folder, or the first of its parts.
enum GGUFPlace {
    /// The file that a path names; of the parts of a model, `name-00002-of-00003.gguf`, the first. `nil` if the path does not end as such
    /// files do, or is a folder's.
    static func file(at url: URL) -> URL? {
        guard isNamed(url.lastPathComponent) else { return nil }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue { return nil }
        guard let part = Part(url.lastPathComponent), part.number != 1 else { return url }
        return url.deletingLastPathComponent().appendingPathComponent(part.first)
    }

    /// The file of a folder; `nil` if it has none.
    ///
    /// - Throws: `TokenizerError.malformed` if there are several models, or the first part of one is missing.
    static func file(in folder: URL) throws -> URL? {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        // what turns pictures into tokens is a file of its own
        let names = all.filter { isNamed($0) && !$0.hasPrefix("mmproj") }.sorted()
        guard let first = names.first else { return nil }
        let models = Set(names.map { Part($0)?.first ?? $0 })
        guard let model = models.first, models.count == 1 else {
            throw TokenizerError.malformed(
                file: folder.path, line: nil,
                reason:
                    "it holds \(models.count) models in .gguf files (\(models.sorted().prefix(3).joined(separator: ", "))); name one of them"
            )
        }
        guard names.contains(model) else {
            throw TokenizerError.malformed(file: folder.path, line: nil, reason: "\(model) is missing, the first part of \(first)")
        }
        return folder.appendingPathComponent(model)
    }

    private static func isNamed(_ name: String) -> Bool { name.lowercased().hasSuffix(".gguf") }

    /// The name of one of several files of a model.
    private struct Part {
        let number: Int
        /// The name of the first one.
        let first: String

        init?(_ name: String) {
            guard let match = name.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})(\.[gG][gG][uU][fF])/), let number = Int(match.output.2)
            else { return nil }
            self.number = number
            first = "\(match.output.1)-00001-of-\(match.output.3)\(match.output.4)"
        }
    }
}
