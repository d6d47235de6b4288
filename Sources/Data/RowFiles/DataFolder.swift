import Formats
import Foundation

/// Access to folders of data files.
enum DataFolder {
    /// Whether a path names an existing folder.
    /// - Throws: `FormatError.unreadable` if the path cannot be examined.
    static func isFolder(_ url: URL) throws -> Bool {
        do {
            return try FileStatus.of(url)?.kind == .folder
        } catch let error as FileError {
            throw FormatError(error, reading: url.path)
        }
    }

    /// The names of a folder's entries, sorted.
    /// - Parameters:
    ///   - folder: The folder.
    ///   - content: What the folder should contain, for the error if it is a file.
    /// - Throws: `FormatError.unreadable` if the folder does not exist or cannot be read.
    static func names(in folder: URL, expecting content: String) throws -> [String] {
        do {
            switch try FileStatus.of(folder)?.kind {
            case nil: throw FormatError.unreadable(path: folder.path, reason: "the folder does not exist")
            case .folder: return try Folder.names(in: folder.path)
            default:
                throw FormatError.unreadable(path: folder.path, reason: "it is a file; expected a folder with \(content)")
            }
        } catch let error as FileError {
            throw FormatError(error, reading: folder.path)
        }
    }
}
