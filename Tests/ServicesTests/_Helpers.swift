import Foundation
import Services
import Testing
import _TestSupport

/// The key that services are called with.
let secret = "sk-SECRET"

/// A service on a server of a test, with short times.
func service(
    _ server: LocalServer, batch: Int = 64, attempts: Int = 1, timeout: Double = 20, key: String? = secret
) throws -> EmbeddingService {
    var options = EmbeddingService.Options()
    options.batchSize = batch
    options.attempts = attempts
    options.pause = 0.001
    options.timeout = timeout
    return EmbeddingService(
        address: try ServiceAddress(server.address), model: "tiny",
        key: try key.map { try ServiceKey($0, variable: "A_KEY") }, options: options)
}

/// The header of an answer without its end, and its end.
func header(_ lines: String..., status: String = "200 OK") -> String {
    (["HTTP/1.1 \(status)"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
}

/// A right answer for one text.
let oneVector = "{\"data\": [{\"index\": 0, \"embedding\": [1, 2]}]}"

/// Asks for the vector of one text, expects a failure that does not show the key, and returns it.
func expectFailure(
    _ service: EmbeddingService, texts: [String] = ["a"], _ comment: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> EmbeddingService.Failure {
    let failure = try #require(
        #expect(throws: EmbeddingService.Failure.self, "\(comment)", sourceLocation: sourceLocation) {
            try service.embeddings(of: texts)
        }, sourceLocation: sourceLocation)
    let text = "\(failure) \(failure.description)"
    #expect(!text.contains(secret) && !text.contains { $0.isNewline }, "\(text)", sourceLocation: sourceLocation)
    return failure
}
