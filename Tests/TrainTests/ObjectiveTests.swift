import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The common loop with objectives of a user's own.
@Suite struct ObjectiveTests {
    /// Σ (w · x − y)² / batch: its gradient is known.
    private final class Regression: Objective {
        struct Point {
            var x: Float
            var y: Float
        }
        let weight = Parameter("w", Tensor([0.5], shape: [1, 1]))
        var stage: String { "regression" }
        var parameters: [Parameter] { [weight] }
        func id(of point: Point) -> String { "x=\(point.x)" }
        func tokens(of point: Point) -> Int { 3 }
        func loss(of pass: Pass<Point>, on tape: Tape) throws -> PassLoss {
            let part = pass.examples
            let x = Tensor(part.map(\.x), shape: [part.count, 1])
            let y = Tensor(part.map(\.y), shape: [part.count, 1])
            let w = weight.on(tape).rows(part.map { _ in 0 })
            let loss = (w * x - y).squared().sum().scaled(by: 1 / Float(pass.batch.count))
            return PassLoss(loss, sums: ["seen": Double(part.count)])
        }
        func metrics(of sums: LossSums) -> [String: Double] { ["loss": sums.meanLoss, "seen": sums.extra["seen"] ?? 0] }
        func evaluate() -> [String: Double] { ["w": Double(weight.value.item)] }
    }

    private static let points = (0..<12).map { Regression.Point(x: Float($0) / 4, y: Float($0) / 2 + 0.25) }

    private static func config(tokensPerPass: Int = 1000) -> LoopConfig {
        var config = LoopConfig()
        (config.epochs, config.batchSize, config.tokensPerPass, config.logSteps) = (4, 5, tokensPerPass, 2)
        config.optimizer = AdamConfig(learningRate: 0.05)
        return config
    }

    private static func trained(
        _ config: LoopConfig = config(), _ change: (Trainer<Regression>) -> Void = { _ in }
    ) throws -> (weight: Float, lines: [[String: Double]]) {
        var lines: [[String: Double]] = []
        let objective = Regression()
        let trainer = try Trainer(objective, config: config, examples: points) { event in
            if case .measured(_, let values) = event { lines.append(values) }
        }
        change(trainer)
        #expect(try trainer.run())
        return (objective.weight.value.item, lines)
    }

    @Test("it is minimised, logged and evaluated like any other")
    func minimised() throws {
        let (weight, lines) = try Self.trained()
        #expect(abs(weight - 0.5) > 0.2)
        #expect(lines.first == ["w": 0.5] && lines.last?["w"] == Double(weight))
        let logs = lines.filter { $0["loss"] != nil }
        // 12 points in steps of 5, 5 and 2, four times
        #expect(logs.count == 6 && logs.map { $0["seen"] } == [10, 7, 7, 10, 7, 7])
        #expect(logs.allSatisfy { $0["gradient_norm"] != nil && $0["learning_rate"] != nil })
        #expect((logs.last?["loss"] ?? 9) < (logs.first?["loss"] ?? 0))
    }

    @Test("the cut into passes does not matter")
    func passes() throws {
        let whole = try Self.trained().weight
        expectClose([try Self.trained(Self.config(tokensPerPass: 6)).weight], [Double(whole)], relative: 1e-6)
    }

    @Test("a closure may give the learning rate")
    func schedule() throws {
        let still = try Self.trained { $0.learningRate = { _, _ in 0 } }
        #expect(still.weight == 0.5)
        var asked: [Int] = []
        let lines = try Self.trained { trainer in
            trainer.learningRate = { step, total in
                #expect(total == 12)
                asked.append(step)
                return 0.25
            }
        }.lines
        #expect(asked == Array(0..<12) && lines.compactMap { $0["learning_rate"] }.allSatisfy { $0 == 0.25 })
    }

    @Test("resumed is unbroken", arguments: [1, 2, 5])
    func resumed(step: Int) throws {
        let expected = try Self.trained()
        let first = Regression()
        let stopped = try Trainer(first, config: Self.config(), examples: Self.points)
        let isComplete = try stopped.run(shouldStop: { stopped.step == step })
        #expect(!isComplete)
        var lines: [[String: Double]] = []
        let second = Regression()
        let resumed = try Trainer(second, config: Self.config(), examples: Self.points) { event in
            if case .measured(_, let values) = event { lines.append(values) }
        }
        second.weight.value = first.weight.value
        try resumed.restore(stopped.snapshot)
        #expect(try resumed.run())
        #expect(second.weight.value.item == expected.weight)
        #expect(Array(expected.lines.suffix(lines.count)) == lines)
    }

    @Test("a loss that is not finite names the examples of its pass, and leaves the weights")
    func notFinite() throws {
        let objective = Regression()
        let trainer = try Trainer(objective, config: Self.config(), examples: [.init(x: 1, y: .infinity)])
        #expect(throws: TrainingError.notFinite(what: "the loss", step: 1, examples: ["x=1.0"])) { try trainer.run() }
        #expect(objective.weight.value.item == 0.5)
        #expect(throws: TrainingError.self) { try Trainer(objective, config: Self.config(), examples: []) }
    }

    @Test("parameters may stay as trainable as they are set")
    func freezing() throws {
        let decoder = try TinyModel.llama()
        decoder.parameters(ofLayer: 1).forEach { $0.isTrainable = false }
        Freezing.asSet.apply(to: decoder)
        #expect(decoder.frozenTrunk == 0 && decoder.parameters(ofLayer: 1).allSatisfy { !$0.isTrainable })
        Freezing(fraction: 0).apply(to: decoder)
        #expect(decoder.parameters.allSatisfy { $0.isTrainable })
    }

    @Test("tokens that the model does not know are errors", arguments: [Int32(-1), 100_000])
    func unknownTokens(_ token: Int32) throws {
        let decoder = try TinyModel.llama()
        let example = TokenisedExample(id: "a", prompt: [3, token], target: [4])
        #expect(throws: TrainingError.unknownToken(id: "a", token: token, rows: decoder.shape.vocabularySize)) {
            try SFTTrainer(decoder, config: SFTConfig(), examples: [example])
        }
        #expect(throws: GenerationError.unknownToken(index: 0, token: token, rows: decoder.shape.vocabularySize)) {
            try Generator(decoder, endOfSequence: 2).generate(
                [GenerationRequest(prompt: [token], streams: [Philox(seed: 1)])], options: .greedy(maxNewTokens: 1))
        }
    }
}
