import Foundation

/// Finds the GGUF file that holds a model's metadata: the only one in a folder, or the first of its parts.
enum GGUFPlace {
    /// The file at a path. For a part of a model, `name-00002-of-00003.gguf`, the first part. `nil` if the name does
    /// not end in `.gguf`, or the path is a folder.
    static func file(at url: URL) -> URL? {
        guard isNamed(url.lastPathComponent) else { return nil }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue { return nil }
        guard let part = Part(url.lastPathComponent), part.number != 1 else { return url }
        return url.deletingLastPathComponent().appendingPathComponent(part.first)
    }

    /// The GGUF file in a folder; `nil` if there is none.
    ///
    /// - Throws: `TokenizerError.malformed` if there are several models, or the first part of a model is missing.
    static func file(in folder: URL) throws -> URL? {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        // image projectors are in separate files
        let names = all.filter { isNamed($0) && !$0.hasPrefix("mmproj") }.sorted()
        guard let first = names.first else { return nil }
        let models = Set(names.map { Part($0)?.first ?? $0 })
        guard let model = models.first, models.count == 1 else {
            throw TokenizerError.malformed(
                file: folder.path, line: nil,
                reason:
                    "it has \(models.count) models in GGUF files (\(models.sorted().prefix(3).joined(separator: ", "))); pass one of them"
            )
        }
        guard names.contains(model) else {
            throw TokenizerError.malformed(file: folder.path, line: nil, reason: "\(model) is missing, the first part of \(first)")
        }
        return folder.appendingPathComponent(model)
    }

    private static func isNamed(_ name: String) -> Bool { name.lowercased().hasSuffix(".gguf") }

    /// The name of one part of a model in several files.
    private struct Part {
        let number: Int
        /// The name of the first part.
        let first: String

        init?(_ name: String) {
            guard let match = name.wholeMatch(of: /(.+)-([0-9]{5})-of-([0-9]{5})(\.[gG][gG][uU][fF])/), let number = Int(match.output.2)
            else { return nil }
            self.number = number
            first = "\(match.output.1)-00001-of-\(match.output.3)\(match.output.4)"
        }
    }
}
