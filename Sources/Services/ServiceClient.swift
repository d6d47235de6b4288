internal import AsyncHTTPClient
internal import Dispatch
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// The one way to a service: a request and its answer over HTTP, within a time and a number of bytes.
///
/// A request ends at its deadline, whatever the other side does: connecting, the TLS handshake, sending, waiting and receiving share it.
/// Redirects are refused, so that a key reaches no other place than the one that was named. An answer is taken as it is: compressed ones
/// are refused before a byte is unpacked, longer ones than agreed at their announcement or at the byte that is too much, and the bodies of
/// errors are not read at all. Headers are bounded by the parser (256 fields, 80 KiB each, 2 MiB together).
///
/// Calls block: the caller's thread sleeps on a semaphore. The threads that work for it are the event loops' own, none of them of Swift's
/// cooperative pool, so the answer comes even if every thread of that pool waits here.
public final class ServiceClient: Sendable {
    /// What a request may take.
    public struct Limits: Sendable, Equatable {
        /// Seconds until its end, from the first packet to the last.
        public var seconds: Double
        /// Bytes of an answer's body.
        public var bytes: Int

        /// These limits.
        public init(seconds: Double, bytes: Int) {
            self.seconds = seconds
            self.bytes = bytes
        }
    }

    /// What came back.
    public struct Answer: Sendable, Equatable {
        /// The status of HTTP.
        public var status: Int
        /// The body of an answer with status 200; of others nothing is read.
        public var body: [UInt8]
        /// Seconds that the service asks to wait.
        public var retryAfter: Double?
    }

    /// Why there is no answer.
    public enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// The service points elsewhere.
        case redirected(status: Int, to: String)
        /// The body is compressed, though the request asked for none such.
        case compressed(String)
        /// The body is longer than agreed.
        case tooLong(limit: Int)
        /// Nothing whole arrived in time, or at all; another attempt may do better.
        case failed(String)

        /// What happened, in one line.
        public var description: String {
            switch self {
            case .redirected(let status, let target): "status \(status) points to \(target)"
            case .compressed(let coding): "the answer is compressed (\(coding))"
            case .tooLong(let limit): "the answer is longer than \(limit) bytes"
            case .failed(let reason): reason
            }
        }
    }

    private let client: HTTPClient

    /// A client. Each request has a connection of its own: on one that is used again, an answer that comes late or twice would be taken for
    /// the next one.
    public init() {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        configuration.connectionPool.retryConnectionEstablishment = false
        // the deadline of each request is what counts; these only free what a request left behind
        configuration.timeout = .init(connect: .seconds(Self.longestSeconds), read: .seconds(Self.longestSeconds))
        configuration.http1_1ConnectionDebugInitializer = { AnswerGuard.join($0) }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // closes the connections, and waits for none of them
        client.shutdown(queue: .global()) { _ in }
    }

    /// A day: longer times than that are cut to it.
    static let longestSeconds: Int64 = 86_400

    /// Sends `body` and waits for the answer.
    ///
    /// - Parameters:
    ///   - body: JSON.
    ///   - key: sent as a bearer token, to this address alone.
    /// - Returns: the answer, whatever its status, redirects excepted.
    public func post(
        _ body: [UInt8], to address: ServiceAddress, key: ServiceKey?, limits: Limits
    ) throws(Problem) -> Answer {
        try send(.POST, body, to: address, key: key, limits: limits)
    }

    /// Asks for what an address has, and waits for the answer; parameters as those of ``post(_:to:key:limits:)``.
    public func get(_ address: ServiceAddress, key: ServiceKey?, limits: Limits) throws(Problem) -> Answer {
        try send(.GET, nil, to: address, key: key, limits: limits)
    }

    private func send(
        _ method: HTTPMethod, _ body: [UInt8]?, to address: ServiceAddress, key: ServiceKey?, limits: Limits
    ) throws(Problem) -> Answer {
        let receiver = AnswerReceiver(limit: limits.bytes, key: key)
        let seconds = min(max(limits.seconds, 0.001), Double(Self.longestSeconds))
        let result: Result<Answer, any Error>
        do {
            var headers: HTTPHeaders = [
                "Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity",
                "User-Agent": "swift-rlhf", "Connection": "close",
            ]
            if let key { headers.add(name: "Authorization", value: "Bearer \(key.value)") }
            let request = try HTTPClient.Request(url: address.text, method: method, headers: headers, body: body.map { .bytes($0) })
            let task = client.execute(
                request: request, delegate: receiver, deadline: .now() + .nanoseconds(Int64(seconds * 1e9)))
            let arrival = Arrival()
            task.futureResult.whenComplete { arrival.put($0) }
            // the deadline fires in the client; if it did not, the caller would go on here
            guard let arrived = arrival.take(within: seconds + 0.5) else {
                task.cancel()
                throw HTTPClientError.deadlineExceeded
            }
            result = arrived
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let answer): return answer
        case .failure(let stop as AnswerReceiver.Stop):
            switch stop {
            case .answered(let answer): return answer
            case .refused(let problem): throw problem
            }
        case .failure(let error):
            throw .failed(ServiceKey.shown(FailureReason.text(of: error, seconds: seconds), hiding: key))
        }
    }

    /// Hands the result from an event loop's thread to the waiting one.
    private final class Arrival: Sendable {
        private let arrived = DispatchSemaphore(value: 0)
        private let result = Mutex<Result<Answer, any Error>?>(nil)

        func put(_ result: Result<Answer, any Error>) {
            self.result.withLock { $0 = result }
            arrived.signal()
        }

        func take(within seconds: Double) -> Result<Answer, any Error>? {
            _ = arrived.wait(timeout: .now() + seconds)
            return result.withLock { $0 }
        }
    }
}
