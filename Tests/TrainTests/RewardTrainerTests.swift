import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

@Suite struct RewardTrainerTests {
    private func model() throws -> RewardModel { RewardModel(try TinyModel.llama(), head: TinyModel.head()) }

    private func config(_ steps: Int = 6, rate: Double = 3e-3) -> RewardConfig {
        configured(RewardConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 8
            $0.optimizer = AdamConfig(learningRate: rate)
            $0.freezing = Freezing(fraction: 0.4)
            $0.logSteps = 4
            $0.evaluationSteps = 3
            $0.seed = 5
        }
    }

    /// The better answer is made of token 5, the other one of token 6.
    private func separable(_ count: Int, seed: UInt64 = 3) -> [TokenisedComparison] {
        ToyData.comparisons(count, seed: seed).map { pair in
            var pair = pair
            for side in 0..<2 {
                let marker: Int32 = side == pair.choice ? 5 : 6
                pair.summaries[side] = Array(repeating: marker, count: pair.summaries[side].count) + [2]
            }
            return pair
        }
    }

    @Test("accuracy rises on pairs that can be told apart; frozen parameters keep their bits")
    func smoke() throws {
        let model = try model()
        let before = Weights(model.decoder, model.head)
        let log = EventLog()
        var config = config(300, rate: 5e-3)
        config.evaluationSteps = nil
        let trainer = try RewardTrainer(
            model, config: config, comparisons: separable(600), evaluations: [("eval", separable(40, seed: 99))],
            handler: log.handler)
        let parameters = model.decoder.parameters + model.head.parameters
        let trainable = Set(parameters.filter(\.isTrainable).map(\.name))
        #expect(trainable.count == 2 * 9 + 1 + 2)
        #expect(try trainer.run())
        // the loss sees score differences alone, so the head's bias has no gradient
        #expect(before.moved(parameters) == trainable.subtracting(["v_head.linear.bias"]))
        let accuracy = log.all("eval_accuracy")
        #expect(accuracy.count == 2 && accuracy[0] < 0.75 && accuracy[1] > 0.9)
        #expect(try #require(log.last("eval_loss")) < 0.5)
        #expect(trainer.lastEvaluation["eval"]?.accuracy == accuracy[1])
        let first: Double = log.losses.prefix(5).reduce(0, +)
        let last: Double = log.losses.suffix(5).reduce(0, +)
        #expect(last < 0.6 * first)
    }

