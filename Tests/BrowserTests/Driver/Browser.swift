import Foundation

/// A headless Chromium with a throw-away profile, which the environment variable `REPORT_BROWSER` names.
///
/// It is synchronous: every call waits for the browser's answer, and throws where it does not come within a minute.
final class Browser {
    /// An answer that says that something went wrong.
    struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    /// The program to test with; nil where there is none, and tests in a browser are passed over.
    static var program: String? {
        ProcessInfo.processInfo.environment["REPORT_BROWSER"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How long an answer may take, in seconds.
    private static let patience = 60.0

    private let pipe: DevToolsPipe
    /// The folder of its profile.
    let profile: URL
    private var lastNumber = 0
    /// What the browser has told without being asked: `method`, `params` and perhaps `sessionId`.
    private(set) var events: [[String: Any]] = []

    /// Starts the browser.
    init() throws {
        guard let program = Self.program else { throw Refusal(description: "REPORT_BROWSER names no browser") }
        profile = FileManager.default.temporaryDirectory.appendingPathComponent("browser-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: profile, withIntermediateDirectories: true)
        var arguments = [
            "--headless=new", "--remote-debugging-pipe", "--user-data-dir=\(profile.path)", "--no-first-run", "--disable-gpu",
            "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en",
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]
        // Chromium refuses to run as root with its sandbox, and containers that build are often root
        if geteuid() == 0 { arguments.append("--no-sandbox") }
        pipe = try DevToolsPipe(
            program: program, arguments: arguments + ["about:blank"], log: profile.appendingPathComponent("browser.log"))
    }

    deinit { end() }

    /// Ends the browser and removes its profile.
    func end() {
        pipe.end()
        try? FileManager.default.removeItem(at: profile)
    }

    /// Calls a method of the protocol and returns its result.
    @discardableResult
    func call(_ method: String, _ parameters: [String: Any] = [:], session: String? = nil) throws -> [String: Any] {
        lastNumber += 1
        let number = lastNumber
        var message: [String: Any] = ["id": number, "method": method, "params": parameters]
        message["sessionId"] = session
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        do {
            try pipe.send(message, before: deadline)
            while true {
                let answer = try pipe.receive(before: deadline)
                guard answer["id"] as? Int == number else {
                    if answer["method"] != nil { events.append(answer) }
                    continue
                }
                if let error = answer["error"] as? [String: Any] {
                    throw Refusal(description: "\(method): \(error["message"] as? String ?? "\(error)")")
                }
                return answer["result"] as? [String: Any] ?? [:]
            }
        } catch DevToolsPipe.Failure.late {
            throw DevToolsPipe.Failure.late(method)
        }
    }

    /// Waits for an event that is accepted, among those from a place in ``events`` on.
    func wait(for what: String, from start: Int, _ accept: ([String: Any]) -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        var next = start
        while true {
            while next < events.count {
                if accept(events[next]) { return }
                next += 1
            }
            do {
                events.append(try pipe.receive(before: deadline))
            } catch DevToolsPipe.Failure.late {
                throw DevToolsPipe.Failure.late(what)
            }
        }
    }

    /// A new tab.
    func page() throws -> BrowserPage { try BrowserPage(self) }
}
