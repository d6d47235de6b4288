internal import Foundation

/// An error that the operating system reported for a call.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public var code: Int32

    /// Creates an error from an `errno` value.
    public init(code: Int32) { self.code = code }

    /// The error of the last failed call (`errno`).
    package static var last: SystemError { SystemError(code: errno) }

    /// The system error behind a Foundation error; `EIO` if there is none.
    package init(_ error: any Error) {
        let error = error as? CocoaError
        if let cause = error?.underlying as? POSIXError {
            code = cause.code.rawValue
        } else {
            code =
                switch error?.code {
                case .fileWriteNoPermission: EACCES
                case .fileWriteFileExists: EEXIST
                default: EIO
                }
        }
    }

    /// The operating system's message for the error.
    public var description: String { String(cString: strerror(code)) }

    /// Advice to the user, to be appended to an error message; empty if there is none for this error.
    package var advice: String {
        switch code {
        case EFBIG: "; raise the file size limit (ulimit -f) and run the same command again"
        case ENOSPC, EDQUOT: "; free some space and run the same command again"
        case EACCES, EPERM, EROFS: "; choose a folder that you may write to"
        case EMFILE, ENFILE: "; raise the limit on open files (ulimit -n)"
        default: ""
        }
    }
}

/// An error in accessing a file or folder, independent of its format.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or folder does not exist.
    case missing(path: String)
    /// The file or folder exists but cannot be read.
    case unreadable(path: String, SystemError)
    /// The path is not a regular file. `kind` says what it is.
    case notAFile(path: String, kind: String)
    /// An output file cannot replace what exists at its path, because that is not a regular file.
    case cannotReplace(path: String, kind: String)
    /// The path is not a folder. `kind` says what it is.
    case notAFolder(path: String, kind: String)
    /// The file or folder cannot be created.
    case cannotCreate(path: String, SystemError)
    /// The file or folder cannot be written, synced or renamed.
    case cannotWrite(path: String, SystemError)
    /// The disk has fewer free bytes than the file or folder needs. Nothing was written.
    case noRoom(path: String, needed: Int, free: Int)
    /// The content of the file is not what was written, or the file exceeds a size limit.
    case damaged(path: String, problem: String)

    /// The error message, on one line.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .missing(let path): "\(path) does not exist"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .notAFile(let path, let kind): "\(path) is \(kind); expected a regular file"
        case .cannotReplace(let path, let kind):
            "cannot write \(path): it is \(kind), which is never replaced with a file; choose another name"
        case .notAFolder(let path, let kind): "\(path) is \(kind); expected a folder"
        case .cannotCreate(let path, let reason): "cannot create \(path): \(reason)\(reason.advice)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)\(reason.advice)"
        case .noRoom(let path, let needed, let free):
            "cannot write \(path): it needs \(ByteCount.compared(needed, free).first), and the disk has "
                + "\(ByteCount.compared(needed, free).second) free; free some space "
                + "and run the same command again, or write to another disk"
        case .damaged(let path, let problem): "\(path) is damaged: \(problem)"
        }
    }

    /// Runs `body`, which examines the place where `path` will be written, and reports a failure to read there as `cannotCreate`.
    package static func creating<Result: ~Copyable>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch FileError.unreadable(_, let reason) {
            throw FileError.cannotCreate(path: path, reason)
        }
    }

    /// The error for a failed attempt to open `path` for reading.
    static func opening(_ path: String, _ reason: SystemError) -> FileError {
        reason.code == ENOENT || reason.code == ENOTDIR ? .missing(path: path) : .unreadable(path: path, reason)
    }
}
