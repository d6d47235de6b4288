import Diversity
import Foundation
import Services
import Testing
import _TestSupport

@Suite(.serialized) struct EmbeddingServiceTests {
    private struct Body: Decodable {
        var input: [String]
        var model: String
    }

    /// What a service answers: the length of each text and a one, in reverse order of the texts.
    private static func vectors(_ body: String) -> LocalServer.Answer {
        guard let request = try? JSONDecoder().decode(Body.self, from: Foundation.Data(body.utf8)) else {
            return .init(status: 400, body: "")
        }
        let items = request.input.enumerated().reversed().map {
            "{\"index\": \($0.offset), \"embedding\": [\($0.element.utf8.count), 1.0]}"
        }
        return .init(status: 200, body: "{\"object\": \"list\", \"data\": [\(items.joined(separator: ", "))]}")
    }

    private func service(_ server: LocalServer, batch: Int = 2, attempts: Int = 3) throws -> EmbeddingService {
        var options = EmbeddingService.Options()
        options.batchSize = batch
        options.attempts = attempts
        options.pause = 0.001
        options.timeout = 5
        return EmbeddingService(
            address: try ServiceAddress(server.address), model: "tiny", key: try ServiceKey("secret", variable: "A_KEY"),
            options: options)
    }

    @Test func vectorsComeBackInOrder() throws {
        let server = try LocalServer { _, header, body in
            header.contains("POST /v1/embeddings") && header.contains("Bearer secret") && body.contains("tiny")
                ? Self.vectors(body) : .init(status: 401, body: "")
        }
        defer { server.stop() }
        let vectors = try service(server).embeddings(of: ["a", "ccc", "bb\n\u{1F600}", "\"", ""])
        #expect(vectors == [[1, 1], [3, 1], [7, 1], [1, 1], [0, 1]])
        var config = DiversityConfig()
        config.metrics = ["openai_from_sim"]
        let input = DiversityInput(outputs: [["a", "a"], ["abc", ""]])
        let report = try DiversityMeasurement.run(
            input, config: config, models: .init(remoteEncoder: try service(server)))
        let values = try #require(report.metrics[0].values.perInput?.values.compactMap { $0 })
        #expect(isClose(values[0], 0, 1e-6) && isClose(values[1], 1 - 1 / 10.0.squareRoot(), 1e-6))
    }

    @Test func passingFailuresAreTriedAgain() throws {
        let server = try LocalServer { number, _, body in
            switch number {
            case 1: .none
            case 2: .init(status: 503, body: "busy")
            default: Self.vectors(body)
            }
        }
        defer { server.stop() }
        #expect(try service(server).embeddings(of: ["a", "b"]) == [[1, 1], [1, 1]])
    }

    @Test func textsThatFailAreLeftOut() throws {
        let server = try LocalServer { _, _, body in
            if body.contains("always busy") { return .init(status: 500, body: "") }
            return body.contains("too long") ? .init(status: 400, body: "") : Self.vectors(body)
        }
        defer { server.stop() }
        let vectors = try service(server).embeddings(of: ["a", "too long", "b", "cc", "always busy", "d"])
        #expect(vectors == [[1, 1], nil, [1, 1], [2, 1], nil, nil])
    }

    @Test func vectorsOfDifferentLengthsAreRefused() throws {
        let server = try LocalServer { _, _, body in
            .init(status: 200, body: "{\"data\": [{\"index\": 0, \"embedding\": \(body.contains("long") ? "[1, 2]" : "[1]")}]}")
        }
        defer { server.stop() }
        let service = try service(server, batch: 1)
        #expect(try service.embeddings(of: ["a", "b"]) == [[1], [1]])
        #expect(throws: EmbeddingService.Failure.self) { try service.embeddings(of: ["a", "long"]) }
    }

    @Test func aServiceThatCannotBeUsedEndsTheRun() throws {
        let server = try LocalServer { _, _, body in
            body.contains("wrong")
                ? .init(status: 200, body: "{}")
                : body.contains("short") ? .init(status: 200, body: "{\"data\": []}") : .init(status: 404, body: "")
        }
        let service = try service(server)
        let address = server.address
        #expect(throws: EmbeddingService.Failure.refused(status: 404, endpoint: address)) {
            try service.embeddings(of: ["a"])
        }
        #expect(throws: EmbeddingService.Failure.self) { try service.embeddings(of: ["wrong"]) }
        #expect(throws: EmbeddingService.Failure.malformedAnswer(endpoint: address, reason: "it has 0 vectors for 1 text")) {
            try service.embeddings(of: ["short"])
        }
        server.stop()
        let error = #expect(throws: EmbeddingService.Failure.self) { try service.embeddings(of: ["a", "b", "c"]) }
        #expect(error?.description.contains("encoded none of 3 texts") == true)
        #expect(try service.embeddings(of: []) == [])
    }
}
