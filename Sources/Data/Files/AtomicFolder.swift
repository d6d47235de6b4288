import Foundation

/// A folder that appears under its name only when it is complete.
enum AtomicFolder {
    /// Lets `fill` write into a hidden folder beside `folder` and then renames it.
    ///
    /// - Parameter mark: A file that shows that an existing folder is of the same kind and may be replaced.
    /// - Throws: `DataError.unwritable`; whatever `fill` throws. Nothing is left behind then.
    static func write(_ folder: URL, replacingFoldersWith mark: String, fill: (URL) throws -> Void) throws {
        let files = FileManager.default
        let parent = folder.deletingLastPathComponent()
        let partial = parent.appendingPathComponent(".\(folder.lastPathComponent).\(getpid()).partial")
        let old = parent.appendingPathComponent(".\(folder.lastPathComponent).\(getpid()).old")
        let content = try? files.contentsOfDirectory(atPath: folder.path)
        if files.fileExists(atPath: folder.path) {
            guard let content, content.isEmpty || content.contains(mark) else {
                throw DataError.unwritable(
                    path: folder.path, reason: "it exists and is not a folder of this kind; choose another name")
            }
        }
        do {
            try? files.removeItem(at: partial)
            try files.createDirectory(at: partial, withIntermediateDirectories: true)
        } catch {
            throw DataError.unwritable(path: folder.path, reason: "its parent folder cannot be written")
        }
        do {
            try fill(partial)
            if content != nil { try move(folder, to: old) }
            do {
                try move(partial, to: folder)
            } catch {
                if content != nil { try move(old, to: folder) }
                throw error
            }
        } catch {
            try? files.removeItem(at: partial)
            throw error
        }
        try? files.removeItem(at: old)
    }

    private static func move(_ from: URL, to target: URL) throws {
        guard rename(from.path, target.path) == 0 else {
            throw DataError.unwritable(path: target.path, reason: ByteSource.lastError())
        }
    }
}
