internal import Formats
public import Foundation

/// A complete state of training at a step, `checkpoints/step-NNNNNN/`.
public struct Checkpoint: Equatable, Sendable {
    /// Steps done.
    public var step: Int
    /// Its folder.
    public var url: URL
}

/// The checkpoints of a run.
///
/// Each is a folder that appeared whole (`AtomicFolder`) and carries its checksums. A damaged one is renamed to
/// `step-NNNNNN.damaged`, so that it never counts as a checkpoint again.
public struct Checkpoints {
    /// The folder's name in a run folder.
    public static var folderName: String { "checkpoints" }

    let folder: URL

    /// The checkpoints of the run in a folder; nothing is created before the first one.
    init(inRun folder: URL) {
        self.folder = folder.appendingPathComponent(Self.folderName, isDirectory: true)
    }

    /// All checkpoints of a run, oldest first, whole or not.
    /// - Throws: `FileError.unreadable`.
    public static func list(inRun folder: URL) throws -> [Checkpoint] {
        try Checkpoints(inRun: folder).all()
    }

    /// The step's name: six digits, more when needed.
    static func name(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The step that a name stands for; nil for any other name.
    private static func step(of name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, Self.name(step: step) == name else { return nil }
        return step
    }

    /// - Throws: `FileError.unreadable`: a folder that cannot be listed is not an empty one.
    func all() throws -> [Checkpoint] {
        let names = try Folder.namesIfPresent(in: folder.path) ?? []
        return names.compactMap { name in
            guard let step = Self.step(of: name) else { return nil }
            return Checkpoint(step: step, url: folder.appendingPathComponent(name, isDirectory: true))
        }
        .sorted { $0.step < $1.step }
    }

    /// Writes a checkpoint; one that the step already has is replaced.
    func write(step: Int, contents: (URL) throws -> Void) throws -> Checkpoint {
        precondition(step >= 0, "a checkpoint's step is not negative: \(step)")
        if mkdir(folder.path, 0o755) != 0 && errno != EEXIST {
            throw FileError.cannotCreate(path: folder.path, .last)
        }
        let url = folder.appendingPathComponent(Self.name(step: step), isDirectory: true)
        try FolderChecksums.writeFolder(url, contents: contents)
        return Checkpoint(step: step, url: url)
    }

    /// The newest checkpoint whose files are what was written. Newer ones are reported and set aside.
    /// - Returns: nil when there is no checkpoint at all.
    /// - Throws: `RunFolderError.noValidCheckpoint` when there are some and none is whole; nothing is set aside then.
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
                note("\(broken.url.lastPathComponent) is damaged (\(problem)); going on from step \(checkpoint.step)")
                try setAside(broken)
            }
            return checkpoint
        }
        guard let newest = damaged.first else { return nil }
        throw RunFolderError.noValidCheckpoint(
            path: folder.deletingLastPathComponent().path, problem: newest.problem)
    }

    /// Deletes the oldest checkpoints until `limit` are left, `current` among them, which has just been written and
    /// so is known to be whole. Damaged ones that were set aside go as well.
    func removeOldest(keeping limit: Int, current: Checkpoint) throws {
        precondition(limit >= 1, "at least one checkpoint is kept: \(limit)")
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
