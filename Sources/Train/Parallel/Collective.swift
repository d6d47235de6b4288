/// A group of processes, called ranks, that work on one run. Training knows other processes only through this protocol.
///
/// Every rank calls the same functions in the same order. A group has one primitive, ``exchange(sending:receiving:)``; sums and
/// gathers are built on it, so that their order of summation depends only on the rank numbers, and not on the order of arrival or
/// on the algorithms of a library.
public protocol Collective: Sendable {
    /// The number of this process, in `0..<size`. Rank 0 reports and writes files.
    var rank: Int { get }
    /// The number of processes.
    var size: Int { get }

    /// Sends bytes to every rank and receives bytes from every rank, including the own one. Returns when all have arrived.
    /// - Parameters:
    ///   - sending: the bytes for each rank; `size` buffers.
    ///   - receiving: the memory for the bytes from each rank; `size` buffers. The receiver must know the number of bytes that the
    ///     sender sends.
    /// - Throws: ``CollectiveError`` when the group is broken.
    func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws

    /// Ends the whole group because of a failure of this rank. Ranks that wait in an exchange do not return from it normally.
    /// - Parameters:
    ///   - message: the reason, in one line.
    ///   - status: the exit status of the processes.
    func abort(_ message: String, status: Int32)
}

/// A group of one process.
public struct LocalCollective: Collective {
    /// Creates a group of one process.
    public init() {}

    /// 0.
    public var rank: Int { 0 }
    /// 1.
    public var size: Int { 1 }

    /// Copies the bytes of the only buffer.
    public func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) {
        receiving[0].copyMemory(from: sending[0])
    }

    /// Does nothing: the process reports its own error, and there are no other processes.
    public func abort(_ message: String, status: Int32) {}
}

/// An error of a group of processes.
public enum CollectiveError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another rank failed, with this message.
    case rankFailed(rank: Int, message: String)
    /// A rank has other settings, other data or another model than rank 0.
    case rankDiffers(rank: Int, what: String)
    /// The communication failed.
    case broken(rank: Int, message: String)
    /// The group cannot be started.
    case unavailable(String)

    /// The message in one line.
    public var description: String {
        switch self {
        case .rankFailed(let rank, let message): "rank \(rank) failed: \(message)"
        case .rankDiffers(let rank, let what):
            "\(what) on rank \(rank) differs from rank 0; start all ranks with the same version, options and files"
        case .broken(let rank, let message): "rank \(rank) cannot reach the other ranks: \(message)"
        case .unavailable(let message): message
        }
    }
}