    @Test("a step's loss and accuracy are those of its pairs")
    func firstStep() throws {
        let model = try model()
        let pairs = ToyData.comparisons(8)
        let expected = RewardEvaluation(of: model, pairs)
        let log = EventLog()
        try RewardTrainer(model, config: config(1), comparisons: pairs, handler: log.handler).run()
        expectClose([try #require(log.last("loss"))], [expected.loss], relative: 1e-5)
        #expect(log.last("accuracy") == expected.accuracy)
        #expect(log.last("total_samples_seen") == 8 && log.last("percent_progress") == 100)
        expectClose(log.losses, [expected.loss], relative: 1e-5)
    }

    @Test("which side is preferred decides the direction")
    func choice() throws {
        let scores = Tensor([1, 3, -1, 0.5], shape: [4])
        // margins of the preferred side: 2 and 1.5, −2 and −1.5
        func loss(_ choices: [Int]) -> Float { RewardLoss.loss(scores: scores, choices: choices, weight: 0.5).item }
        expectClose([loss([1, 1]), loss([0, 0]), loss([1, 0])], [0.1641706, 1.9141706, 0.9141706], relative: 1e-5)
        let tape = Tape()
        let variable = tape.variable(scores)
        let gradient = tape.backward(
            from: RewardLoss.loss(scores: variable, choices: [1, 0], weight: 0.5), variables: [variable])[0]
        // −½ σ(−margin) for the preferred side, + for the other
        expectClose(gradient.values, [0.0596015, -0.0596015, -0.4087872, 0.4087872], relative: 1e-5)
    }

    @Test("shared prompts equal separate texts")
    func sharedPrompts() throws {
        let model = try model()
        let pairs = ToyData.comparisons(9)
        let apart = pairs.map { pair in
            TokenisedComparison(id: pair.id, prompt: [], summaries: pair.summaries.map { pair.prompt + $0 }, choice: pair.choice)
        }
        let scores = RewardLoss.scores(model, pairs).values
        expectClose(scores, RewardLoss.scores(model, apart).values, relative: 1e-5, absolute: 1e-6)
        expectClose(scores, model.scores(apart.flatMap(\.summaries)), relative: 1e-5, absolute: 1e-6)
        func gradients(_ pairs: [TokenisedComparison]) -> [String: Tensor] {
            let tape = Tape()
            let loss = RewardLoss.loss(
                scores: RewardLoss.scores(model, pairs, on: tape), choices: pairs.map(\.choice), weight: 1)
            tape.backward(from: loss)
            let parameters = model.decoder.parameters + model.head.parameters
            defer { parameters.forEach { $0.clearGradient() } }
            return parameters.gradients
        }
        expectGradients(gradients(pairs), gradients(apart), "shared")
    }

    @Test("centering adds the square of a pair's summed scores, with its gradient")
    func centering() {
        let scores = Tensor([0.5, -1.25, 2, 0.75], shape: [4])
        func loss(_ scores: Tensor) -> Tensor { RewardLoss.loss(scores: scores, choices: [1, 0], weight: 0.5, centering: 0.1) }
        let plain = RewardLoss.loss(scores: scores, choices: [1, 0], weight: 0.5).item
        // ½ · 0.1 · ((0.5 − 1.25)² + (2 + 0.75)²)
        #expect(abs(loss(scores).item - plain - 0.40625) < 1e-6)
        let tape = Tape()
        let variable = tape.variable(scores)
        let gradient = tape.backward(from: loss(variable), variables: [variable])[0].values
        for index in 0..<4 {
            func moved(_ step: Float) -> Double {
                var values = scores.values
                values[index] += step
                return Double(loss(Tensor(values, shape: [4])).item)
            }
            let numerical = (moved(1e-2) - moved(-1e-2)) / 2e-2
            #expect(abs(Double(gradient[index]) - numerical) < 1e-3)
        }
    }

    @Test("how a batch is cut into passes changes nothing beyond rounding")
    func passes() throws {
        func trained(_ tokensPerPass: Int) throws -> (Weights, EventLog) {
            let model = try model()
            var config = config()
            config.tokensPerPass = tokensPerPass
            let log = EventLog()
            try RewardTrainer(
                model, config: config, comparisons: ToyData.comparisons(20),
                evaluations: [("v", ToyData.comparisons(5, seed: 9))], handler: log.handler
            ).run()
            return (Weights(model.decoder, model.head), log)
        }
        let (whole, log) = try trained(10_000)
        let (parts, other) = try trained(1)
        parts.expectClose(to: whole, absolute: 2e-5)
        expectClose(other.losses, log.losses, relative: 1e-5)
        #expect(other.all("accuracy") == log.all("accuracy"))
    }

    @Test("a run that goes on from a snapshot equals the unbroken one bit for bit", arguments: [1, 3, 5])
    func resume(stop: Int) throws {
        let (pairs, held) = (ToyData.comparisons(20), ToyData.comparisons(5, seed: 9))
        func trainer(_ model: RewardModel, _ log: EventLog) throws -> RewardTrainer {
            try RewardTrainer(model, config: config(), comparisons: pairs, evaluations: [("v", held)], handler: log.handler)
        }
        let (whole, wholeLog) = (try model(), EventLog())
        #expect(try trainer(whole, wholeLog).run())

        let log = EventLog()
        let broken = try trainer(model(), log)
        var saved: (TrainerSnapshot, RewardModel)?
        #expect(
            try !broken.run(
                checkpoint: { saved = (try $0.snapshot, RewardModel($0.model.decoder.copy(), head: $0.model.head.copy())) },
                shouldStop: { broken.step == stop }))
        let (snapshot, second) = try #require(saved)
        let resumed = try trainer(second, log)
        try resumed.restore(snapshot)
        #expect(try resumed.run())
        Weights(second.decoder, second.head).expectIdentical(to: Weights(whole.decoder, whole.head))
        #expect(log.measurements == wholeLog.measurements)
        #expect(log.losses == wholeLog.losses)
        let normalised = (try resumed.normalise(), try trainer(whole, EventLog()).normalise())
        #expect(normalised.0 == normalised.1)
    }

    @Test("normalisation gives the training scores mean 0 and deviation 1, also the second time")
    func normalisation() throws {
        let model = try model()
        var config = config()
        config.normalisationPairs = 400
        let pairs = ToyData.comparisons(30)
        let trainer = try RewardTrainer(model, config: config, comparisons: pairs, handler: { _ in })
        let before = RewardEvaluation(of: model, pairs)
        let scores = RewardLoss.scores(model, pairs).values.map(Double.init)
        let found = try trainer.normalise()
        let (mean, std) = (found.mean, found.std)
        #expect(found.isApplied)
        expectClose([mean, std], [before.logitsMean, before.logitsStd], relative: 1e-5, absolute: 1e-6)
        for _ in 0..<2 {
            let after = RewardEvaluation(of: model, pairs)
            expectClose([after.logitsMean, after.logitsStd], [0, 1], relative: 0, absolute: 1e-4)
            #expect(after.accuracy == before.accuracy)
            expectClose(RewardLoss.scores(model, pairs).values, scores.map { ($0 - mean) / std }, relative: 1e-4, absolute: 1e-4)
            _ = try trainer.normalise()
        }
        // fewer pairs than there are: a random part of them
        config.normalisationPairs = 5
        let other = try RewardTrainer(self.model(), config: config, comparisons: pairs, handler: { _ in })
        #expect(try other.normalise().mean != mean)
    }

    @Test("scoring for the normalisation counts pairs and tokens")
    func normalisationProgress() throws {
        let (log, pairs) = (EventLog(), ToyData.comparisons(30))
        var config = config()
        (config.normalisationPairs, config.tokensPerPass) = (400, 30)
        _ = try RewardTrainer(model(), config: config, comparisons: pairs, handler: log.handler).normalise()
        #expect(log.parts.allSatisfy { $0.name == "normalisation" && $0.unit == "pair" && $0.total == 30 })
        let done = log.parts.map(\.done)
        #expect(done.count > 3 && done.first == 0 && done.last == 30 && zip(done, done.dropFirst()).allSatisfy { $0 < $1 }, "\(done)")
        #expect(log.parts.last?.tokens == pairs.reduce(0) { $0 + $1.count })
    }

    @Test("scores that are all equal up to rounding are not normalised by", arguments: [0, 1e-9, 1e-8] as [Float])
    func nothingToNormaliseBy(scale: Float) throws {
        let model = try model()
        model.head.weight.value.update { for i in $0.indices { $0[i] *= scale } }
        model.head.bias.value = Tensor([0.181717], shape: [1])
        model.head.normalisationStd.value = Tensor([2], shape: [1])
        let pairs = ToyData.comparisons(12)
        let log = EventLog()
        var config = config()
        config.tokensPerPass = 30
        let trainer = try RewardTrainer(
            model, config: config, comparisons: pairs, evaluations: [("validation", pairs)], handler: log.handler)
        let before = RewardLoss.scores(model, pairs).values
        let found = try trainer.normalise()
        #expect(!found.isApplied && found.std < 1e-7)
        #expect(model.head.normalisation.value.item == 0 && model.head.normalisationStd.value.item == 2, "kept")
        #expect(RewardLoss.scores(model, pairs).values == before)
        guard scale == 0 else { return }
        try trainer.evaluate()
        #expect(trainer.lastEvaluation["validation"]?.accuracy == 0.5)
        #expect(log.measurements.contains { $0.values["validation_accuracy"] == 0.5 })
    }

    @Test("small scores that differ are normalised")
    func smallDeviation() throws {
        let model = try model()
        model.head.weight.value.update { for i in $0.indices { $0[i] *= 1e-4 } }
        model.head.bias.value = Tensor([0], shape: [1])
        let pairs = ToyData.comparisons(12)
        let trainer = try RewardTrainer(model, config: config(), comparisons: pairs, handler: { _ in })
        #expect(try trainer.normalise().isApplied)
        let after = RewardEvaluation(of: model, pairs)
        expectClose([after.logitsMean, after.logitsStd], [0, 1], relative: 0, absolute: 1e-3)
    }

    @Test("a loss that is not finite stops the run with weights and gradients untouched")
    func notFinite() throws {
        let model = try model()
        model.decoder.embeddingParameters[0].value.update { $0[23 * 16] = .nan }
        var pairs = separable(8).map { pair in
            TokenisedComparison(
                id: pair.id, prompt: pair.prompt.map { $0 == 23 ? 22 : $0 },
                summaries: pair.summaries.map { $0.map { $0 == 23 ? 22 : $0 } }, choice: pair.choice)
        }
        pairs[6].summaries[1][0] = 23
        var config = config()
        config.tokensPerPass = 1
        let before = Weights(model.decoder, model.head)
        let trainer = try RewardTrainer(model, config: config, comparisons: pairs, handler: { _ in })
        let what = "a score (first seen in the weight model.embed_tokens.weight)"
        #expect(throws: TrainingError.notFinite(what: what, step: 1, examples: ["c6"])) { try trainer.run() }
        before.expectIdentical(to: Weights(model.decoder, model.head))
        #expect((model.decoder.parameters + model.head.parameters).gradients.isEmpty)
    }

    @Test("comparisons that do not fit are refused")
    func refusals() throws {
        let model = RewardModel(try TinyModel.llama(context: 20), head: TinyModel.head())
        func trainer(_ pairs: [TokenisedComparison], _ change: (inout RewardConfig) -> Void = { _ in }) throws {
            var config = config()
            change(&config)
            _ = try RewardTrainer(model, config: config, comparisons: pairs, handler: { _ in })
        }
        let long = TokenisedComparison(
            id: "long", prompt: Array(repeating: 3, count: 15), summaries: [[3, 2], [3, 4, 5, 6, 7, 2]], choice: 0)
        #expect(throws: TrainingError.exampleTooLong(id: "long", tokens: 21, limit: 20)) { try trainer([long]) }
        #expect(throws: TrainingError.noExamples("the set of comparisons")) { try trainer([]) }
        let empty = TokenisedComparison(id: "c", prompt: [3], summaries: [[2], []], choice: 0)
        #expect(throws: TrainingError.noTokens("answer 1 of comparison c")) { try trainer([empty]) }
        for change: (inout RewardConfig) -> Void in [
            { $0.epochs = -1 }, { $0.maxSteps = 0 }, { $0.batchSize = 0 }, { $0.tokensPerPass = 0 }, { $0.logSteps = 0 },
            { $0.evaluationSteps = 0 }, { $0.checkpointSteps = -1 }, { $0.freezing.fraction = -0.1 },
            { $0.normalisationPairs = 0 },
        ] {
            #expect(throws: TrainingError.self) { try trainer(ToyData.comparisons(3), change) }
        }
    }
}

/// Against numbers by hand.
@Suite struct RewardEvaluationTests {
    @Test func numbers() {
        // predictions 1, 0, a tie, 1, 0; right are the first, the second and half of the third
        let scores: [Float] = [0, 2, 1, -1, 3, 3, -2, 0, 4, 1]
        let result = RewardEvaluation(scores: scores, choices: [1, 0, 0, 0, 1])
        #expect(result.count == 5)
        expectClose([result.accuracy, result.precision, result.recall], [0.5, 0.4, 0.5], relative: 1e-12)
        // −log σ of 2, 2, 0, −2, −3
        let losses: [Double] = [0.126928, 0.126928, 0.693147, 2.126928, 3.048587]
        expectClose([result.loss], [losses.reduce(0, +) / 5], relative: 1e-6)
        // 1.1, √3.29, 1, 6
        expectClose([result.logitsMean, result.logitsStd], [1.1, 3.29.squareRoot()], relative: 1e-6)
        expectClose([result.logitsMedian, result.logitsRange], [1, 6], relative: 1e-12)
        let values = result.values(prefix: "eval_")
        expectClose([values["eval_logits_var"] ?? 0], [3.29], relative: 1e-6)
        #expect(values["eval_accuracy"] == 0.5 && values.count == 9)
    }

