import Synchronization

/// A group that counts the bytes that this rank sends to the other ranks: the content of the messages, without the headers that MPI and
/// the network add.
///
/// It stops the program if two threads exchange at once, because their messages would get mixed up.
package final class CountingCollective: Collective {
    private struct State {
        var bytesSent = 0
        var isExchanging = false
    }

    private let group: any Collective
    private let state = Mutex(State())

    /// Counts the exchanges of a group from now on.
    package init(_ group: any Collective) { self.group = group }

    package var rank: Int { group.rank }
    package var size: Int { group.size }
    /// The bytes that this rank has sent to other ranks.
    package var bytesSent: Int { state.withLock { $0.bytesSent } }

    package func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws {
        state.withLock { state in
            precondition(!state.isExchanging, "two threads of rank \(rank) exchange at once")
            state.isExchanging = true
        }
        defer { state.withLock { $0.isExchanging = false } }
        try group.exchange(sending: sending, receiving: receiving)
        let bytes = sending.indices.reduce(0) { $1 == rank ? $0 : $0 + sending[$1].count }
        state.withLock { $0.bytesSent += bytes }
    }

    package func abort(_ message: String, status: Int32) { group.abort(message, status: status) }
}

/// What the steps of a trainer have sent to other ranks. Evaluations and checkpoints do not count.
///
/// A supervised step of n ranks needs 8 (n − 1) bytes for each trained parameter, summed over the ranks: the gradients travel to the
/// owners and the new values from them, both as 32-bit floats (stage 1 of ZeRO). Losses and agreements add less than 1 kB for each pair
/// of ranks.
public struct StepTraffic: Sendable, Equatable {
    /// The number of steps since the trainer was created.
    public var steps = 0
    /// The bytes that this rank has sent to other ranks in these steps.
    public var bytesSent = 0

    /// No steps.
    public init() {}
}

extension StepTraffic {
    /// The bytes that each rank has sent per step, by rank; 0 without steps. Every rank calls it.
    /// - Throws: ``CollectiveError`` when the group of ranks is broken.
    package func bytesPerStep(among collective: any Collective) throws -> [Double] {
        try collective.gather([bytesSent]).map { steps > 0 ? Double($0[0]) / Double(steps) : 0 }
    }
}
