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
        let shown = "http://localhost:\(other.port)"
        #expect(failure == .redirected(status: status, endpoint: server.address, to: shown))
        #expect(other.requests.isEmpty)
        #expect(server.requests.count == 1)
        #expect(failure.description.contains(shown))
    }

    @Test("a redirect without end is one request")
    func loop() throws {
        let server = try LocalServer { _, _, _ in .init(status: 307, body: "", header: ["Location: /v1/embeddings"]) }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5), texts: ["a", "b", "c"])
        #expect(failure == .redirected(status: 307, endpoint: server.address, to: "another path of the same host"))
        #expect(server.requests.count == 1)
    }

    @Test(
        "of a redirect's address scheme, host and port are shown, without the key in any spelling",
        arguments: [
            ("https://b/x?token=1#f", "https://b"), ("http://me:word@b:80/x", "http://b:80"), ("//", "//"), ("", "an empty address"),
            ("http://b/\(secret)/x", "http://b"), ("file:///etc/passwd", "file://"), ("//b/x", "//b"),
            ("x?y", "another path of the same host"),
            ("http://b/\(secret.uppercased())/x", "http://b"), ("http://b/sk%2DSECRET", "http://b"), ("http://b/sk%252DSECRET", "http://b"),
            ("http://me:word@b\\c", "http://b"), ("data:sk%2DSECRET", "an address with another scheme"),
            ("http://b/\u{E9}", "http://b"), ("http://\u{E9}/", "http://?"), ("http://\(secret)/x", "http://(key)"),
            ("http://\(secret.lowercased()).b/", "(a text with the key)"), ("http://SK%2dsecret.b/", "(a text with the key)"),
            ("http://SK%252d%73ecret.b/", "(a text with the key)"), ("SK-SECRET://b/", "(a text with the key)"),
            ("http://100%/", "http://100%"),
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
            try expectFailure(service(server)) == .redirected(status: 302, endpoint: server.address, to: "an empty address"))
    }
}
