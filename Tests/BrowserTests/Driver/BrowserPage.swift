import Foundation

/// A tab of a browser.
final class BrowserPage {
    let browser: Browser
    private let session: String
    private let target: String
    /// Where this tab's events begin.
    private let firstEvent: Int

    init(_ browser: Browser) throws {
        self.browser = browser
        firstEvent = browser.events.count
        target = try Self.word("targetId", of: browser.call("Target.createTarget", ["url": "about:blank"]))
        session = try Self.word("sessionId", of: browser.call("Target.attachToTarget", ["targetId": target, "flatten": true]))
        for domain in ["Page", "Runtime", "Log", "Network", "DOM", "Accessibility"] { try call("\(domain).enable") }
    }

    private static func word(_ name: String, of answer: [String: Any]) throws -> String {
        guard let word = answer[name] as? String else { throw Browser.Refusal(description: "no \(name) in \(answer)") }
        return word
    }

    /// Calls a method of the protocol for this tab.
    @discardableResult
    func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        try browser.call(method, parameters, session: session)
    }

    /// Closes the tab.
    func close() throws { try browser.call("Target.closeTarget", ["targetId": target]) }

    // MARK: Opening

    /// Opens an address and waits until it is loaded.
    func open(_ address: String) throws {
        let before = browser.events.count
        let answer = try call("Page.navigate", ["url": address])
        if let problem = answer["errorText"] as? String { throw Browser.Refusal(description: "\(address): \(problem)") }
        // another fragment of the same document is no new one
        guard answer["loaderId"] != nil else { return }
        try browser.wait(for: "loading \(address)", from: before) {
            $0["method"] as? String == "Page.loadEventFired" && $0["sessionId"] as? String == session
        }
    }

    /// Opens a file, perhaps with a fragment.
    func open(_ file: URL, fragment: String = "") throws {
        try open(file.absoluteString + (fragment.isEmpty ? "" : "#" + fragment))
    }

    /// Loads the page again.
    func reload() throws {
        let before = browser.events.count
        try call("Page.reload")
        try browser.wait(for: "loading again", from: before) {
            $0["method"] as? String == "Page.loadEventFired" && $0["sessionId"] as? String == session
        }
    }

    // MARK: What the page is told about its reader

    /// Sets the window's size in CSS pixels.
    func setViewport(width: Int, height: Int, isMobile: Bool = false, scale: Double = 1) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": scale, "mobile": isMobile])
    }

    /// Which medium and colours the reader prefers: `screen` or `print`, `light` or `dark`.
    func emulate(medium: String = "screen", theme: String = "light", reducesMotion: Bool = true) throws {
        let features = [
            ["name": "prefers-color-scheme", "value": theme],
            ["name": "prefers-reduced-motion", "value": reducesMotion ? "reduce" : "no-preference"],
        ]
        try call("Emulation.setEmulatedMedia", ["media": medium, "features": features])
    }

    /// Forbids scripts in pages that are opened from now on, or permits them again.
    func setScripts(areAllowed: Bool) throws { try call("Emulation.setScriptExecutionDisabled", ["value": !areAllowed]) }

    // MARK: Looking

    /// The value of a JavaScript expression. A promise is waited for.
    func evaluate<Value: Decodable>(_ expression: String, as type: Value.Type = Value.self) throws -> Value {
        let wrapped = "Promise.resolve(\(expression)).then(value => JSON.stringify(value === undefined ? null : value))"
        let answer = try call("Runtime.evaluate", ["expression": wrapped, "awaitPromise": true, "returnByValue": true])
        if let problem = answer["exceptionDetails"] { throw Browser.Refusal(description: "\(expression): \(problem)") }
        guard let text = (answer["result"] as? [String: Any])?["value"] as? String else {
            throw Browser.Refusal(description: "\(expression): no value in \(answer)")
        }
        return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// Runs JavaScript statements.
    func run(_ statements: String) throws { _ = try evaluate("(async () => { \(statements) })()", as: Int?.self) }

    /// Waits until a JavaScript condition holds.
    func wait(until condition: String) throws {
        let end = Date(timeIntervalSinceNow: 20)
        while try !evaluate("!!(\(condition))", as: Bool.self) {
            guard Date() < end else { throw DevToolsPipe.Failure.late(condition) }
            usleep(20_000)
        }
    }

    /// Writes a picture of the window, or of the whole page, as PNG.
    func screenshot(to file: URL, ofWholePage: Bool = false) throws {
        let answer = try call("Page.captureScreenshot", ["format": "png", "captureBeyondViewport": ofWholePage])
        guard let data = Data(base64Encoded: try Self.word("data", of: answer)) else {
            throw Browser.Refusal(description: "the picture is not base64")
        }
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    // MARK: Acting

    /// Presses a key: a character, or `Escape`, `Enter`, `Tab`, `ArrowDown`, `ArrowUp` and the like.
    /// - Parameter modifiers: 1 for Alt, 2 for Control, 4 for Meta, 8 for Shift, summed.
    func press(_ key: String, modifiers: Int = 0) throws {
        let codes = [
            "Escape": 27, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35,
            "Backspace": 8, " ": 32,
        ]
        var event: [String: Any] = ["key": key, "modifiers": modifiers]
        event["windowsVirtualKeyCode"] = codes[key] ?? key.uppercased().utf8.first.map(Int.init) ?? 0
        if key.count == 1 { event["text"] = key }
        if key == "Enter" { event["text"] = "\r" }
        if key.count > 1 { event["code"] = key }
        try call("Input.dispatchKeyEvent", event.merging(["type": "keyDown"]) { $1 })
        event["text"] = nil
        try call("Input.dispatchKeyEvent", event.merging(["type": "keyUp"]) { $1 })
    }

    /// Types a text into what has the focus.
    func type(_ text: String) throws { try call("Input.insertText", ["text": text]) }

    /// Presses the mouse's first button in the middle of the first element that a selector finds.
    func click(_ selector: String) throws {
        let quoted = String(decoding: try JSONEncoder().encode(selector), as: UTF8.self)
        let place: [Double] = try evaluate(
            """
            (() => { const e = document.querySelector(\(quoted)); e.scrollIntoView({block: 'center', behavior: 'instant'});
            const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()
            """)
        for kind in ["mousePressed", "mouseReleased"] {
            try call(
                "Input.dispatchMouseEvent", ["type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1])
        }
    }

    // MARK: What has happened

    private var events: [(method: String, parameters: [String: Any])] {
        browser.events[firstEvent...].compactMap { event in
            guard event["sessionId"] as? String == session, let method = event["method"] as? String else { return nil }
            return (method, event["params"] as? [String: Any] ?? [:])
        }
    }

    /// What went wrong since the tab was opened, a line each: exceptions, warnings and errors of the console, violations of the content
    /// security policy, dialogs, requests for anything but files and data, and pages opened by the page.
    func problems() throws -> [String] {
        // what is under way is told before this is answered
        _ = try evaluate("new Promise(done => setTimeout(() => done(1), 50))", as: Int.self)
        return events.compactMap { method, parameters -> String? in
            switch method {
            case "Runtime.exceptionThrown":
                let details = parameters["exceptionDetails"] as? [String: Any]
                let exception = details?["exception"] as? [String: Any]
                return "exception: \(exception?["description"] ?? details?["text"] ?? parameters)"
            case "Runtime.consoleAPICalled":
                let kind = parameters["type"] as? String ?? ""
                let words = parameters["arguments"] ?? parameters["args"] ?? ""
                return ["error", "warning", "assert"].contains(kind) ? "console: \(words)" : nil
            case "Log.entryAdded":
                let entry = parameters["entry"] as? [String: Any] ?? [:]
                return "log: \(entry["level"] ?? "") \(entry["text"] ?? "")"
            case "Network.requestWillBeSent":
                let address = (parameters["request"] as? [String: Any])?["url"] as? String ?? ""
                return ["file:", "data:", "blob:", "about:"].contains(where: address.hasPrefix) ? nil : "request: \(address)"
            case "Page.javascriptDialogOpening": return "dialog: \(parameters["message"] ?? "")"
            case "Page.windowOpen": return "window: \(parameters["url"] ?? "")"
            case "Page.downloadWillBegin": return "download: \(parameters["url"] ?? "")"
            case "Inspector.targetCrashed": return "the tab has crashed"
            default: return nil
            }
        }
    }
}
