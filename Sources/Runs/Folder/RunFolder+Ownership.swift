internal import Formats
package import Foundation

extension RunFolder {
    /// The name of the folder of a reward model with a normalised head.
    package static let normalisedName = "final-normalised"
    /// The name of the folder of the model of the best evaluation.
    package static let bestName = "best"

    private static let profileName = "profile.json"
    private static let ownFiles = [RunLock.fileName, RunConfiguration.fileName, MetricsFile.fileName, "timing.json", profileName]
    private static let ownFolders = [Checkpoints.folderName, Tables.folderName, "final", "comparisons", normalisedName, bestName]

    /// Writes the profile of a session to `profile.json`. Nothing is written if the run left no folder.
    /// - Throws: `FileError`; `ResultError.notFinite`.
    package static func writeProfile(_ profile: some Encodable, inRun url: URL) throws {
        guard try FileStatus.of(url.appendingPathComponent(RunConfiguration.fileName)) != nil else { return }
        try AtomicFile.write(ResultJSON.text(of: profile), to: url.appendingPathComponent(profileName))
    }

    /// Checks that a folder is a run folder or may become one, so that nothing foreign is ever overwritten or deleted, and
    /// nothing outside the folder is modified. The folder itself may be a symbolic link; nothing in it may be one.
    /// - Throws: `RunFolderError.foreignFolder` or `.foreignPart`; `FileError`.
    static func checkIsOwn(_ url: URL) throws {
        guard let status = try FileStatus.of(url), status.kind == .folder else { return }
        let names = try Folder.names(in: url.path)
        if !names.contains(RunConfiguration.fileName) {
            // a run that was killed before config.json was complete leaves only its lock and a temporary file
            for name in names where try !isBeginning(name, in: url) {
                throw RunFolderError.foreignFolder(path: url.path, holds: name)
            }
        }
        for name in ownFiles { try check(url.appendingPathComponent(name).path, is: .file, "a file") }
        for name in ownFolders { try check(url.appendingPathComponent(name).path, is: .folder, "a folder") }
        let tables = url.appendingPathComponent(Tables.folderName).path
        for name in try Folder.namesIfPresent(in: tables) ?? [] where name.hasSuffix(".jsonl") {
            try check(tables + "/" + name, is: .file, "a file")
        }
        for checkpoint in try Checkpoints.list(inRun: url) { try check(checkpoint.url.path, is: .folder, "a folder") }
    }

    /// Whether an entry of a folder without a configuration is a remnant of a run that was killed while starting.
    private static func isBeginning(_ name: String, in url: URL) throws -> Bool {
        let path = url.appendingPathComponent(name).path
        if name == RunLock.fileName {
            try check(path, is: .file, "a file")
            return try RunLock.isOwn(path)
        }
        return LeftOvers.target(of: name) == RunConfiguration.fileName
    }

    private static func check(_ path: String, is expected: FileStatus.Kind, _ name: String) throws {
        guard let kind = try FileStatus.of(path, followingLinks: false)?.kind, kind != expected else { return }
        let found =
            switch kind {
            case .file: "a file"
            case .folder: "a folder"
            case .link: "a symbolic link"
            case .other: "a named pipe, a socket or a device"
            }
        throw RunFolderError.foreignPart(path: path, found: found, expected: name)
    }
}
