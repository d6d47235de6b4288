import Data
import Models
import Testing
import Train
import _TestSupport

/// The loss of a supervised evaluation as the published code has it; see Tests/Fixtures/original/make_rewards.py.
@Suite struct OriginalEvaluationTests {
    @Test("the loss of an evaluation whose last batch is short, against PyTorch", arguments: [4096, 20])
    func shortLastBatch(tokensPerPass: Int) throws {
        struct Fixture: Decodable {
            struct Row: Decodable {
                let prompt, target: [Int32]
            }
            struct Evaluation: Decodable {
                let rows: [Row]
                let batch: Int
                let means: [Double]
                let meanOfMeans, meanOfTokens: Double
            }
            let evaluation: Evaluation
        }
        let fixture = try Fixtures.json(Fixture.self, from: "original/rewards.json").evaluation
        #expect(fixture.rows.count % fixture.batch != 0 && abs(fixture.meanOfMeans - fixture.meanOfTokens) > 5e-3)
        let examples = fixture.rows.enumerated().map { TokenisedExample(id: "\($0)", prompt: $1.prompt, target: $1.target) }
        for (batch, expected) in [(fixture.batch, fixture.meanOfMeans), (nil, fixture.meanOfTokens)] as [(Int?, Double)] {
            var own = configured(SFTConfig()) {
                $0.maxSteps = 1
                $0.batchSize = 4
                $0.tokensPerPass = tokensPerPass
            }
            own.evaluationBatchSize = batch
            let log = EventLog()
            let trainer = try SFTTrainer(
                PPOFixture.policy("learner", of: "reference").decoder, config: own, examples: examples,
                evaluations: [(name: "held", examples: examples)], handler: log.handler)
            try trainer.evaluate()
            try trainer.evaluate(examples, name: "final")
            expectClose([try #require(trainer.lastEvaluation["held_loss"])], [expected], relative: 3e-6)
            expectClose([try #require(log.last("final_loss"))], [expected], relative: 3e-6)
        }
        for (index, mean) in fixture.means.enumerated() {
            let part = Array(examples[4 * index..<min(10, 4 * index + 4)])
            let found = SFTLoss.mean(
                try PPOFixture.policy("learner", of: "reference").decoder, part, tokensPerPass: tokensPerPass)
            expectClose([found], [mean], relative: 3e-6, label: "batch \(index)")
        }
    }

    @Test("the loss of an evaluation in batches is the mean of the batches' means")
    func evaluationLoss() throws {
        let decoder = try TinyModel.llama()
        let examples = ToyData.examples(12)
        let losses = examples.map { SFTLoss.mean(decoder, [$0], tokensPerPass: 100) }
        func mean(_ rows: Range<Int>) -> Double {
            let tokens = rows.reduce(0) { $0 + examples[$1].target.count }
            return rows.reduce(0) { $0 + losses[$1] * Double(examples[$1].target.count) } / Double(tokens)
        }
        for (batch, expected) in [
            (4, (mean(0..<4) + mean(4..<8) + mean(8..<12)) / 3), (8, (mean(0..<8) + mean(8..<12)) / 2), (nil, mean(0..<12)),
        ] as [(Int?, Double)] {
            var own = configured(SFTConfig()) {
                $0.maxSteps = 1
                $0.batchSize = 4
            }
            own.evaluationBatchSize = batch
            let trainer = try SFTTrainer(
                decoder, config: own, examples: examples, evaluations: [(name: "held", examples: examples)], handler: { _ in })
            try trainer.evaluate()
            expectClose([try #require(trainer.lastEvaluation["held_loss"])], [expected], relative: 1e-5)
        }
    }
}