    @Test("a tie is half right, whichever answer is preferred; in the original it predicts answer 0")
    func ties() {
        for choices in [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]] {
            let dead = RewardEvaluation(scores: Array(repeating: 0.25, count: 8), choices: choices)
            #expect(dead.accuracy == 0.5, "a model that tells nothing apart")
            let positives = Double(choices.reduce(0, +))
            #expect(dead.precision == positives / 4 && dead.recall == (positives > 0 ? 0.5 : 0))
            let original = RewardEvaluation(
                scores: Array(repeating: 0.25, count: 8), choices: choices, tiesPredictZero: true)
            #expect(original.accuracy == 1 - positives / 4 && original.precision == 0 && original.recall == 0)
        }
        // 1 and two ties predict answer 1 by 2; of these, 1 and a half are right
        let mixed = RewardEvaluation(scores: [0, 1, 2, 2, 3, 3, 5, 4], choices: [1, 1, 0, 0])
        #expect(mixed.accuracy == 0.75 && mixed.precision == 0.75 && mixed.recall == 0.75)
        let original = RewardEvaluation(scores: [0, 1, 2, 2, 3, 3, 5, 4], choices: [1, 1, 0, 0], tiesPredictZero: true)
        #expect(original.accuracy == 0.75 && original.precision == 1 && original.recall == 0.5)
        #expect(RewardEvaluation.prediction(1, 1) == 0.5 && RewardEvaluation.prediction(-0.0, 0) == 0.5)
        #expect(RewardEvaluation.prediction(1, 1, tiesPredictZero: true) == 0)
        #expect(RewardEvaluation.prediction(1, 2) == 1 && RewardEvaluation.prediction(2, 1) == 0)
    }

    @Test func edges() {
        let one = RewardEvaluation(scores: [100, -200], choices: [1])
        #expect(one.accuracy == 0 && one.precision == 0 && one.recall == 0)
        expectClose([one.loss, one.logitsMedian], [300, -50], relative: 1e-12)
        let none = RewardEvaluation(scores: [], choices: [])
        #expect(none.count == 0 && none.loss == 0 && none.accuracy == 0)
    }
}
