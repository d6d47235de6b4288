internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Error messages for network errors.
package enum FailureReason {
    /// One line without addresses and without text from the other side.
    package static func text(of error: any Error, seconds: Double) -> String {
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout,
                .cancelled:
                "no response within \(number(seconds)) s"
            case .remoteConnectionClosed: "the connection was closed before the response was complete"
            default: error.shortDescription.lowercased()
            }
        case let error as HTTPParserError:
            error == .invalidEOFState
                ? "the connection was closed before the response was complete" : "the response is not HTTP, or its headers are too long"
        case let error as AnswerGuard.ImpossibleStatus: "the response is not HTTP: its status is \(error.status)"
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first {
                "cannot connect: \(text(of: first.error, seconds: seconds))"
            } else {
                "cannot connect: unknown host"
            }
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case let error as ChannelError:
            switch error {
            case .connectTimeout: "no response within \(number(seconds)) s"
            default: "the connection was closed"
            }
        default: handshake(String(describing: error))
        }
    }

    /// The message for a TLS error: the name of the error in the TLS library's text.
    private static func handshake(_ text: String) -> String {
        if text.contains("failedToValidateHostname") { return "TLS failed: the certificate is for another host" }
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return text }
        let name = text[mark.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return "TLS failed: " + name.lowercased().replacing("_", with: " ")
    }

    private static func number(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? "\(Int64(seconds))" : "\(seconds)"
    }
}
