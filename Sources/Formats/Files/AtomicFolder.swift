public import Foundation

/// A folder that appears under its name only when everything in it is complete and on the disk.
public enum AtomicFolder {
    /// Writes a folder.
    ///
    /// `contents` fills a temporary folder beside `url`. Then files and folders are synced, and the folder is renamed.
    /// A folder that already has the name is replaced: it is moved aside first and gets its name back if the process
    /// dies before the new one has it (at the next `LeftOvers.remove`).
    /// - Throws: `FileError`, or whatever `contents` throws; nothing of the new folder remains then.
    public static func write(to url: URL, contents: (URL) throws -> Void) throws {
        let parent = url.deletingLastPathComponent()
        try FileError.creating(url.path) { try LeftOvers.remove(in: parent, of: url.lastPathComponent) }
        let marker = try makeTemporary(beside: url)
        do {
            let folder = URL(fileURLWithPath: marker.path, isDirectory: true)
            try contents(folder)
            try synchroniseTree(marker.path)
            try moveIntoPlace(marker.path, url)
        } catch {
            try? LeftOvers.removeTree(marker.path)
            throw error
        }
        try Descriptor.synchronise(folder: parent.path)
    }

    /// Removes a folder so that a crash on the way never leaves half of it under its name.
    /// - Throws: `FileError.cannotWrite`.
    public static func remove(_ url: URL) throws {
        let aside = try freePath(beside: url, LeftOvers.partial)
        guard rename(url.path, aside) == 0 else {
            if errno == ENOENT { return }
            throw FileError.cannotWrite(path: url.path, .last)
        }
        try LeftOvers.removeTree(aside)
    }

    private static func moveIntoPlace(_ temporary: String, _ url: URL) throws {
        if rename(temporary, url.path) == 0 { return }
        guard errno == EEXIST || errno == ENOTEMPTY else { throw FileError.cannotWrite(path: url.path, .last) }
        let aside = try freePath(beside: url, LeftOvers.replaced)
        guard rename(url.path, aside) == 0 else { throw FileError.cannotWrite(path: url.path, .last) }
        guard rename(temporary, url.path) == 0 else {
            let reason = SystemError.last
            rename(aside, url.path)
            throw FileError.cannotWrite(path: url.path, reason)
        }
        try LeftOvers.removeTree(aside)
    }

    /// A new folder, open and locked: the lock tells those who clear up that it has a living writer. One of them may
    /// still take it away between its creation and its lock.
    private static func makeTemporary(beside url: URL) throws -> Descriptor {
        var attempt = 0
        while true {
            let path = LeftOvers.path(beside: url, LeftOvers.partial, attempt: attempt)
            attempt += 1
            guard mkdir(path, 0o755) == 0 else {
                guard errno == EEXIST, attempt < 10_000 else { throw FileError.cannotCreate(path: url.path, .last) }
                continue
            }
            let folder = try FileError.creating(url.path) { try Descriptor(reading: path, followingLinks: false) }
            if folder.isClaimed { return folder }
        }
    }

    private static func freePath(beside url: URL, _ kind: String) throws -> String {
        for attempt in 0..<10_000 {
            let path = LeftOvers.path(beside: url, kind, attempt: attempt)
            var status = stat()
            if lstat(path, &status) != 0 { return path }
        }
        throw FileError.cannotCreate(path: url.path, SystemError(code: EEXIST))
    }

    /// Syncs every file and folder below a path, the path itself last.
    private static func synchroniseTree(_ path: String) throws {
        for name in try FileError.creating(path, { try Folder.names(in: path) }) {
            let inner = path + "/" + name
            switch try FileError.creating(inner, { try FileStatus.of(inner, followingLinks: false)?.kind }) {
            case .folder: try synchroniseTree(inner)
            case .file: try FileError.creating(inner) { try Descriptor(reading: inner, followingLinks: false) }.synchronise()
            default: continue
            }
        }
        try Descriptor.synchronise(folder: path)
    }
}
