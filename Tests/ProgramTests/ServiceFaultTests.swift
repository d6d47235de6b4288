import Foundation
import Testing
import _TestSupport

/// `calculate-diversity` with an embedding service that fails: the status, the words, the time, and where the key is not.
@Suite struct ServiceFaultTests {
    private static let secret = "sk-SECRET"
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let rows = (0..<6).map { "{\"input\": \"i\($0 / 2)\", \"output\": \"text \($0)\"}\n" }
        try Data(rows.joined().utf8).write(to: folder["rows.jsonl"])
    }

    private func start(_ address: String, key: String = secret, _ extra: String..., attempts: Int = 2) throws -> ProgramProcess {
        try ProgramProcess(
            "calculate-diversity",
            [
                "--decodes", "rows.jsonl", "--output-dir", "runs", "--diversity-metrics", "openai_from_sim", "--threads", "1",
                "--embedding-service-url", address, "--embedding-service-attempts", String(attempts),
            ] + extra, in: folder.url, environment: ["OPENAI_API_KEY": key])
    }

    /// Everything in the run's folder and on standard error.
    private func everything(_ errors: String) -> String {
        let files = FileManager.default.enumerator(at: folder["runs"], includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? []).map { $0.path + text(of: $0) }.joined() + errors
    }

    private func expectFailure(_ process: ProgramProcess, status: Int32, _ words: String...) {
        let end = process.wait()
        #expect(end.status == status, "\(end.errors)")
        for word in words { #expect(end.errors.contains(word), "\(end.errors)") }
        #expect(!everything(end.errors).contains(Self.secret), "\(end.errors)")
    }

    @Test("a redirect ends with 74, and the other host sees no key")
    func redirect() throws {
        let other = try LocalServer { _, _, _ in .init(status: 200, body: "{}") }
        let target = "http://localhost:\(other.port)"
        let server = try LocalServer { _, _, _ in .init(status: 307, body: "", header: ["Location: \(target)/v1"]) }
        defer {
            server.stop()
            other.stop()
        }
        expectFailure(try start(server.address), status: 74, "status 307, a redirect to \(target)", "not followed")
        #expect(other.requests.isEmpty && server.requests.count == 1)
    }

    @Test("refused keys, answers that are none and services that are down end with 74")
    func otherFailures() throws {
        for (answer, word) in [
            (LocalServer.Answer(status: 401, body: Self.secret), "check the key in OPENAI_API_KEY"),
            (LocalServer.Answer(status: 200, body: "<html>\(Self.secret)"), "it is not JSON"),
            (LocalServer.Answer(status: 503, body: Self.secret), "encoded none of 6 texts (status 503)"),
            (.none, "encoded none of 6 texts"),
        ] {
            let server = try LocalServer { _, _, _ in answer }
            defer { server.stop() }
            expectFailure(try start(server.address), status: 74, word)
        }
    }

    @Test("a service that never answers ends at the deadline, and waiting takes no processor time")
    func silence() throws {
        let asked = DispatchSemaphore(value: 0)
        let server = try LocalServer { (connection: LocalServer.Connection) in
            asked.signal()
            connection.waitForClose()
        }
        defer { server.stop() }
        let process = try start(server.address, "--embedding-service-timeout", "3", attempts: 1)
        try #require(asked.wait(timeout: .now() + 90) == .success, "the service was never asked")
        let start = ContinuousClock.now
        let before = try processorSeconds(process.pid)
        usleep(700_000)
        let after = try processorSeconds(process.pid)
        #expect(after - before < 0.1, "\(after - before) s of processor time in 0.7 s")
        expectFailure(process, status: 74, "no response within 3 s")
        let seconds = start.duration(to: .now) / .seconds(1)
        #expect(seconds < 30, "\(seconds) s")
    }

    /// User and system time of a process so far.
    private func processorSeconds(_ pid: Int32) throws -> Double {
        let stat = text(of: URL(fileURLWithPath: "/proc/\(pid)/stat"))
        let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
        let ticks = try #require(fields.count > 12 ? Double(fields[11]).flatMap { a in Double(fields[12]).map { a + $0 } } : nil)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test("addresses and keys that cannot be are 64, are not shown, and leave no run behind")
    func refusedOptions() throws {
        for (address, key, word) in [
            ("http://me:\(Self.secret)@localhost/v1", "k", "--embedding-service-url has a user name or password"),
            ("http://localhost/v1?api_key=\(Self.secret)", "k", "parameter api_key"),
            ("http://localhost:99999/\(Self.secret)", "k", "its port is not a number"),
            ("ftp://\(Self.secret)/v1", "k", "it does not begin with http"),
            ("http://localhost/v1", "\(Self.secret)\nX: y", "OPENAI_API_KEY in the environment is not a valid key"),
        ] {
            expectFailure(try start(address, key: key), status: 64, word)
            #expect(!FileManager.default.fileExists(atPath: folder["runs"].path))
        }
    }

    @Test("queries are sent, and neither logged nor shown in errors")
    func queries() throws {
        let server = try LocalServer { _, header, _ in .init(status: header.contains("?api-version=hidden ") ? 404 : 500, body: "") }
        defer { server.stop() }
        let end = try start(server.address + "?api-version=hidden").wait()
        #expect(end.status == 74 && end.errors.contains("\(server.address) returned status 404"), "\(end.errors)")
        #expect(!end.errors.contains("hidden"), "\(end.errors)")
    }
}
