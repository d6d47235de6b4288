public import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An encoder behind HTTP: any service with the shape of OpenAI's `POST /v1/embeddings`, on this machine or elsewhere.
///
/// A request carries `{"input": [texts], "model": name}`; the answer is `{"data": [{"index", "embedding"}]}`. Network
/// failures, time-outs, status 429 and 5xx are tried again with growing pauses. A batch that the service refuses
/// (400, 413, 422) is sent text by text. Texts that fail in the end have no vector: metrics leave them out and count
/// them. Wrong credentials or addresses (other 4xx) end the run.
public struct EmbeddingService: TextEncoder {
    /// How a service is reached.
    public struct Options: Sendable, Equatable {
        /// Texts in one request.
        public var batchSize = 64
        /// Seconds until an unanswered request counts as failed.
        public var timeout = 60.0
        /// How often a request is tried before its texts are given up.
        public var attempts = 5
        /// Seconds before the second try; each further pause is twice as long, up to 16 times this.
        public var pause = 0.5

        /// The defaults.
        public init() {}
    }

    /// Why a service cannot be used at all.
    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The service refuses this caller or address.
        case refused(status: Int, endpoint: String)
        /// The answer is not of the expected shape.
        case malformedAnswer(endpoint: String, reason: String)
        /// Not one text was encoded.
        case nothingEncoded(endpoint: String, texts: Int, reason: String)

        /// One line: which service, what happened, what to check.
        public var description: String {
            switch self {
            case .refused(let status, let endpoint):
                "\(endpoint) answered with status \(status): check the address, the model's name and the key"
            case .malformedAnswer(let endpoint, let reason):
                "\(endpoint) gave an answer that is not one of an embedding service: \(reason)"
            case .nothingEncoded(let endpoint, let texts, let reason):
                "\(endpoint) encoded none of \(texts) texts (\(reason)): check that the service runs"
            }
        }
    }

    /// The address and the model.
    public var name: String { "\(endpoint.absoluteString) \(model)" }
    private let endpoint: URL
    private let model: String
    private let key: String?
    private let options: Options

    /// An encoder behind `endpoint`.
    ///
    /// - Parameters:
    ///   - endpoint: the full address, such as `http://localhost:8080/v1/embeddings`.
    ///   - model: the model's name as the service knows it.
    ///   - key: sent as a bearer token; nil sends none.
    public init(endpoint: URL, model: String, key: String? = nil, options: Options = Options()) {
        precondition(options.batchSize > 0 && options.attempts > 0, "batch size and attempts are at least 1")
        self.endpoint = endpoint
        self.model = model
        self.key = key
        self.options = options
    }

    /// One vector per text, nil where a text was given up.
    ///
    /// - Throws: ``Failure`` when the service cannot be used, or no text at all was encoded.
    public func embeddings(of texts: [String]) throws -> [[Float]?] {
        let session = URLSession(configuration: .ephemeral)
        defer { session.invalidateAndCancel() }
        var vectors: [[Float]?] = []
        var lastReason = ""
        var width: Int?
        for start in stride(from: 0, to: texts.count, by: options.batchSize) {
            let batch = Array(texts[start..<min(start + options.batchSize, texts.count)])
            switch try request(batch, in: session) {
            case .vectors(let answer): vectors += answer.map { $0 }
            case .failed(let reason):
                lastReason = reason
                vectors += batch.map { _ in nil }
            case .rejected(let status):
                lastReason = "status \(status)"
                for text in batch {
                    guard batch.count > 1, case .vectors(let answer) = try request([text], in: session) else {
                        vectors.append(nil)
                        continue
                    }
                    vectors.append(answer[0])
                }
            }
        }
        for case let vector? in vectors {
            guard vector.count == width ?? vector.count else {
                throw Failure.malformedAnswer(
                    endpoint: endpoint.absoluteString, reason: "vectors of \(width ?? 0) and of \(vector.count) numbers")
            }
            width = vector.count
        }
        if !texts.isEmpty, vectors.allSatisfy({ $0 == nil }) {
            throw Failure.nothingEncoded(endpoint: endpoint.absoluteString, texts: texts.count, reason: lastReason)
        }
        return vectors
    }

    private enum Outcome {
        case vectors([[Float]])
        /// The service does not take these texts.
        case rejected(Int)
        /// Every attempt failed.
        case failed(String)
    }

    private func request(_ texts: [String], in session: URLSession) throws -> Outcome {
        var request = URLRequest(url: endpoint, timeoutInterval: options.timeout)
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }
        request.httpBody = try JSONEncoder().encode(Request(input: texts, model: model))
        var reason = ""
        var pause = options.pause
        for attempt in 0..<options.attempts {
            if attempt > 0 {
                Thread.sleep(forTimeInterval: pause)
                pause = min(pause * 2, options.pause * 16)
            }
            switch send(request, in: session) {
            case .failure(let error): reason = error.text
            case .success((200, let body)): return .vectors(try vectors(in: body, count: texts.count))
            case .success((let status, _)):
                switch status {
                case 400, 413, 422: return .rejected(status)
                case 408, 429, 500...: reason = "status \(status)"
                default: throw Failure.refused(status: status, endpoint: endpoint.absoluteString)
                }
            }
        }
        return .failed(reason)
    }

    private struct SendError: Error {
        var text: String
    }

    /// One request, waited for.
    private func send(_ request: URLRequest, in session: URLSession) -> Result<(Int, Foundation.Data), SendError> {
        let box = AnswerBox()
        let task = session.dataTask(with: request) { data, response, error in
            if let error {
                box.put(.failure(SendError(text: error.localizedDescription)))
            } else if let response = response as? HTTPURLResponse {
                box.put(.success((response.statusCode, data ?? Foundation.Data())))
            } else {
                box.put(.failure(SendError(text: "no answer")))
            }
        }
        task.resume()
        return box.take()
    }

    /// Hands the answer from the session's queue to the waiting caller. Unchecked: the semaphore orders the one write
    /// before the one read.
    private final class AnswerBox: @unchecked Sendable {
        private let arrived = DispatchSemaphore(value: 0)
        private var answer: Result<(Int, Foundation.Data), SendError> = .failure(SendError(text: "no answer"))

        func put(_ answer: Result<(Int, Foundation.Data), SendError>) {
            self.answer = answer
            arrived.signal()
        }

        func take() -> Result<(Int, Foundation.Data), SendError> {
            arrived.wait()
            return answer
        }
    }

    private struct Request: Encodable {
        var input: [String]
        var model: String
    }

    private struct Answer: Decodable {
        struct Item: Decodable {
            var index: Int
            var embedding: [Float]
        }
        var data: [Item]
    }

    private func vectors(in body: Foundation.Data, count: Int) throws -> [[Float]] {
        func malformed(_ reason: String) -> Failure {
            .malformedAnswer(endpoint: endpoint.absoluteString, reason: reason)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: body) else {
            throw malformed("expected {\"data\": [{\"index\", \"embedding\"}]}")
        }
        var vectors = [[Float]?](repeating: nil, count: count)
        for item in answer.data {
            guard vectors.indices.contains(item.index), vectors[item.index] == nil, !item.embedding.isEmpty else {
                throw malformed("index \(item.index) is out of range, repeated or empty")
            }
            vectors[item.index] = item.embedding
        }
        let complete = vectors.compactMap { $0 }
        guard complete.count == count else { throw malformed("\(complete.count) vectors for \(count) texts") }
        return complete
    }
}
