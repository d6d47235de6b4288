import Formats
import Foundation

/// Folders of data.
enum DataFolder {
    /// Whether a path names a folder; one that names nothing does not.
    /// - Throws: `FormatError.unreadable` where the system cannot say.
    static func isFolder(_ url: URL) throws -> Bool {
        do {
            return try FileStatus.of(url)?.kind == .folder
        } catch let error as FileError {
            throw FormatError(error, reading: url.path)
        }
    }

    /// The names of what lies in a folder, sorted.
    /// - Parameter content: What the folder should hold, for the error when there is a file in its place.
    /// - Throws: `FormatError.unreadable`.
    static func names(in folder: URL, expecting content: String) throws -> [String] {
        do {
            switch try FileStatus.of(folder)?.kind {
            case nil: throw FormatError.unreadable(path: folder.path, reason: "there is no such folder")
            case .folder: return try Folder.names(in: folder.path)
            default:
                throw FormatError.unreadable(path: folder.path, reason: "it is a file, a folder with \(content) was expected")
            }
        } catch let error as FileError {
            throw FormatError(error, reading: folder.path)
        }
    }
}
