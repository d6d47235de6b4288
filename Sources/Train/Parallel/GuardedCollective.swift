import Synchronization

/// How a rank has ended.
package struct RankEnd: Codable, Sendable, Equatable {
    /// What the rank would print; empty for nothing.
    package var text: String
    /// The exit status; 0 if the rank has succeeded.
    package var status: Int32
    /// Whether the rank itself failed, rather than learn of the failure of another rank.
    package var isOwn: Bool

    /// An end; see the properties.
    package init(text: String = "", status: Int32 = 0, isOwn: Bool = true) {
        (self.text, self.status, self.isOwn) = (text, status, isOwn)
    }
}

/// A group in which no rank waits for one that has ended.
///
/// Before each exchange, the ranks tell each other that they continue. A rank that ends calls ``end(_:)``; the ranks that are about to
/// exchange then throw ``CollectiveError/rankFailed(rank:message:)`` and end, too. So an error that only one rank meets, such as a
/// file that its machine does not have, ends all ranks in order.
package final class GuardedCollective: Collective {
    private enum State {
        case running
        /// A rank has ended. For each rank how, or nil where it was about to exchange.
        case ended([RankEnd?])
        /// The communication failed.
        case broken
    }

    private let group: any Collective
    private let state = Mutex(State.running)

    /// Guards a group. All ranks do this, and use only the guarded group from then on.
    package init(_ group: any Collective) { self.group = group }

    package var rank: Int { group.rank }
    package var size: Int { group.size }

    package func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws {
        if let ends = try agree(nil) { throw Self.error(of: ends) }
        do {
            try group.exchange(sending: sending, receiving: receiving)
        } catch {
            state.withLock { $0 = .broken }
            throw error
        }
    }

    package func abort(_ message: String, status: Int32) { group.abort(message, status: status) }

    /// Tells the other ranks that this one has ended, after its last exchange.
    /// - Returns: how each rank has ended, the same on all ranks; nil for a rank that was about to exchange and ends because of the
    ///   others.
    /// - Throws: ``CollectiveError`` when the group is broken. The caller ends it with `abort`.
    package func end(_ own: RankEnd) throws -> [RankEnd?] {
        try agree(own) ?? []
    }

    /// Exchanges how the ranks are: nil if all continue.
    private func agree(_ own: RankEnd?) throws -> [RankEnd?]? {
        switch state.withLock({ $0 }) {
        case .ended(let ends): return ends
        case .broken: throw CollectiveError.broken(rank: rank, message: "the communication has failed before")
        case .running: break
        }
        do {
            guard try group.any([own != nil])[0] else { return nil }
            let ends = try group.gather(values: own.map { [$0] } ?? []).map(\.first)
            state.withLock { $0 = .ended(ends) }
            return ends
        } catch {
            state.withLock { $0 = .broken }
            throw error
        }
    }

    /// The error of a rank that was about to exchange.
    private static func error(of ends: [RankEnd?]) -> CollectiveError {
        let (rank, end) = ends.failure ?? (ends.firstIndex { $0 != nil } ?? 0, RankEnd())
        return .rankFailed(rank: rank, message: end.text.isEmpty ? "it ended before the others" : end.text)
    }
}

extension [RankEnd?] {
    /// The end that decides how the group ends: the first failure that is a rank's own, or else the first failure; nil if none has failed.
    package var failure: (rank: Int, end: RankEnd)? {
        let failures = enumerated().compactMap { rank, end in end.flatMap { $0.status == 0 ? nil : (rank: rank, end: $0) } }
        return failures.first { $0.end.isOwn } ?? failures.first
    }
}
