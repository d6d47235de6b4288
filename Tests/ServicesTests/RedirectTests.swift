import Services
import Testing
import _TestSupport

/// A key goes to the address that was named, and nowhere else.
@Suite struct RedirectTests {
    @Test("a redirect to another port is refused by name; nothing arrives there", arguments: [301, 302, 303, 307, 308])
    func elsewhere(status: Int) throws {
        let other = try LocalServer { _, _, _ in .init(status: 200, body: oneVector) }
        defer { other.stop() }
        let target = "http://localhost:\(other.port)/v1/embeddings"
        let server = try LocalServer { _, _, _ in .init(status: status, body: oneVector, header: ["Location: \(target)"]) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5))
        #expect(failure == .redirected(status: status, endpoint: server.address, to: target))
        #expect(other.requests.isEmpty)
        #expect(server.requests.count == 1)
        #expect(failure.description.contains(target))
    }

    @Test("a redirect without end is one request")
    func loop() throws {
        let server = try LocalServer { _, _, _ in .init(status: 307, body: "", header: ["Location: /v1/embeddings"]) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5), texts: ["a", "b", "c"])
        #expect(failure == .redirected(status: 307, endpoint: server.address, to: "/v1/embeddings"))
        #expect(server.requests.count == 1)
    }

    @Test(
        "what a redirect says is shown without queries, names, control characters and the key",
        arguments: [
            ("https://b/x?token=1#f", "https://b/x"), ("http://me:word@b/x", "...@b/x"), ("//", "//"), ("", "no address"),
            ("http://b/\(secret)/x", "http://b/(key)/x"), ("file:///etc/passwd", "file:///etc/passwd"),
            ("http://b/\u{E9}", "http://b/?"),
        ])
    func location(text: String, shown: String) throws {
        let server = try LocalServer { _, _, _ in .init(status: 302, body: "", header: ["Location: \(text)"]) }
        defer { server.stop() }
        #expect(
            try expectFailure(service(server)) == .redirected(status: 302, endpoint: server.address, to: shown))
    }

    @Test func withoutAddress() throws {
        let server = try LocalServer { _, _, _ in .init(status: 302, body: "") }
        defer { server.stop() }
        #expect(
            try expectFailure(service(server)) == .redirected(status: 302, endpoint: server.address, to: "no address"))
    }
}
