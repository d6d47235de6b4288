internal import Formats
public import Foundation

/// A complete training state at a step, in `checkpoints/step-NNNNNN/`.
public struct Checkpoint: Equatable, Sendable {
    /// The number of completed steps.
    public var step: Int
    /// The checkpoint's folder.
    public var url: URL
}

/// The checkpoints of a run.
///
/// Each is a folder that is written atomically (`AtomicFolder`) and contains its checksums. A damaged checkpoint is renamed to
/// `step-NNNNNN.damaged`, so that it no longer counts as a checkpoint.
public struct Checkpoints {
    /// The name of the folder of checkpoints in a run folder.
    public static var folderName: String { "checkpoints" }

    let folder: URL

    /// The checkpoints of the run in a folder. Nothing is created before the first checkpoint is written.
    init(inRun folder: URL) {
        self.folder = folder.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// All checkpoints of a run, oldest first, without validation.
    /// - Throws: `FileError.unreadable`.
    public static func list(inRun folder: URL) throws -> [Checkpoint] {
        try Checkpoints(inRun: folder).all()
    }

    /// The checkpoint of a step in a run folder, which another process has found there.
    package static func checkpoint(step: Int, inRun folder: URL) -> Checkpoint {
        Checkpoint(step: step, url: Checkpoints(inRun: folder).folder.appendingPathComponent(name(step: step), isDirectory: true))
    }

    /// The name of a step's checkpoint: the step with at least six digits.
    static func name(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The step of a checkpoint's name; nil for other names.
    private static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, Self.name(step: step) == name else { return nil }
        return step
    }

    /// All checkpoints, oldest first.
    /// - Throws: `FileError.unreadable` if the folder cannot be listed; it is not treated as empty.
    func all() throws -> [Checkpoint] {
        let names = try Folder.namesIfPresent(in: folder.path) ?? []
        return names.compactMap { name in
            guard let step = Self.step(of: name) else { return nil }
            return Checkpoint(step: step, url: folder.appendingPathComponent(name, isDirectory: true))
        }
        .sorted { $0.step < $1.step }
    }

    /// Writes a checkpoint atomically. An existing checkpoint for the step is replaced.
    func write(step: Int, contents: (URL) throws -> Void) throws -> Checkpoint {
        precondition(step >= 0, "the step of a checkpoint must not be negative: \(step)")
        if mkdir(folder.path, 0o755) != 0 && errno != EEXIST {
            throw FileError.cannotCreate(path: folder.path, .last)
        }
        let url = folder.appendingPathComponent(Self.name(step: step), isDirectory: true)
        try FolderChecksums.writeFolder(url, contents: contents)
        return Checkpoint(step: step, url: url)
    }

    /// The newest checkpoint whose files match their checksums. Newer, damaged ones are reported and renamed.
    /// - Returns: Nil if there is no checkpoint.
    /// - Throws: `RunFolderError.noValidCheckpoint` if all checkpoints are damaged; none is renamed then.
    func newestValid(note: (String) -> Void) throws -> Checkpoint? {
        var damaged: [(Checkpoint, problem: String)] = []
        for checkpoint in try all().reversed() {
            do {
                try FolderChecksums.verify(checkpoint.url)
            } catch FileError.damaged(_, let problem) {
                damaged.append((checkpoint, problem))
                continue
            }
            for (broken, problem) in damaged {
                note("\(broken.url.lastPathComponent) is damaged (\(problem)); resuming from step \(checkpoint.step)")
                try setAside(broken)
            }
            return checkpoint
        }
        guard let newest = damaged.first else { return nil }
        throw RunFolderError.noValidCheckpoint(
            path: folder.deletingLastPathComponent().path, problem: newest.problem)
    }

    /// Deletes the oldest checkpoints until `limit` are left. `current`, which has just been written, is kept. Checkpoints that
    /// were renamed because they are damaged are deleted too.
    func removeOldest(keeping limit: Int, current: Checkpoint) throws {
        precondition(limit >= 1, "at least one checkpoint must be kept: \(limit)")
        let others = try all().filter { $0.step != current.step }
        for checkpoint in others.dropLast(limit - 1) { try AtomicFolder.remove(checkpoint.url) }
        for name in try Folder.namesIfPresent(in: folder.path) ?? []
        where name.hasSuffix(Self.damagedSuffix) && Self.step(of: String(name.dropLast(Self.damagedSuffix.count))) != nil {
            try AtomicFolder.remove(folder.appendingPathComponent(name))
        }
    }

    private static var damagedSuffix: String { ".damaged" }

    private func setAside(_ checkpoint: Checkpoint) throws {
        let aside = checkpoint.url.path + Self.damagedSuffix
        try LeftOvers.removeTree(aside)
        guard rename(checkpoint.url.path, aside) == 0 else { throw FileError.cannotWrite(path: aside, .last) }
    }
}
