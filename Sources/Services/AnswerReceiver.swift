internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Receives a response and stops as soon as it is clear that its body must not be read.
final class AnswerReceiver: HTTPClientResponseDelegate {
    typealias Response = ServiceClient.Answer

    /// The reason for stopping early.
    enum Stop: Error {
        /// The status code is sufficient; the body is not read.
        case answered(ServiceClient.Answer)
        /// The response is rejected.
        case refused(ServiceClient.Problem)
    }

    private let limit: Int
    private let key: ServiceKey?
    private let body = Mutex<[UInt8]>([])

    init(limit: Int, key: ServiceKey?) {
        self.limit = limit
        self.key = key
    }

    func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        if let stop = stop(at: head) { return task.eventLoop.makeFailedFuture(stop) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = body.withLock { body in
            guard body.count + buffer.readableBytes <= limit else { return false }
            body.append(contentsOf: buffer.readableBytesView)
            return true
        }
        return fits
            ? task.eventLoop.makeSucceededVoidFuture()
            : task.eventLoop.makeFailedFuture(Stop.refused(.tooLong(limit: limit)))
    }

    func didFinishRequest(task: HTTPClient.Task<Response>) throws -> Response {
        Response(status: 200, body: body.withLock { $0 })
    }

    private func stop(at head: HTTPResponseHead) -> Stop? {
        let status = Int(head.status.code)
        if (300..<400).contains(status), status != 304 {
            return .refused(.redirected(status: status, to: target(head.headers.first(name: "Location"))))
        }
        guard status == 200 else {
            return .answered(
                Response(status: status, body: [], retryAfter: Self.retryAfter(head.headers.first(name: "Retry-After"))))
        }
        if let coding = head.headers[canonicalForm: "Content-Encoding"].first(where: { $0.lowercased() != "identity" && !$0.isEmpty }) {
            return .refused(.compressed(ServiceKey.shown(coding, hiding: key)))
        }
        if let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > limit {
            return .refused(.tooLong(limit: limit))
        }
        return nil
    }

    /// The target of a redirect for error messages: scheme, host and port. A user name, a path and a query may contain secrets.
    private func target(_ location: String?) -> String {
        guard let location, !location.isEmpty else { return "an empty address" }
        let scheme: Substring
        let rest: Substring
        if location.hasPrefix("//") {
            (scheme, rest) = ("", location.dropFirst(2))
        } else if let mark = location.firstRange(of: "://"), !location[..<mark.lowerBound].contains(where: { "/?#\\".contains($0) }) {
            (scheme, rest) = (location[..<mark.lowerBound], location[mark.upperBound...])
        } else if location.prefix(while: { !"/?#".contains($0) }).contains(":") {
            return "an address with another scheme"
        } else {
            return "another path of the same host"
        }
        let authority = rest.prefix { !"/?#\\".contains($0) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return ServiceKey.shown((scheme.isEmpty ? "" : scheme + ":") + "//" + host, hiding: key)
    }

    /// The value of a Retry-After header in seconds; the header is a number of seconds or an HTTP date. Nil if it is missing or
    /// invalid.
    static func retryAfter(_ text: String?, now: Date = Date()) -> Double? {
        guard let text = text?.trimmingCharacters(in: .whitespaces), !text.isEmpty else { return nil }
        if text.utf8.allSatisfy({ (48...57).contains($0) }) { return Double(text) }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return formatter.date(from: text).map { max(0, $0.timeIntervalSince(now)) }
    }
}
