import Foundation
import Synchronization
import Train

/// A group that records the exchanges of this rank, and may fail in one of them.
final class RecordedCollective: Collective {
    /// An exchange.
    struct Exchange: Equatable {
        /// The bytes for each rank.
        var bytes: [Int]
        /// Whether it was made by another thread than the one that made the collective: by that which sums gradients during a backward
        /// pass.
        var isInBackground: Bool
    }

    private let group: any Collective
    /// The number of exchanges in the background after which the next one fails; nil for none.
    private let failure: Int?
    private let list = Mutex<[Exchange]>([])
    private let owner = RecordedCollective.thread

    init(_ group: any Collective, failingAfter failure: Int? = nil) { (self.group, self.failure) = (group, failure) }

    var rank: Int { group.rank }
    var size: Int { group.size }
    /// The exchanges so far.
    var exchanges: [Exchange] { list.withLock { $0 } }
    /// The number of exchanges in the background.
    var inBackground: Int { exchanges.count { $0.isInBackground } }

    func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws {
        let isInBackground = Self.thread != owner
        if isInBackground, inBackground == failure { throw CollectiveError.broken(rank: rank, message: "no cable") }
        try group.exchange(sending: sending, receiving: receiving)
        list.withLock { $0.append(Exchange(bytes: sending.map(\.count), isInBackground: isInBackground)) }
    }

    /// The number of the calling thread.
    private static var thread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    func abort(_ message: String, status: Int32) { group.abort(message, status: status) }
}
