/// A key of a service, sent as a bearer token and never shown: as a text it is the name of the variable that it came from.
public struct ServiceKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A text that can be no key.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// The variable of the environment.
        public var variable: String

        /// The text in this variable is none.
        public init(variable: String) { self.variable = variable }

        /// What is wrong, without the text itself.
        public var description: String {
            "\(variable) in the environment is no key: it has spaces, line breaks or other characters than visible ASCII, or more than "
                + "\(ServiceKey.greatestLength) of them; set it to the key alone"
        }
    }

    /// Longer texts are no keys.
    public static let greatestLength = 4096

    /// The variable of the environment.
    public let variable: String
    /// What is sent.
    let value: String

    /// Takes a text for a key.
    /// - Throws: ``Problem``, which does not repeat the text.
    public init(_ value: String, variable: String) throws(Problem) {
        guard !value.isEmpty, value.utf8.count <= Self.greatestLength, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(variable: variable)
        }
        self.value = value
        self.variable = variable
    }

    /// The key in a variable of an environment; nil where it is not set or empty.
    /// - Throws: ``Problem``.
    public init?(variable: String, environment: [String: String]) throws(Problem) {
        guard let value = environment[variable], !value.isEmpty else { return nil }
        try self.init(value, variable: variable)
    }

    /// The variable's name.
    public var description: String { "the key in \(variable)" }
    /// The variable's name.
    public var debugDescription: String { description }
    /// Nothing to look into.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// A text from the other side as an error may show it: short, visible characters only, and without the key.
    static func shown(_ text: some StringProtocol, hiding key: ServiceKey?) -> String {
        var text = String(text)
        if let key {
            text = text.replacing(key.value, with: "(key)")
            if key.isHidden(in: text) { return "(a text with the key)" }
        }
        let visible = text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" }
        return String(visible.prefix(200)) + (visible.count > 200 ? "…" : "")
    }

    /// A text of any length without the key: all of it is left out where the key stands in it in disguise.
    func hidden(in text: String) -> String {
        let text = text.replacing(value, with: "(key)")
        return isHidden(in: text) ? "(a text with the key)" : text
    }

    /// Whether a text has the key in it whatever the case of letters, between characters that are not shown, or with characters written as
    /// %XX, more than once perhaps.
    private func isHidden(in text: String) -> Bool {
        func plain(_ bytes: [UInt8]) -> [UInt8] {
            bytes.filter { (0x21...0x7E).contains($0) }.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        }
        func digit(_ byte: UInt8) -> UInt8? { Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init) }
        let wanted = plain(Array(value.utf8))
        var bytes = Array(text.utf8)
        while true {
            if plain(bytes).contains(wanted) { return true }
            var decoded: [UInt8] = []
            var position = 0
            while position < bytes.count {
                if bytes[position] == UInt8(ascii: "%"), position + 2 < bytes.count, let high = digit(bytes[position + 1]),
                    let low = digit(bytes[position + 2])
                {
                    decoded.append(high << 4 | low)
                    position += 3
                } else {
                    decoded.append(bytes[position])
                    position += 1
                }
            }
            if decoded.count == bytes.count { return false }
            bytes = decoded
        }
    }
}
