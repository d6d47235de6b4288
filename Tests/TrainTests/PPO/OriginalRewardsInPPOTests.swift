import Data
import Eval
import Foundation
import Models
import Testing
import Train
import _TestSupport

/// What the published code rewards responses with in policy training, against numbers of PyTorch and plain Python for greedy responses;
/// see Tests/Fixtures/original/make_rewards.py.
@Suite struct OriginalRewardsInPPOTests {
    struct Numbers: Decodable {
        struct Row: Decodable {
            let prompt, response: [Int32]
            let query, reference, text: String
            let rouge, bleu, tokenID, tokenIDWithPadding, sentiment: Double
        }
        struct Rewards: Decodable {
            let words: [String]
            let width, batch: Int
            let threshold, padding: Int32
            let rows: [Row]
        }
        let rewards: Rewards

        static func load() throws -> Rewards { try Fixtures.json(Numbers.self, from: "original/rewards.json").rewards }
    }

    /// A tokenizer whose ids are the fixture's words.
    private struct Words: Tokenizer {
        let words: [String]
        var padding: Int32?
        var vocabularySize: Int { words.count }
        var beginOfSequence: Int32? { 1 }
        var endOfSequence: Int32? { 2 }
        var unknown: Int32? { nil }
        func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
            text.split(separator: " ").compactMap { word in words.firstIndex(of: String(word)).map(Int32.init) }
        }
        func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
            ids.filter { !skippingSpecialTokens || $0 > 2 }.map { words[Int($0)] }.joined(separator: " ")
        }
        func save(to folder: URL) throws {}
    }

    static let functions = ["rouge", "bleu", "token-id", "token-id of padding", "sentiment"]

    /// A reward as the programs make it in policy training, and its values.
    private func reward(_ name: String, _ fixture: Numbers.Rewards) throws -> (
        function: any RewardFunction, value: KeyPath<Numbers.Row, Double>
    ) {
        switch name {
        case "rouge": (ROUGEReward(readsReferenceByCharacter: true), \.rouge)
        case "bleu": (BLEUReward(readsReferenceByCharacter: true), \.bleu)
        case "token-id": (TokenIDReward(threshold: fixture.threshold, dividesByWidth: true), \.tokenID)
        case "sentiment": (try ClassifierReward(Fixtures.url("encoders/bert")), \.sentiment)
        default:
            (TokenIDReward(threshold: fixture.threshold, dividesByWidth: true, padding: fixture.padding), \.tokenIDWithPadding)
        }
    }

    private func trainer(_ name: String, _ fixture: Numbers.Rewards, rows: [Numbers.Row], log: EventLog) throws -> PPOTrainer {
        let prompts = rows.enumerated().map { index, row in
            TokenisedPrompt(id: "\(index)", tokens: row.prompt, query: row.query, reference: row.reference, isTruncated: false)
        }
        let learner = try PPOFixture.policy("learner", of: "reference")
        var config = configured(PPOConfig()) {
            $0.totalSteps = 1
            $0.rolloutBatchSize = rows.count
            $0.learnBatchSize = rows.count
            $0.epochs = 1
            $0.sampling = SamplingOptions(maxNewTokens: fixture.width, topK: 1)
            $0.compatibility = .reference
            $0.optimizer = AdamConfig(learningRate: 1e-3)
            $0.evaluatesAtStart = false
            $0.tableLogs = 1
        }
        config.logSteps = 1
        config.rolloutBatches = max(1, rows.count / fixture.batch)
        config.evaluationBatchSize = fixture.batch
        return try PPOTrainer(
            policy: learner.decoder, valueHead: learner.head, reference: PPOFixture.policy("reference", of: "reference").decoder,
            config: config, prompts: prompts, evaluationPrompts: [("held", prompts)], rewardFunction: try reward(name, fixture).function,
            tokenizer: Words(words: fixture.words, padding: name == "token-id of padding" ? fixture.padding : 0), endOfSequence: 2,
            handler: log.handler)
    }

    @Test("in evaluations, batch by batch", arguments: functions)
    func evaluation(_ name: String) throws {
        let fixture = try Numbers.load()
        let log = EventLog()
        try trainer(name, fixture, rows: fixture.rows, log: log).evaluate()
        #expect(log.rows.map(\.response) == fixture.rows.map(\.text))
        let expected = fixture.rows.map { $0[keyPath: (try? reward(name, fixture).value) ?? \.rouge] }
        expectClose(log.rows.compactMap(\.reward), expected, relative: 1e-6, absolute: 2e-6, label: name)
        expectClose([try #require(log.last("held_score"))], [expected.reduce(0, +) / 8], relative: 1e-6, absolute: 2e-6)
    }

    @Test("in rollouts, one rollout batch at a time, and as what is learned from", arguments: functions)
    func rollouts(_ name: String) throws {
        let fixture = try Numbers.load()
        for part in [fixture.rows.prefix(fixture.batch), fixture.rows.suffix(fixture.batch)].map(Array.init) {
            let log = EventLog()
            try trainer(name, fixture, rows: part, log: log).run()
            let rows = log.rows.filter { $0.tokens != nil }
            #expect(rows.count == fixture.batch)
            let value = try reward(name, fixture).value
            for row in rows {
                let own = part[try #require(Int(row.id))]
                #expect(row.tokens == own.response && row.response == own.text)
                expectClose([try #require(row.reward)], [own[keyPath: value]], relative: 1e-6, absolute: 2e-6, label: "\(name) \(row.id)")
            }
            let mean = part.reduce(0) { $0 + $1[keyPath: value] } / Double(part.count)
            expectClose([try #require(log.last("mean_reward"))], [mean], relative: 1e-6, absolute: 2e-6, label: name)
        }
    }
}
