internal import AsyncHTTPClient
internal import Dispatch
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// An HTTP client for services, with limits on time and size.
///
/// A deadline covers the whole request: connecting, the TLS handshake, sending, waiting and receiving. Redirects are rejected, so
/// that a key never reaches another host. Compressed responses are rejected without decompression. Responses that exceed the size
/// limit are rejected at their Content-Length or at the first excess byte. Bodies of responses with a status other than 200 are
/// not read. The parser limits headers (256 fields, 80 KiB each, 2 MiB in total).
///
/// Calls block the calling thread on a semaphore. The work is done by the threads of the event loops, which are not part of
/// Swift's cooperative pool, so that requests complete even if all threads of that pool are blocked here.
public final class ServiceClient: Sendable {
    /// The limits of a request.
    public struct Limits: Sendable, Equatable {
        /// The time limit in seconds for the whole request.
        public var seconds: Double
        /// The maximum size of the response body in bytes.
        public var bytes: Int

        /// Creates limits.
        public init(seconds: Double, bytes: Int) {
            self.seconds = seconds
            self.bytes = bytes
        }
    }

    /// A response.
    public struct Answer: Sendable, Equatable {
        /// The HTTP status code.
        public var status: Int
        /// The body if the status is 200; otherwise empty.
        public var body: [UInt8]
        /// The value of Retry-After in seconds; nil if the header is missing.
        public var retryAfter: Double?
    }

    /// The reason why there is no response.
    public enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
        /// The service redirects to another address.
        case redirected(status: Int, to: String)
        /// The body is compressed, although the request did not allow that.
        case compressed(String)
        /// The body exceeds the size limit, in bytes.
        case tooLong(limit: Int)
        /// No complete response arrived in time. A retry may succeed.
        case failed(String)

        /// The error message, on one line.
        public var description: String {
            switch self {
            case .redirected(let status, let target): "status \(status) points to \(target)"
            case .compressed(let coding): "the response is compressed (\(coding))"
            case .tooLong(let limit): "the response is longer than \(limit) bytes"
            case .failed(let reason): reason
            }
        }
    }

    private let client: HTTPClient

    /// Creates a client. Each request uses a new connection: on a reused connection, a late or duplicate response could be
    /// mistaken for the next one.
    public init() {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        configuration.connectionPool.retryConnectionEstablishment = false
        // the deadline of each request applies; these time-outs only release what a request left behind
        configuration.timeout = .init(connect: .seconds(Self.longestSeconds), read: .seconds(Self.longestSeconds))
        configuration.http1_1ConnectionDebugInitializer = { AnswerGuard.join($0) }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // close the connections without waiting
        client.shutdown(queue: .global()) { _ in }
    }

    /// The maximum time limit in seconds: one day. Longer limits are reduced to it.
    static let longestSeconds: Int64 = 86_400

    /// Sends a POST request and waits for the response.
    ///
    /// - Parameters:
    ///   - body: The JSON body.
    ///   - address: The URL.
    ///   - key: The bearer token; nil sends none.
    ///   - limits: The limits of the request.
    /// - Returns: The response, whatever its status, except redirects.
    /// - Throws: ``Problem``.
    public func post(
        _ body: [UInt8], to address: ServiceAddress, key: ServiceKey?, limits: Limits
    ) throws(Problem) -> Answer {
        try send(.POST, body, to: address, key: key, limits: limits)
    }

    /// Sends a GET request and waits for the response. Parameters and errors are those of ``post(_:to:key:limits:)``.
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
            // the client enforces the deadline; this is a safeguard in case it does not
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

    /// Passes the result from a thread of an event loop to the waiting thread.
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
