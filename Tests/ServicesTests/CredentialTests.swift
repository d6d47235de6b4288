import Services
import Testing
import _TestSupport

/// Addresses and keys: what is taken, what is said of what is not, and what nobody sees.
@Suite struct CredentialTests {
    @Test(
        "addresses of services",
        arguments: [
            ("http://localhost:8080/v1/embeddings", "http://localhost:8080/v1/embeddings"),
            ("HTTPS://api.example.com/v1", "https://api.example.com/v1"), ("http://[::1]:80/x", "http://[::1]:80/x"),
            ("http://127.0.0.1:65535", "http://127.0.0.1:65535"), ("http://a_b-c.d/%20x", "http://a_b-c.d/%20x"),
            ("https://a/x?api-version=2024-02-01&deployment=b", "https://a/x"), ("http://a/x?encoding=float&codec=1", "http://a/x"),
        ])
    func addresses(text: String, shown: String) throws { #expect(try ServiceAddress(text).description == shown) }

    @Test(
        "what is no address",
        arguments: [
            "", "a", "localhost:8080/v1", "file:///etc/passwd", "ftp://a/x", "unix:///x", "http:///x", "http://", "http://:80/",
            "http://a:0/", "http://a:65536/", "http://a:99999/", "http://a:99999999999999999999/", "http://a:/", "http://a:8x/",
            "http://a b/", "http://a/x y", "http://a/\u{E9}", "http://a/\n", "http://a\\b/", "http://word\\@a/", "http://a/%",
            "http://a/%4", "http://[::1/", "http://[gg]/",
            "http://[::1]x/", "http://a%0d%0ab/", "http://a/x#y", "http+unix://%2Ftmp%2Fx/", "http://a/<x>", "http://a/%zz",
        ])
    func noAddresses(text: String) {
        let problem = #expect(throws: ServiceAddress.Problem.self, "\(text)") { try ServiceAddress(text) }
        guard case .malformed = problem else {
            Issue.record("\(text): \(problem.debugDescription)")
            return
        }
    }

    @Test("names and passwords are refused without being shown", arguments: ["me:word@", "me@", "@", ":word@"])
    func users(user: String) {
        let problem = #expect(throws: ServiceAddress.Problem.hasUser) { try ServiceAddress("http://\(user)a/x") }
        #expect(problem?.description.replacing("password", with: "").contains("word") == false)
    }

    @Test(
        "queries with secrets are refused",
        arguments: [
            "key", "api_key", "API-Key", "access%5Ftoken", "sig", "Password", "x=1&auth", "code", "CODE", "co%64e", "x-functions-key",
            "jwt",
        ])
    func secrets(parameter: String) {
        let problem = #expect(throws: ServiceAddress.Problem.self) { try ServiceAddress("http://a/x?\(parameter)=hidden") }
        guard case .hasSecret = problem else {
            Issue.record("\(problem.debugDescription)")
            return
        }
        #expect(problem?.description.contains("hidden") == false)
    }

    @Test(
        "a key is visible ASCII",
        arguments: [" ", "a b", "a\n", "\ta", "a\r\nX: y", "\u{E9}", "a\u{0}", "\u{7F}", String(repeating: "a", count: 5000)])
    func keys(text: String) throws {
        let problem = #expect(throws: ServiceKey.Problem.self) { try ServiceKey(text, variable: "A_KEY") }
        #expect(problem?.description.hasPrefix("A_KEY in the environment is not a valid key") == true)
        #expect(throws: ServiceKey.Problem.self) { try ServiceKey(variable: "A_KEY", environment: ["A_KEY": text]) }
    }

    @Test func aKeyIsNeverShown() throws {
        let key = try #require(try ServiceKey(variable: "A_KEY", environment: ["A_KEY": secret]))
        var dumped = ""
        dump(key, to: &dumped)

        #expect(!"\(key) \(String(reflecting: key)) \([key]) \(dumped)".contains(secret))
        #expect(try ServiceKey(variable: "A_KEY", environment: ["A_KEY": ""]) == nil)
        #expect(try ServiceKey(variable: "A_KEY", environment: [:]) == nil)
        let service = EmbeddingService(address: try ServiceAddress("http://a"), model: "m", key: key)
        dumped = ""
        dump(service, to: &dumped)
        #expect(!"\(service) \(dumped)".contains(secret))
    }

    @Test("refused credentials name the variable", arguments: [401, 403])
    func refused(status: Int) throws {
        let server = try LocalServer { _, _, _ in
            .init(status: status, body: "no such key: \(secret)", header: ["WWW-Authenticate: Basic realm=\"\(secret)\""])
        }
        defer { server.stop() }
        let failure = try expectFailure(service(server, attempts: 5))
        #expect(failure == .keyRefused(status: status, endpoint: server.address, variable: "A_KEY", isSet: true))
        #expect(failure.description.hasSuffix("check the key in A_KEY"))
        let keyless = try expectFailure(service(server, key: nil))
        #expect(keyless.description.hasSuffix("it requires a key, but OPENAI_API_KEY is not set"))
        #expect(server.requests.count == 2)
        #expect(server.requests[0].contains("Bearer \(secret)") && !server.requests[1].lowercased().contains("authorization"))
    }

    @Test("other statuses are what they are", arguments: [201, 204, 206, 304, 404, 407, 451, 600, 700])
    func statuses(status: Int) throws {
        let server = try LocalServer { _, _, _ in .init(status: status, body: oneVector) }
        defer { server.stop() }
        #expect(try expectFailure(service(server, attempts: 5)) == .refused(status: status, endpoint: server.address))
        #expect(server.requests.count == 1)
    }

    @Test("errors of TLS are their names, without places in sources")
    func handshakes() {
        struct Handshake: Error, CustomStringConvertible { var description: String }
        let text =
            "handshakeFailed(sslError([Error: 1 error:2:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at /x/handshake.cc:3]))"
        #expect(
            FailureReason.text(of: Handshake(description: text), seconds: 1)
                == "TLS failed: certificate verify failed")
    }
}
