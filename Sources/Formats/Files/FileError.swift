internal import Foundation

/// What the operating system said about a failed call.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public var code: Int32

    /// An error by its number.
    public init(code: Int32) { self.code = code }

    /// The error of the call that has just failed.
    package static var last: SystemError { SystemError(code: errno) }

    /// What stands behind an error of Foundation; EIO when it does not say.
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

    /// What the system calls it.
    public var description: String { String(cString: strerror(code)) }

    /// What a person can do about it, as the end of a sentence; empty when there is nothing general to say.
    package var advice: String {
        switch code {
        case EFBIG: "; raise the limit of the size of files (ulimit -f) and run the same command again"
        case ENOSPC, EDQUOT: "; free some space and run the same command again"
        case EACCES, EPERM, EROFS: "; choose a folder that you may write to"
        case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
        default: ""
        }
    }
}

/// What can go wrong with a file or folder as such, whatever is in it.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or folder does not exist.
    case missing(path: String)
    /// It exists and cannot be read.
    case unreadable(path: String, SystemError)
    /// A regular file was expected under this name, and something else is there.
    case notAFile(path: String, kind: String)
    /// Something that is no regular file has the name that an output shall have.
    case cannotReplace(path: String, kind: String)
    /// A folder was expected under this name, and something else is there.
    case notAFolder(path: String, kind: String)
    /// It cannot be created under this name.
    case cannotCreate(path: String, SystemError)
    /// It cannot be written to, synced or renamed.
    case cannotWrite(path: String, SystemError)
    /// Its bytes are not the ones that were written.
    case damaged(path: String, problem: String)

    /// One line for people.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .missing(let path): "\(path) does not exist"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .notAFile(let path, let kind): "\(path) is \(kind); a regular file is expected"
        case .cannotReplace(let path, let kind): "cannot write \(path): it is \(kind), which is not replaced by a file; choose another name"
        case .notAFolder(let path, let kind): "\(path) is \(kind); a folder is expected"
        case .cannotCreate(let path, let reason): "cannot create \(path): \(reason)\(reason.advice)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)\(reason.advice)"
        case .damaged(let path, let problem): "\(path) is damaged: \(problem)"
        }
    }

    /// Calls a body that looks at what lies where `path` is to be written: what cannot be read there is a failure of the output.
    package static func creating<Result: ~Copyable>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch FileError.unreadable(_, let reason) {
            throw FileError.cannotCreate(path: path, reason)
        }
    }

    /// The error of a failed attempt to open `path` for reading.
    static func opening(_ path: String, _ reason: SystemError) -> FileError {
        reason.code == ENOENT || reason.code == ENOTDIR ? .missing(path: path) : .unreadable(path: path, reason)
    }
}
