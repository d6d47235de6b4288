import Data
import Diversity
import Eval
import Foundation
import Runs
import Study
import Synchronization
import Testing
import Train
import _TestSupport

/// Measurements of diversity on several ranks, which divide the texts among their encoders and classifiers.
@Suite struct DiversityRanksTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["bon"], configuration: RunConfiguration(stage: .bestOfN, program: "test", options: [:]))
        let words = ["how", "the", "river", "rose", "again", "today", "slowly"]
        for input in 0..<4 {
            let rows = (0..<3).map { number in
                let response = (0..<3 + number).map { words[(3 * input + (number + 1) * $0) % 7] }.joined(separator: " ")
                return SampleRow(
                    id: "\(input)", input: "question \(input)", response: response, reward: Double(input + number), numbers: [:])
            }
            try run.tables.append(rows, to: "test")
        }
        try run.writeResult { _ in }
    }

    @Sendable private static func stage(_ folder: TemporaryFolder) -> DiversityStage {
        var stage = DiversityStage()
        (stage.options.runIds, stage.options.bootstrapResamples, stage.options.acrossInputDraws) = (["bon"], 20, 4)
        (stage.run.outputDir, stage.run.threads) = (folder.url.path, 1)
        return stage
    }

    /// Metrics of three models.
    @Sendable private static func withModels(_ folder: TemporaryFolder) -> DiversityStage {
        var stage = stage(folder)
        stage.options.embeddingModel = Fixtures.url("encoders/bert").path
        stage.options.nliModel = Fixtures.url("encoders/sentence/nli").path
        stage.options.nliLabels = ["neutral", "contradiction", "entailment"]
        stage.options.similarityModel = Fixtures.url("diversity/similarity").path
        stage.options.diversityMetrics = [
            "sent_bert_from_sim", "embedding_vendi_score", "nli_from_sim", "semantic_entropy", "distinct_k", "distinct_ngrams_1",
        ]
        stage.options.atK = 3
        return stage
    }

    /// One metric, with a service.
    @Sendable private static func withService(_ folder: TemporaryFolder) -> DiversityStage {
        var stage = stage(folder)
        (stage.options.embeddingServiceUrl, stage.options.diversityMetrics) = ("http://localhost/v1", ["openai_from_sim"])
        return stage
    }

    @Test("encoders and classifiers of any number of ranks")
    func models() throws {
        let folder = folder
        try Self.withModels(folder).run(in: folder["alone"])
        for ranks in 1...3 { RankStudy.run(ranks, in: folder["\(ranks)"]) { Self.withModels(folder) } }
        try folder.expectSame(["metrics.jsonl", "final/diversity.json"], of: "1", and: "alone")
        let metrics = try #require(try MetricsFile.read(inRun: folder["1"]).first).values
        for name in ["sent_bert_from_sim", "nli_from_sim", "distinct_k"] {
            #expect(metrics.keys.contains { $0.contains(name) }, "\(name): \(metrics.keys.sorted())")
        }
        for ranks in 2...3 {
            try RankStudy.expectSameMetrics(folder["\(ranks)"], folder["1"])
            #expect(try folder.names(in: "\(ranks)/final") == folder.names(in: "1/final"))
        }
    }

    /// An encoder that notes which ranks have called it.
    private final class Service: TextEncoder {
        let ranks = Mutex<Set<Int>>([])
        let fails: Bool
        var name: String { "service" }

        init(fails: Bool = false) { self.fails = fails }

        func embeddings(of texts: [String]) throws -> [[Float]?] {
            if fails { throw RankStudy.Failure() }
            return texts.map { $0.hasPrefix("how the") ? nil : [Float($0.count), Float($0.utf8.first ?? 0), 1] }
        }

        /// The service as a rank calls it.
        func asked(by rank: Int) -> any TextEncoder { Caller(service: self, rank: rank) }

        private struct Caller: TextEncoder {
            let service: Service
            let rank: Int
            var name: String { service.name }

            func embeddings(of texts: [String]) throws -> [[Float]?] {
                service.ranks.withLock { _ = $0.insert(rank) }
                return try service.embeddings(of: texts)
            }
        }
    }

    @Test("an embedding service is asked by one rank, and all have its vectors")
    func service() throws {
        let folder = folder
        let service = Service()
        for ranks in [1, 3] {
            let errors = RankStudy.errors(
                ranks, in: { _ in folder["\(ranks)"] },
                environment: { rank, environment in environment.embeddingService = { _ in service.asked(by: rank) } }
            ) { _ in Self.withService(folder) }
            #expect(errors.allSatisfy { $0 == nil }, "\(errors)")
        }
        #expect(service.ranks.withLock { $0 } == [0])
        try folder.expectSame(["metrics.jsonl", "final/diversity.json"], of: "3", and: "1")
    }

    @Test("the failure of one rank's model ends all ranks")
    func failure() throws {
        let folder = folder
        let service = Service(fails: true)
        let errors = RankStudy.errors(
            2, in: { _ in folder["run"] },
            environment: { rank, environment in environment.embeddingService = { _ in service.asked(by: rank) } }
        ) { _ in Self.withService(folder) }
        #expect(errors[0] is DiversityError, "\(errors)")
        #expect(errors[1] as? CollectiveError == .rankFailed(rank: 0, message: "no space left"), "\(errors)")
    }
}
