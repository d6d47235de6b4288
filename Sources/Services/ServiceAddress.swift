internal import Foundation

/// The URL of a service: http or https, a host, an optional valid port, and no user name or password.
///
/// Error messages do not repeat an invalid URL, because it may contain secrets. For the same reason the description omits the
/// query; requests include it.
public struct ServiceAddress: Sendable, Hashable, CustomStringConvertible {
    /// The reason why a text is not a valid service URL.
    public enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        /// The scheme is not http or https, the host is missing, the port is invalid, or characters are not allowed in a URL.
        /// - Parameter example: A valid URL.
        case malformed(String, example: String)
        /// There is a user name or a password before the host.
        case hasUser
        /// The name of a query parameter indicates a secret.
        case hasSecret(parameter: String)

        /// The error message, to be appended to the name of an option.
        public var description: String {
            switch self {
            case .malformed(let reason, let example):
                "is not a valid service URL: \(reason); expected a URL such as \(example)"
            case .hasUser:
                "has a user name or password before its host, which would be stored with the run; set the key in the environment instead"
            case .hasSecret(let parameter):
                "has a parameter \(parameter), which would be stored with the run; set the key in the environment instead"
            }
        }
    }

    /// The whole URL, including the query.
    package let text: String
    /// The URL without its query.
    public let description: String

    /// The purpose of a service. Raw values are example URLs.
    public enum Use: String, Sendable {
        /// Text embeddings.
        case embeddings = "http://localhost:8080/v1/embeddings"
        /// Chat completions.
        case chat = "http://localhost:8080/v1/chat/completions"
        /// Experiment tracking.
        case tracking = "http://localhost:5000"
    }

    /// Parses a URL.
    /// - Parameters:
    ///   - text: The URL.
    ///   - use: The purpose, which selects the example in error messages.
    /// - Throws: ``Problem``.
    public init(_ text: String, for use: Use = .embeddings) throws(Problem) {
        do throws(Unfit) {
            (self.text, description) = try Self.parts(of: text)
        } catch {
            switch error {
            case .malformed(let reason): throw .malformed(reason, example: use.rawValue)
            case .hasUser: throw .hasUser
            case .hasSecret(let parameter): throw .hasSecret(parameter: parameter)
            }
        }
    }

    /// As ``Problem``, without the example.
    private enum Unfit: Error {
        case malformed(String)
        case hasUser
        case hasSecret(parameter: String)
    }

    /// The validated URL and its description.
    private static func parts(of text: String) throws(Unfit) -> (text: String, description: String) {
        guard let schemeEnd = text.firstRange(of: "://") else { throw .malformed("it does not begin with http:// or https://") }
        let scheme = text[..<schemeEnd.lowerBound].lowercased()
        let rest = text[schemeEnd.upperBound...]
        let authority = rest.prefix { !"/?#\\".contains($0) }
        guard !authority.contains("@") else { throw .hasUser }
        guard ["http", "https"].contains(scheme) else { throw .malformed("it does not begin with http:// or https://") }
        guard text.utf8.allSatisfy(Self.isAllowed), Self.escapesAreWhole(text) else {
            throw .malformed("it has spaces or characters that must be written as %XX")
        }
        guard !text.contains("#") else { throw .malformed("it has a fragment (#…), which is never sent to a service") }
        try Self.checkHost(authority)
        let pathAndQuery = rest[authority.endIndex...]
        let path = pathAndQuery.prefix { $0 != "?" }
        if let parameter = Self.secretParameter(in: pathAndQuery[path.endIndex...].dropFirst()) {
            throw .hasSecret(parameter: parameter)
        }
        guard URL(string: text)?.host != nil else { throw .malformed("it cannot be parsed") }
        return (text, "\(scheme)://\(authority)\(path)")
    }

    /// Whether RFC 3986 allows a character.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
        }
    }

    /// Whether every percent sign is followed by two hexadecimal digits.
    private static func escapesAreWhole(_ text: String) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy {
            $0.count >= 2 && $0.prefix(2).allSatisfy(\.isHexDigit)
        }
    }

    /// Checks an authority of the form `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
    private static func checkHost(_ authority: Substring) throws(Unfit) {
        let host: Substring
        let behind: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw .malformed("its host has no closing bracket") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            behind = authority[authority.index(after: end)...]
            guard !host.isEmpty, host.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit || ":.".utf8.contains($0) }) else {
                throw .malformed("the host in brackets is not an IPv6 address")
            }
        } else {
            host = authority.prefix { $0 != ":" }
            behind = authority[host.endIndex...]
            guard !host.isEmpty else { throw .malformed("it has no host") }
            let isPlain = host.utf8.allSatisfy {
                Character(UnicodeScalar($0)).isLetter || Character(UnicodeScalar($0)).isNumber || "-._".utf8.contains($0)
            }
            guard isPlain else { throw .malformed("its host has invalid characters") }
        }
        guard !behind.isEmpty else { return }
        let digits = behind.dropFirst()
        guard behind.first == ":", (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(digits), (1...65535).contains(port)
        else { throw .malformed("its port is not a number from 1 to 65535") }
    }

    /// The name of the first query parameter that indicates a secret.
    private static func secretParameter(in query: Substring) -> String? {
        let words = ["key", "token", "secret", "passw", "pwd", "auth", "credential", "signature", "jwt", "bearer", "session"]
        // `code` is the name of the key for Azure Functions
        let names = ["sig", "code", "pass", "sas"]
        return query.split { "&;".contains($0) }.lazy.map { String($0.prefix { $0 != "=" }) }.first { name in
            let name = (name.removingPercentEncoding ?? name).lowercased()
            return names.contains(name) || words.contains { name.contains($0) }
        }
    }
}
