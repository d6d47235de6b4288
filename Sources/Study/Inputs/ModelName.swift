import Formats
import Foundation
import Runs

/// Resolves the path of a model in a setting.
enum ModelName {
    /// The model folder that a path refers to.
    /// - Throws: the errors of `RunFolder.model(at:expecting:)`; `FormatError.unreadable` for a missing path that looks like a
    ///   model hub name or a run ID.
    static func folder(_ name: String, expecting stages: [RunStage]) throws -> URL {
        do {
            return try RunFolder.model(at: URL(fileURLWithPath: name, isDirectory: true), expecting: stages)
        } catch FileError.missing(let path) {
            guard let hint = try hint(name) else { throw FileError.missing(path: path) }
            throw FormatError.unreadable(path: path, reason: "it does not exist; \(hint)")
        }
    }

    private static func hint(_ name: String) throws -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in part.first.map { $0.isLetter || $0.isNumber } ?? false }
        if parts.count == 1, isPlain, try FileStatus.of(URL(fileURLWithPath: "runs/\(name)", isDirectory: true)) != nil {
            return "give the path of the model: runs/\(name)"
        }
        // an organisation and a model name, and no local folder of the organisation's name
        guard parts.count == 2, isPlain, try FileStatus.of(URL(fileURLWithPath: String(parts[0]), isDirectory: true)) == nil else {
            return nil
        }
        return "if this is a model on a hub, download it and give the path of its folder"
    }
}
