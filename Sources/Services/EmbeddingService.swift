public import Diversity

/// An encoder behind HTTP: any service with the shape of OpenAI's `POST /v1/embeddings`, on this machine or elsewhere.
///
/// A request carries `{"input": [texts], "model": name}`; the answer is `{"data": [{"index", "embedding"}]}`. Network
/// failures, time-outs, status 408, 429 and 5xx are tried again with growing pauses, longer ones where the service asks for them. A batch
/// that the service refuses (400, 413, 422) is sent text by text. Texts that fail in the end have no vector: metrics leave them out and
/// count them. Redirects, wrong credentials or addresses (other statuses) and answers that are none end the run.
public struct EmbeddingService: TextEncoder {
    /// How a service is reached.
    public struct Options: Sendable, Equatable {
        /// Texts in one request.
        public var batchSize = 64
        /// Seconds until a request that has no whole answer counts as failed.
        public var timeout = 60.0
        /// How often a request is tried before its texts are given up.
        public var attempts = 5
        /// Seconds before the second try; each further pause is twice as long, up to 16 times this.
        public var pause = 0.5

        /// The defaults.
        public init() {}
    }

    /// Why a service cannot be used at all.
    public enum Failure: TextEncoderFailure, Equatable, Sendable, CustomStringConvertible {
        /// The service refuses this address or model.
        case refused(status: Int, endpoint: String)
        /// The service refuses the key in this variable of the environment, or wants one where none is set.
        case keyRefused(status: Int, endpoint: String, variable: String, isSet: Bool)
        /// The service points to another address; nothing was sent there.
        case redirected(status: Int, endpoint: String, to: String)
        /// The answer is not of the expected shape.
        case malformedAnswer(endpoint: String, reason: String)
        /// Not one text was encoded.
        case nothingEncoded(endpoint: String, texts: Int, reason: String)

        /// One line: which service, what happened, what to check.
        public var description: String {
            switch self {
            case .refused(let status, let endpoint): RefusalText.refused(status, endpoint)
            case .keyRefused(let status, let endpoint, let variable, let isSet):
                RefusalText.keyRefused(status, endpoint, variable: variable, isSet: isSet)
            case .redirected(let status, let endpoint, let target): RefusalText.redirected(status, endpoint, to: target)
            case .malformedAnswer(let endpoint, let reason):
                "\(endpoint) gave an answer that is not one of an embedding service: \(reason)"
            case .nothingEncoded(let endpoint, let texts, let reason):
                "\(endpoint) encoded none of \(texts) texts (\(reason)): check that the service runs"
            }
        }
    }

    /// The variable of the environment that a key is read from.
    public static let keyVariable = "OPENAI_API_KEY"

    /// The address and the model.
    public var name: String { "\(address.text) \(model)" }
    let address: ServiceAddress
    let model: String
    let key: ServiceKey?
    let options: Options

    /// An encoder behind an address.
    ///
    /// - Parameters:
    ///   - address: the full address, such as `http://localhost:8080/v1/embeddings`.
    ///   - model: the model's name as the service knows it.
    ///   - key: sent as a bearer token; nil sends none.
    public init(address: ServiceAddress, model: String, key: ServiceKey? = nil, options: Options = Options()) {
        precondition(options.batchSize > 0 && options.attempts > 0, "batch size and attempts are at least 1")
        self.address = address
        self.model = model
        self.key = key
        self.options = options
    }

    /// One vector per text, nil where a text was given up.
    ///
    /// - Throws: ``Failure`` when the service cannot be used, or no text at all was encoded.
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
