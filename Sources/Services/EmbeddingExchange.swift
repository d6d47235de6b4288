internal import Foundation

/// The requests for one call of an embedding service.
struct EmbeddingExchange {
    /// The result of a batch.
    enum Outcome {
        case vectors([[Float]])
        /// The service rejects these texts with this status.
        case rejected(Int)
        /// All attempts failed, with this reason.
        case failed(String)
    }

    private let service: EmbeddingService
    private let client = ServiceClient()
    /// The dimension of all vectors so far.
    private var width: Int?
    /// The end of a wait requested by the service that is longer than the time-out, and the reason.
    private var closedUntil: (time: ContinuousClock.Instant, reason: String)?

    init(service: EmbeddingService) {
        self.service = service
    }

    private var endpoint: String { service.address.description }

    /// The maximum size of a response in bytes: for each text, a vector of 4096 numbers with up to 62 characters each; at most 64
    /// MiB.
    static func answerBytes(texts: Int) -> Int {
        (64 << 10) + min(texts, 255) * (256 << 10)
    }

    /// Requests the vectors of a batch and retries where that may help.
    /// - Throws: ``EmbeddingService/Failure``.
    mutating func request(_ texts: [String]) throws -> Outcome {
        if let closedUntil, ContinuousClock.now < closedUntil.time { return .failed(closedUntil.reason) }
        let options = service.options
        let body = try [UInt8](JSONEncoder().encode(Request(input: texts, model: service.model)))
        let limits = ServiceClient.Limits(seconds: options.timeout, bytes: Self.answerBytes(texts: texts.count))
        var reason = ""
        var pause = options.pause
        var asked = 0.0
        for attempt in 0..<options.attempts {
            if attempt > 0 {
                Thread.sleep(forTimeInterval: max(pause, asked))
                pause = min(pause * 2, options.pause * 16)
                asked = 0
            }
            let answer: ServiceClient.Answer
            do {
                answer = try client.post(body, to: service.address, key: service.key, limits: limits)
            } catch .failed(let failure) {
                reason = failure
                continue
            } catch {
                throw failure(of: error)
            }
            switch answer.status {
            case 200: return .vectors(try vectors(in: answer.body, count: texts.count))
            case 400, 413, 422: return .rejected(answer.status)
            case 408, 429, 500..<600:
                reason = "status \(answer.status)"
                asked = answer.retryAfter ?? 0
                guard asked <= options.timeout else {
                    reason += ", and it asks to wait longer than the time-out"
                    closedUntil = (.now + .seconds(min(asked, 1e9)), reason)
                    return .failed(reason)
                }
            case 401, 403:
                throw EmbeddingService.Failure.keyRefused(
                    status: answer.status, endpoint: endpoint,
                    variable: service.key?.variable ?? EmbeddingService.keyVariable, isSet: service.key != nil)
            default: throw EmbeddingService.Failure.refused(status: answer.status, endpoint: endpoint)
            }
        }
        return .failed(reason)
    }

    /// The failure for a problem that is not retried.
    private func failure(of problem: ServiceClient.Problem) -> EmbeddingService.Failure {
        switch problem {
        case .redirected(let status, let target): .redirected(status: status, endpoint: endpoint, to: target)
        case .tooLong:
            .malformedAnswer(
                endpoint: endpoint, reason: "\(problem); send fewer texts per request (--embedding-service-batch-size)")
        case .compressed, .failed: .malformedAnswer(endpoint: endpoint, reason: problem.description)
        }
    }

    private mutating func vectors(in body: [UInt8], count: Int) throws -> [[Float]] {
        do {
            let vectors = try EmbeddingAnswer.vectors(in: body, count: count)
            for vector in vectors {
                let expected = width ?? vector.count
                guard vector.count == expected else {
                    throw EmbeddingAnswer.Problem(description: "it has vectors with \(expected) and with \(vector.count) dimensions")
                }
                width = expected
            }
            return vectors
        } catch let problem as EmbeddingAnswer.Problem {
            throw EmbeddingService.Failure.malformedAnswer(endpoint: endpoint, reason: problem.description)
        }
    }

    private struct Request: Encodable {
        var input: [String]
        var model: String
    }
}
