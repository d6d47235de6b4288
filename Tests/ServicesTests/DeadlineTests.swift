import Foundation
import Services
import Testing
import _TestSupport

/// A request ends in time, whatever the other side does.
@Suite struct DeadlineTests {
    /// What a service does that never comes to an end, and what it has done before.
    enum Delay: String, CaseIterable {
        case silence, slowHeader, slowBody, stoppedBody, stoppedChunk, informational
    }

    private static func act(_ delay: Delay, _ connection: LocalServer.Connection) {
        func drip(_ text: String) { while connection.write(text) { usleep(20_000) } }
        switch delay {
        case .silence: break
        case .slowHeader:
            connection.write("HTTP/1.1 200 OK\r\n")
            drip("X: y\r\n")
        case .slowBody:
            connection.write(header("Transfer-Encoding: chunked"))
            drip("1\r\n \r\n")
        case .stoppedBody: connection.write(header("Content-Length: 100") + "{")
        case .stoppedChunk: connection.write(header("Transfer-Encoding: chunked") + "fff\r\n{")
        case .informational: drip(header("Link: x", status: "103 Early Hints"))
        }
        connection.waitForClose()
    }

    @Test("the deadline ends a request and its connection", arguments: Delay.allCases)
    func deadline(delay: Delay) throws {
        let closed = DispatchSemaphore(value: 0)
        let server = try LocalServer { (connection: LocalServer.Connection) in
            Self.act(delay, connection)
            closed.signal()
        }
        defer { server.stop() }
        let start = ContinuousClock.now
        let failure = try expectFailure(service(server, timeout: 0.3))
        let seconds = start.duration(to: .now) / .seconds(1)
        #expect(failure == .nothingEncoded(endpoint: server.address, texts: 1, reason: "no response within 0.3 s"))
        #expect(seconds > 0.25 && seconds < 5, "\(seconds) s")
        #expect(closed.wait(timeout: .now() + 5) == .success)
        #expect(server.requests.count == 1)
    }

    @Test("each attempt has its own deadline")
    func attempts() throws {
        let server = try LocalServer { (connection: LocalServer.Connection) in connection.waitForClose() }
        defer { server.stop() }
        let start = ContinuousClock.now
        _ = try expectFailure(service(server, attempts: 3, timeout: 0.2))
        let seconds = start.duration(to: .now) / .seconds(1)
        #expect(seconds > 0.55 && seconds < 6, "\(seconds) s")
        // the last request may still be on its way to the list
        for _ in 0..<100 where server.requests.count < 3 { usleep(20_000) }
        #expect(server.requests.count == 3)
    }

    @Test("a late answer is an answer")
    func late() throws {
        let server = try LocalServer { _, _, _ in
            usleep(300_000)
            return .init(status: 200, body: oneVector)
        }
        defer { server.stop() }
        #expect(try service(server, timeout: 5).embeddings(of: ["a"]) == [[1, 2]])
    }

    @Test("a caller on every thread of the cooperative pool still gets its answer")
    func noThreadIsNeeded() async throws {
        let server = try LocalServer { _, _, _ in
            usleep(50_000)
            return .init(status: 200, body: oneVector)
        }
        defer { server.stop() }
        let callers = ProcessInfo.processInfo.activeProcessorCount * 2
        let answers = try await withThrowingTaskGroup(of: [[Float]?].self) { group in
            for _ in 0..<callers { group.addTask { try service(server).embeddings(of: ["a"]) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: [[1, 2]], count: callers))
    }

    @Test("a service that asks for a pause gets it")
    func retryAfter() throws {
        let server = try LocalServer { number, _, _ in
            number == 1
                ? .init(status: 429, body: "", header: ["Retry-After: 1"]) : .init(status: 200, body: oneVector)
        }
        defer { server.stop() }
        let start = ContinuousClock.now
        #expect(try service(server, attempts: 2, timeout: 5).embeddings(of: ["a"]) == [[1, 2]])
        #expect(start.duration(to: .now) >= .seconds(1))
    }

    @Test(
        "a service that asks for a longer pause than the time-out is left alone",
        arguments: ["999999999", "Fri, 31 Dec 2999 23:59:59 GMT", "99999999999999999999999999"])
    func retryMuchLater(value: String) throws {
        let server = try LocalServer { _, _, _ in .init(status: 503, body: "", header: ["Retry-After: \(value)"]) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, batch: 1, attempts: 5, timeout: 20), texts: ["a", "b", "c"])
        #expect(
            failure
                == .nothingEncoded(
                    endpoint: server.address, texts: 3, reason: "status 503, and it asks to wait longer than the time-out"))
        #expect(server.requests.count == 1)
    }

    @Test("pauses that cannot be read are none", arguments: ["soon", "-5", "", "1e9", "Thu, 01 Jan 1970 00:00:00 GMT"])
    func oddPauses(value: String) throws {
        let server = try LocalServer { number, _, _ in
            number == 1
                ? .init(status: 500, body: "", header: ["Retry-After: \(value)"]) : .init(status: 200, body: oneVector)
        }
        defer { server.stop() }
        #expect(try service(server, attempts: 2).embeddings(of: ["a"]) == [[1, 2]])
    }
}
