import Foundation
import Glibc
import Synchronization

/// A web server on this machine for tests: answers each request with what `answer` makes of its body, one at a time.
final class LocalServer: Sendable {
    struct Answer {
        var status: Int
        var body: String
        /// Closes the connection without an answer.
        static let none = Answer(status: 0, body: "")
    }

    let port: UInt16
    private let socket: Int32
    private let stopped = Atomic(false)

    /// - Parameter answer: called with the number of the request and its header and body.
    init(_ answer: @escaping @Sendable (Int, _ header: String, _ body: String) -> Answer) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && listen(socket, 8) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.socket = socket
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            var number = 0
            while !stopped.load(ordering: .acquiring) {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { break }
                if stopped.load(ordering: .acquiring) {
                    close(connection)
                    break
                }
                Self.serve(connection) { header, body in
                    number += 1
                    return answer(number, header, body)
                }
                close(connection)
            }
        }
    }

    /// Stops the server; a waiting `accept` returns.
    func stop() {
        stopped.store(true, ordering: .releasing)
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private static func serve(_ connection: Int32, _ answer: (String, String) -> Answer) {
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
                if body.utf8.count >= length {
                    let reply = answer(header, body)
                    if reply.status == 0 { return }
                    let head =
                        "HTTP/1.1 \(reply.status) X\r\nContent-Length: \(reply.body.utf8.count)\r\nConnection: close\r\n\r\n"
                    let bytes = Array((head + reply.body).utf8)
                    _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                    return
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            received += buffer[..<count]
        }
    }
}
