/// A bearer token for a service. It is never displayed: its description is the name of the environment variable that it came
/// from.
public struct ServiceKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The error for a text that is not a valid key.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// The name of the environment variable.
        public var variable: String

        /// Creates the error for the text in a variable.
        public init(variable: String) { self.variable = variable }

        /// The error message, without the text itself.
        public var description: String {
            "\(variable) in the environment is not a valid key: it has spaces, line breaks or characters other than visible ASCII, "
                + "or more than \(ServiceKey.greatestLength) characters; set it to the key only"
        }
    }

    /// The maximum length of a key in bytes.
    public static let greatestLength = 4096

    /// The name of the environment variable.
    public let variable: String
    /// The token.
    let value: String

    /// Creates a key.
    /// - Parameters:
    ///   - value: The token: visible ASCII characters without spaces.
    ///   - variable: The name of the environment variable that it came from.
    /// - Throws: ``Problem``, which does not repeat the text.
    public init(_ value: String, variable: String) throws(Problem) {
        guard !value.isEmpty, value.utf8.count <= Self.greatestLength, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(variable: variable)
        }
        self.value = value
        self.variable = variable
    }

    /// Reads the key from a variable of an environment. Nil if the variable is not set or is empty.
    /// - Throws: ``Problem``.
    public init?(variable: String, environment: [String: String]) throws(Problem) {
        guard let value = environment[variable], !value.isEmpty else { return nil }
        try self.init(value, variable: variable)
    }

    /// The name of the variable, without the token.
    public var description: String { "the key in \(variable)" }
    /// The name of the variable, without the token.
    public var debugDescription: String { description }
    /// A mirror without children, so that reflection does not reveal the token.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Text from the other side for an error message: at most 200 characters, non-ASCII and control characters replaced, without
    /// the key.
    static func shown(_ text: some StringProtocol, hiding key: ServiceKey?) -> String {
        var text = String(text)
        if let key {
            text = text.replacing(key.value, with: "(key)")
            if key.isHidden(in: text) { return "(a text with the key)" }
        }
        let visible = text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" }
        return String(visible.prefix(200)) + (visible.count > 200 ? "…" : "")
    }

    /// A text without the key. If the text contains the key in a disguised form, the whole text is replaced.
    func hidden(in text: String) -> String {
        let text = text.replacing(value, with: "(key)")
        return isHidden(in: text) ? "(a text with the key)" : text
    }

    /// Whether a text contains the key in disguise: in a different case, interspersed with invisible characters, or
    /// percent-encoded, possibly several times.
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
