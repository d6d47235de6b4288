import Foundation
import Tensor
public import Train

/// A group whose ranks are threads of this process, for tests.
public final class ThreadCollective: Collective {
    /// The number of this thread among the ranks.
    public let rank: Int
    /// The number of ranks.
    public let size: Int
    private let board: Board

    private init(rank: Int, board: Board) {
        (self.rank, self.board) = (rank, board)
        size = board.size
    }

    /// Runs `body` once on each of `size` ranks, each with one compute thread.
    /// - Returns: what each rank returned or threw. When a rank throws, the ranks that wait for it throw
    ///   `CollectiveError.rankFailed`.
    public static func results<Value>(
        _ size: Int, _ body: @escaping @Sendable (ThreadCollective) throws -> Value
    ) -> [Result<Value, any Error>] {
        let (board, outcome, group) = (Board(size: size), Outcome<Value>(size: size), DispatchGroup())
        for rank in 0..<size {
            group.enter()
            let thread = Thread {
                let collective = ThreadCollective(rank: rank, board: board)
                let result = Compute.$threads.withValue(1) { Result { try body(collective) } }
                if case .failure(let error) = result { board.fail(rank: rank, message: "\(error)") }
                board.leave(rank: rank)
                outcome.set(rank, result)
                group.leave()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        group.wait()
        return outcome.all()
    }

    /// What each rank returned.
    /// - Throws: the error of the first rank that threw.
    public static func run<Value>(_ size: Int, _ body: @escaping @Sendable (ThreadCollective) throws -> Value) throws -> [Value] {
        try results(size, body).map { try $0.get() }
    }

    /// Exchanges bytes with the other threads. Throws `CollectiveError` when one of them has failed or left.
    public func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws {
        try board.post(sending, from: rank)
        for (other, memory) in receiving.enumerated() {
            let sent = board.posted(from: other, to: rank)
            guard sent.count == memory.count else {
                throw CollectiveError.broken(rank: rank, message: "\(sent.count) bytes from rank \(other) for \(memory.count)")
            }
            memory.copyMemory(from: sent)
        }
        // nobody changes what it has sent before all have read it
        try board.wait()
    }

    /// Fails the group.
    public func abort(_ message: String, status: Int32) { board.fail(rank: rank, message: message) }
}

/// Where the ranks put what they send. The condition protects all variables.
private final class Board: @unchecked Sendable {
    let size: Int
    private let condition = NSCondition()
    private var sent: [[UnsafeRawBufferPointer]]
    private var (arrived, round, left) = (0, 0, 0)
    private var failure: CollectiveError?

    init(size: Int) {
        self.size = size
        sent = Array(repeating: [], count: size)
    }

    func post(_ buffers: [UnsafeRawBufferPointer], from rank: Int) throws {
        precondition(buffers.count == size)
        condition.withLock { sent[rank] = buffers }
        try wait()
    }

    func posted(from: Int, to: Int) -> UnsafeRawBufferPointer { condition.withLock { sent[from][to] } }

    /// Waits until all ranks have come here.
    func wait() throws {
        try condition.withLock {
            // what others have sent is not there any more
            if let failure { throw failure }
            let own = round
            arrived += 1
            if arrived == size {
                (arrived, round) = (0, round + 1)
                condition.broadcast()
            }
            while round == own, failure == nil, left == 0 { condition.wait() }
            if round == own {
                throw failure ?? CollectiveError.broken(rank: -1, message: "a rank has left")
            }
        }
    }

    func fail(rank: Int, message: String) {
        condition.withLock {
            if failure == nil { failure = .rankFailed(rank: rank, message: message) }
            condition.broadcast()
        }
    }

    func leave(rank: Int) {
        condition.withLock {
            left += 1
            condition.broadcast()
        }
    }
}

/// The results of the ranks, which their threads hand over once. The lock protects the list.
private final class Outcome<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Result<Value, any Error>?]

    init(size: Int) { results = Array(repeating: nil, count: size) }

    func set(_ rank: Int, _ result: Result<Value, any Error>) { lock.withLock { results[rank] = result } }
    func all() -> [Result<Value, any Error>] { lock.withLock { results.compactMap { $0 } } }
}
