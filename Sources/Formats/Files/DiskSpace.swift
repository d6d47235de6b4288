package import Foundation

/// The free space of the disks that files are written to.
package enum DiskSpace {
    /// The bytes that this process may still write to the disk of a path; nil if the system does not tell. For a path that does not
    /// exist yet, the disk is that of its nearest parent.
    package static func free(at url: URL) -> Int? {
        var place = url.standardizedFileURL
        var status = statvfs()
        while statvfs(place.path, &status) != 0 {
            guard errno == ENOENT, place.path != "/" else { return nil }
            place = place.deletingLastPathComponent().standardizedFileURL
        }
        // some network and virtual file systems report no sizes
        guard status.f_blocks > 0 else { return nil }
        let (bytes, overflows) = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        return overflows ? .max : bytes
    }

    /// Checks, before a large file is begun, that its disk has room for it.
    /// - Throws: ``FileError/noRoom(path:needed:free:)``.
    package static func check(_ bytes: Int, at url: URL) throws {
        guard let free = free(at: url), free < bytes else { return }
        throw FileError.noRoom(path: url.path, needed: bytes, free: free)
    }
}
