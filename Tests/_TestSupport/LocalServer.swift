import Foundation
import Glibc
import Synchronization

/// A web server on this machine for tests. Every connection carries one request and has a thread of its own.
public final class LocalServer: Sendable {
    /// An answer as it should be.
    public struct Answer: Sendable {
        public var status: Int
        public var body: String
        /// Lines of the header besides the length.
        public var header: [String]
        /// Closes the connection without an answer.
        public static let none = Answer(status: 0, body: "")

        public init(status: Int, body: String, header: [String] = []) {
            self.status = status
            self.body = body
            self.header = header
        }
    }

    /// One connection, its request read, its answer up to the test.
    public struct Connection: Sendable {
        /// Counts from 1.
        public let number: Int
        public let header: String
        public let body: String
        fileprivate let socket: Int32

        /// - Returns: false once the other side is gone.
        @discardableResult
        public func write(_ bytes: some Collection<UInt8>) -> Bool {
            let bytes = Array(bytes)
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    send(socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }

        /// - Returns: false once the other side is gone.
        @discardableResult
        public func write(_ text: String) -> Bool { write(text.utf8) }

        /// Sleeps until the other side is gone.
        public func waitForClose() {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while recv(socket, &buffer, buffer.count, 0) > 0 {}
        }

        /// Lets the coming close be a reset.
        public func reset() {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        }
    }

    public let port: UInt16
    private let socket: Int32
    private let stopped = Atomic(false)
    private let seen = Mutex<[String]>([])

    /// The headers of all requests so far.
    public var requests: [String] { seen.withLock { $0 } }

    /// The address of an embedding service here.
    public var address: String { "http://127.0.0.1:\(port)/v1/embeddings" }

    /// - Parameter answer: called with the number of the request and its header and body.
    public convenience init(_ answer: @escaping @Sendable (Int, _ header: String, _ body: String) -> Answer) throws {
        try self.init { (connection: Connection) in
            let reply = answer(connection.number, connection.header, connection.body)
            if reply.status == 0 { return }
            let header = reply.header + ["Content-Length: \(reply.body.utf8.count)", "Connection: close"]
            connection.write("HTTP/1.1 \(reply.status) X\r\n\(header.joined(separator: "\r\n"))\r\n\r\n\(reply.body)")
        }
    }

    /// - Parameter handler: called on the connection's thread; the connection is closed behind it.
    public init(_ handler: @escaping @Sendable (Connection) -> Void) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && listen(socket, 64) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.socket = socket
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while !stopped.load(ordering: .acquiring) {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { break }
                guard !stopped.load(ordering: .acquiring) else {
                    close(connection)
                    break
                }
                Thread.detachNewThread { [self] in
                    if let (header, body) = Self.request(on: connection) {
                        let number = seen.withLock { seen in
                            seen.append(header)
                            return seen.count
                        }
                        handler(Connection(number: number, header: header, body: body, socket: connection))
                    }
                    close(connection)
                }
            }
        }
    }

    /// Stops the server; a waiting `accept` returns.
    public func stop() {
        stopped.store(true, ordering: .releasing)
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private static func request(on connection: Int32) -> (header: String, body: String)? {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let header = String(text[..<end.lowerBound])
                let lengthLine = header.lowercased().components(separatedBy: "\r\n").first {
                    $0.hasPrefix("content-length:")
                }
                let length = lengthLine.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
                let body = String(text[end.upperBound...])
                if body.utf8.count >= length { return (header, body) }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            received += buffer[..<count]
        }
    }
}
