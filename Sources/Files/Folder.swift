package import Foundation

/// Folders as such, whatever is in them.
package enum Folder {
    /// Makes a folder, and those that it lies in, unless it is there.
    /// - Throws: `FileError.cannotCreate`.
    package static func make(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw FileError.cannotCreate(path: url.path, SystemError(error))
        }
    }
}
