import Foundation
import Services
import Synchronization
import Testing
import _TestSupport

/// Answers that are too long, packed, torn, or no answers at all.
@Suite struct HostileAnswerTests {
    private func answering(_ act: @escaping @Sendable (LocalServer.Connection) -> Void) throws -> LocalServer {
        try LocalServer(act)
    }

    /// Bytes that are written until the other side goes, in thousands.
    private final class Flood: Sendable {
        let kilobytes = Mutex(0)

        func pour(_ connection: LocalServer.Connection, _ part: String) {
            while connection.write(part) { kilobytes.withLock { $0 += part.utf8.count / 1000 } }
        }
    }

    @Test("an answer without end is cut at its bound", arguments: [1, 4])
    func endless(texts: Int) throws {
        let flood = Flood()
        let chunk = "40000\r\n" + String(repeating: " ", count: 0x40000) + "\r\n"
        let server = try answering { connection in
            connection.write(header("Transfer-Encoding: chunked"))
            flood.pour(connection, chunk)
        }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5), texts: ["a", "b", "c", "d"].prefix(texts).map { $0 })
        let bytes = 65536 + texts * 262144
        #expect(
            failure
                == .malformedAnswer(
                    endpoint: server.address,
                    reason: "the response is longer than \(bytes) bytes; send fewer texts per request (--embedding-service-batch-size)"))
        #expect(server.requests.count == 1)
        // besides the bound, what the buffers of both sockets hold
        #expect(flood.kilobytes.withLock { $0 } < 20_000)
    }

    @Test("the bound grows with the number of texts")
    func boundGrows() throws {
        let padding = String(repeating: " ", count: 600_000)
        let server = try LocalServer { _, _, _ in
            let items = (0..<4).map { "{\"index\": \($0), \"embedding\": [1, 2]}" }.joined(separator: ",")
            return .init(status: 200, body: "{\"data\": [\(items)]}" + padding)
        }
        defer { server.stop() }
        #expect(try service(server).embeddings(of: ["a", "b", "c", "d"]).count == 4)
        #expect(try expectFailure(service(server)).description.contains("longer than 327680 bytes"))
    }

    @Test("the body of an error is not read")
    func endlessError() throws {
        let flood = Flood()
        let chunk = "40000\r\n" + String(repeating: secret + "x", count: 0x40000 / 10) + "xxxx\r\n"
        let server = try answering { connection in
            connection.write(header("Transfer-Encoding: chunked", status: "500 No"))
            flood.pour(connection, chunk)
        }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 2))
        #expect(failure == .nothingEncoded(endpoint: server.address, texts: 1, reason: "status 500"))
        #expect(server.requests.count == 2)
        #expect(flood.kilobytes.withLock { $0 } < 40_000)
    }

    @Test("compressed answers are refused unread", arguments: ["gzip", "br", "deflate", "identity, gzip", secret])
    func compressed(coding: String) throws {
        let server = try LocalServer { _, _, _ in
            .init(status: 200, body: oneVector, header: ["Content-Encoding: \(coding)"])
        }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5))
        guard case .malformedAnswer(server.address, let reason) = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect(reason.hasPrefix("the response is compressed (") && server.requests.count == 1, "\(reason)")
    }

    @Test("no compression is asked for, and none by name is none", arguments: ["identity", "IDENTITY", ""])
    func identity(coding: String) throws {
        let server = try LocalServer { _, header, _ in
            header.lowercased().contains("accept-encoding: identity")
                ? .init(status: 200, body: oneVector, header: ["Content-Encoding: \(coding)"]) : .none
        }
        defer { server.stop() }
        #expect(try service(server).embeddings(of: ["a"]) == [[1, 2]])
    }

    @Test(
        "torn answers and what is no HTTP are tried again, then named",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", "closed before the response was complete"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "closed before the response was complete"),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", "closed before the response was complete"),
            ("", "closed before the response was complete"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", "not HTTP"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}", "not HTTP"),
            ("\u{0}\u{1} garbage\r\n\r\n", "not HTTP"),
            ("{\"data\": []}", "not HTTP"),
            ("HTTP/1.1 99 X\r\nContent-Length: 2\r\n\r\n{}", "not HTTP"),
            ("HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", "its status is 0"),
            ("HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\n{}", "its status is 99"),
            ("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 001 X\r\nContent-Length: 2\r\n\r\n{}", "its status is 1"),
            ("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 200_000) + "\r\n\r\n", "headers are too long"),
            ("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 1000) + "\r\n", "headers are too long"),
        ])
    func torn(answer: String, reason: String) throws {
        let server = try answering { $0.write(answer) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 2), answer.prefix(60) + "")
        #expect(failure.description.contains("encoded none of 1 text") && failure.description.contains(reason), "\(failure)")
        #expect(server.requests.count == 2)
    }

    @Test("an answer that nobody asked for is no answer to the next request", arguments: [0, 2_000, 20_000])
    func unsolicited(microseconds: UInt32) throws {
        @Sendable func answer(_ value: Int) -> String {
            let body = "{\"data\": [{\"index\": 0, \"embedding\": [1, \(value)]}]}"
            return header("Content-Length: \(body.utf8.count)") + body
        }
        let server = try answering { connection in
            #expect(connection.header.lowercased().contains("connection: close"))
            connection.write(answer(2))
            usleep(microseconds)
            connection.write(answer(3))
        }
        defer { server.stop() }
        let service = try service(server, batch: 1)
        for _ in 0..<5 { #expect(try service.embeddings(of: ["a", "b"]) == [[1, 2], [1, 2]]) }
        #expect(server.requests.count == 10)
    }

    @Test func resetConnections() throws {
        let server = try answering { $0.reset() }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 2))
        #expect(failure.description.contains("connection"), "\(failure)")
        #expect(server.requests.count == 2)
    }

    @Test("headers without end are cut")
    func endlessHeaders() throws {
        let flood = Flood()
        let part = String(repeating: "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", count: 5000)
        let server = try answering { connection in
            connection.write("HTTP/1.1 200 OK\r\n")
            flood.pour(connection, part)
        }
        defer { server.stop() }
        let failure = try expectFailure(service(server))
        #expect(failure.description.contains("headers are too long"), "\(failure)")
        #expect(flood.kilobytes.withLock { $0 } < 20_000)
    }

    @Test("a length beyond the bound is refused at its announcement")
    func announced() throws {
        let server = try answering { connection in
            connection.write(header("Content-Length: 10000000000"))
            connection.waitForClose()
        }
        defer { server.stop() }
        #expect(try expectFailure(service(server)).description.contains("longer than 327680 bytes"))
    }

    @Test("a length that is too short leaves half an answer")
    func shortened() throws {
        let server = try answering { $0.write(header("Content-Length: 12") + oneVector) }
        defer { server.stop() }
        #expect(try expectFailure(service(server)) == .malformedAnswer(endpoint: server.address, reason: "it is not JSON"))
    }

    @Test("nobody there")
    func refusedConnection() throws {
        let server = try LocalServer { _, _, _ in .none }
        server.stop()
        let failure = try expectFailure(service(server, attempts: 2))
        #expect(failure.description.contains("connection refused"), "\(failure)")
    }

    @Test("an unknown host")
    func unknownHost() throws {
        var options = EmbeddingService.Options()
        options.attempts = 1
        options.timeout = 2
        let service = EmbeddingService(
            address: try ServiceAddress("http://no-such-host.invalid/v1"), model: "m", options: options)
        let failure = try expectFailure(service)
        #expect(failure.description.contains("unknown host") || failure.description.contains("no response"), "\(failure)")
    }

    @Test("answers that are none say what is wrong with them", arguments: Self.malformedAnswers)
    func malformed(body: String, texts: Int, reason: String) throws {
        let server = try LocalServer { _, _, _ in .init(status: 200, body: body) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5), texts: Array(["a", "b", "c"].prefix(texts)))
        guard case .malformedAnswer(server.address, let found) = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect(found.contains(reason), "\(found)")
        #expect(server.requests.count == 1)
    }

    private static func data(_ items: String...) -> String { "{\"data\": [\(items.joined(separator: ", "))]}" }

    private static func item(_ index: String, _ vector: String) -> String {
        "{\"index\": \(index), \"embedding\": [\(vector)]}"
    }

    private static let malformedAnswers: [(String, Int, String)] = [
        ("", 1, "it is empty"),
        (" \r\n", 1, "it is empty"),
        ("<html>\(secret)</html>", 1, "it is not JSON"),
        ("{\"data\": [", 1, "it is not JSON"),
        (String(repeating: "[", count: 100_000), 1, "it is not JSON"),
        ("[]", 1, "expected {\"data\""),
        ("null", 1, "expected {\"data\""),
        ("{\"error\": \"\(secret)\"}", 1, "expected {\"data\""),
        (data(), 1, "0 vectors for 1 text"),
        (data(item("0", "1"), item("1", "1")), 1, "2 vectors for 1 text"),
        (data(item("0", "1"), item("0", "2")), 2, "index 0 appears twice"),
        (data(item("0", "1"), item("2", "2")), 2, "index 2 is out of range for 2 texts"),
        (data(item("-1", "1")), 1, "index -1 is out of range for 1 text"),
        (data(item("99999999999999999999", "1")), 1, "out of range"),
        (data(item("0", "")), 1, "the vector with index 0 is empty"),
        (data(item("0", "1, 2"), item("1", "1")), 2, "vectors with 2 and with 1 dimensions"),
        (data(item("0", "1, null")), 1, "data[0].embedding[1]"),
        (data(item("0", "\"\(secret)\"")), 1, "data[0].embedding[0]"),
        (data(item("0", "NaN")), 1, "it is not JSON"),
        (data(item("0", "1e39")), 1, "out of range"),
        (data(item("0", "1e400")), 1, "out of range"),
        ("{\"data\": [{\"index\": 0}]}", 1, "expected {\"data\""),
    ]
}
