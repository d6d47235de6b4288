package import Foundation

/// Operations on folders.
package enum Folder {
    /// Creates a folder and its missing parents, unless it exists.
    /// - Throws: `FileError.cannotCreate`.
    package static func make(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw FileError.cannotCreate(path: url.path, SystemError(error))
        }
    }

    /// The sorted names of the entries in a folder, without `.` and `..`.
    /// - Throws: `FileError.missing`, or `.unreadable`, also if an error interrupts the listing.
    package static func names(in path: String) throws -> [String] {
        guard let stream = opendir(path) else { throw FileError.opening(path, .last) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw FileError.unreadable(path: path, .last) }
                return names.sorted()
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(entry.pointee.d_reclen)) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// The sorted names of the entries in a folder; nil if the folder does not exist.
    /// - Throws: `FileError.unreadable`.
    package static func namesIfPresent(in path: String) throws -> [String]? {
        do {
            return try names(in: path)
        } catch FileError.missing {
            return nil
        }
    }
}
