public import Diversity
import Formats

/// A text encoder behind HTTP: a local or remote service that is compatible with OpenAI's `POST /v1/embeddings`.
///
/// A request contains `{"input": [texts], "model": name}`; the response is `{"data": [{"index", "embedding"}]}`. Network
/// failures, time-outs and the status codes 408, 429 and 5xx are retried with increasing pauses, or after the time in Retry-After
/// if that is longer. A batch that the service rejects (400, 413, 422) is sent text by text. Texts that still fail have no
/// vector; metrics exclude and count them. Redirects, a wrong key or address (other status codes) and invalid responses end the
/// run.
public struct EmbeddingService: TextEncoder {
    /// The options for requests.
    public struct Options: Sendable, Equatable {
        /// The number of texts per request.
        public var batchSize = 64
        /// The time-out of a request in seconds.
        public var timeout = 60.0
        /// The maximum number of attempts per request.
        public var attempts = 5
        /// Seconds before the first retry. Each further pause is twice as long, up to 16 times this value.
        public var pause = 0.5

        /// Creates the default options.
        public init() {}
    }

    /// A condition that makes the service unusable.
    public enum Failure: TextEncoderFailure, Equatable, Sendable, CustomStringConvertible {
        /// The service rejects the address or the model.
        case refused(status: Int, endpoint: String)
        /// The service rejects the key in an environment variable, or requires a key that is not set.
        case keyRefused(status: Int, endpoint: String, variable: String, isSet: Bool)
        /// The service redirects to another address. Nothing was sent to that address.
        case redirected(status: Int, endpoint: String, to: String)
        /// The response does not have the expected structure.
        case malformedAnswer(endpoint: String, reason: String)
        /// No text was encoded.
        case nothingEncoded(endpoint: String, texts: Int, reason: String)

        /// The error message, on one line: which service, what happened, and what to check.
        public var description: String {
            switch self {
            case .refused(let status, let endpoint): RefusalText.refused(status, endpoint)
            case .keyRefused(let status, let endpoint, let variable, let isSet):
                RefusalText.keyRefused(status, endpoint, variable: variable, isSet: isSet)
            case .redirected(let status, let endpoint, let target): RefusalText.redirected(status, endpoint, to: target)
            case .malformedAnswer(let endpoint, let reason):
                "\(endpoint) returned an invalid embeddings response: \(reason)"
            case .nothingEncoded(let endpoint, let texts, let reason):
                "\(endpoint) encoded none of \(Counted(texts, "text")) (\(reason)); check that the service is running"
            }
        }
    }

    /// The environment variable for the key.
    public static let keyVariable = "OPENAI_API_KEY"

    /// The address and the model.
    public var name: String { "\(address.text) \(model)" }
    let address: ServiceAddress
    let model: String
    let key: ServiceKey?
    let options: Options

    /// Creates an encoder for a service.
    ///
    /// - Parameters:
    ///   - address: The full URL, such as `http://localhost:8080/v1/embeddings`.
    ///   - model: The model name that the service expects.
    ///   - key: The bearer token; nil sends none.
    ///   - options: The options for requests.
    public init(address: ServiceAddress, model: String, key: ServiceKey? = nil, options: Options = Options()) {
        precondition(options.batchSize > 0 && options.attempts > 0, "batch size and attempts must be at least 1")
        self.address = address
        self.model = model
        self.key = key
        self.options = options
    }

    /// One vector per text; nil for texts that failed.
    ///
    /// - Throws: ``Failure`` if the service is unusable or no text was encoded.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        var exchange = EmbeddingExchange(service: self)
        var vectors: [[Float]?] = []
        var lastReason = ""
        let size = min(options.batchSize, max(texts.count, 1))
        for start in stride(from: 0, to: texts.count, by: size) {
            let batch = Array(texts[start..<min(start + size, texts.count)])
            switch try exchange.request(batch) {
            case .vectors(let answer): vectors += answer.map { $0 }
            case .failed(let reason):
                lastReason = reason
                vectors += batch.map { _ in nil }
            case .rejected(let status):
                lastReason = "status \(status)"
                for text in batch {
                    guard batch.count > 1, case .vectors(let answer) = try exchange.request([text]) else {
                        vectors.append(nil)
                        continue
                    }
                    vectors.append(answer[0])
                }
            }
        }
        if !texts.isEmpty, vectors.allSatisfy({ $0 == nil }) {
            throw Failure.nothingEncoded(endpoint: address.description, texts: texts.count, reason: lastReason)
        }
        return vectors
    }
}
