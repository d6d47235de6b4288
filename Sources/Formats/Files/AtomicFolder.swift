public import Foundation

/// Atomic creation and removal of folders: a folder appears under its name only when all of its contents are complete and synced
/// to disk.
public enum AtomicFolder {
    /// Writes a folder atomically.
    ///
    /// `contents` fills a temporary folder beside `url`. Then its files and folders are synced, and it is renamed. An existing
    /// folder at `url` is replaced: it is first moved aside, and the next `LeftOvers.remove` moves it back if the process dies
    /// before the new folder is in place.
    /// - Throws: ``FileError`` or an error of `contents`; the new folder is then removed.
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

    /// Removes a folder atomically: after a crash, `url` never refers to a partly deleted folder.
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

    /// A new folder, open and locked. The lock tells processes that clean up that its writer is alive. It retries if one of them
    /// removes the folder between creation and lock.
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

    /// Syncs all files and folders below a path, and then the path itself.
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
