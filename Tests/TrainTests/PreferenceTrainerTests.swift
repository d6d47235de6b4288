import Data
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Direct preference optimisation of whole models: three steps against TRL's trainers, and what does not change them.
@Suite struct PreferenceTrainerTests {
    struct Steps: Decodable {
        struct Pair: Decodable {
            let prompt: [Int32]
            let chosen: [Int32]
            let rejected: [Int32]
        }
        struct Sums: Decodable {
            let chosen: [Double]
            let rejected: [Double]
        }
        struct Run: Decodable {
            let name: String
            let model: String
            let trainer: String
            let microBatch: Int
            let accumulation: Int
            let losses: [Double]
            let gradientNorms: [Double]
            let before: Sums
            let after: Sums
        }
        let pairs: [Pair]
        let runs: [Run]
    }

    private static func steps() throws -> Steps { try Fixtures.json(Steps.self, from: "preferences/steps.json") }

    private static func comparisons(_ steps: Steps, choice: Int = 0) -> [TokenisedComparison] {
        steps.pairs.enumerated().map { index, pair in
            TokenisedComparison(
                id: "pair-\(index)", prompt: pair.prompt,
                summaries: choice == 0 ? [pair.chosen, pair.rejected] : [pair.rejected, pair.chosen],
                choice: choice)
        }
    }

    /// Plain AdamW over one batch of everything.
    private static func loop(_ loop: inout LoopConfig, batch: Int) {
        loop.maxSteps = 3
        loop.batchSize = batch
        loop.dropsOut = false
        loop.steps.optimizer.learningRate = 1e-3
        loop.steps.optimizer.weightDecay = 0
        loop.steps.optimizer.clipNorm = nil
        loop.steps.schedule = Schedule(.constant)
        loop.steps.logSteps = 1
    }

    private static func sums(_ decoder: any TransformerDecoder, _ pairs: [TokenisedComparison], side: Int) -> [Double] {
        pairs.map { pair in
            let tokens = pair.prompt + pair.summaries[side]
            let hidden = decoder.hidden(TokenBatch([tokens]), wanted: [pair.prompt.count - 1..<tokens.count - 1])
            return decoder.logProbs(hidden, targets: pair.summaries[side]).logProbs.values.reduce(0) { $0 + Double($1) }
        }
    }

    private static let losses: [(run: String, set: @Sendable (inout PreferenceConfig) -> Void)] = [
        ("sigmoid", { $0.beta = 0.1 }), ("sigmoid-gpt2", { $0.beta = 0.5 }), ("sigmoid-accumulated", { $0.beta = 0.5 }),
        ("sigmoid-forward-kl", { ($0.beta, $0.divergence) = (0.5, .forwardKL) }), ("ipo", { ($0.loss, $0.beta) = (.ipo, 0.5) }),
        ("simpo", { ($0.loss, $0.beta, $0.gamma) = (.simpo, 2, 1) }), ("cpo", { ($0.loss, $0.beta) = (.cpo, 0.1) }),
        ("orpo", { ($0.loss, $0.beta) = (.orpo, 0.1) }),
    ]

    /// Losses and gradient norms of three steps, and what the answers' log-probabilities are behind them. Passes of few tokens sum the same
    /// gradients; which answer stands first makes no difference.
    @Test("three steps as TRL takes them", arguments: losses.map(\.run), [(tokens: 10_000, choice: 0), (tokens: 1, choice: 1)])
    func steps(name: String, way: (tokens: Int, choice: Int)) throws {
        let fixture = try Self.steps()
        let run = try #require(fixture.runs.first { $0.name == name })
        let pairs = Self.comparisons(fixture, choice: way.choice)
        let model = try LanguageModel.load(Fixtures.url("models/\(run.model)"))
        var config = PreferenceConfig()
        Self.losses.first { $0.run == name }?.set(&config)
        config.freezing = Freezing(fraction: 0)
        Self.loop(&config.loop, batch: run.microBatch * run.accumulation)
        config.loop.steps.tokensPerPass = way.tokens
        let reference = model.decoder.copy()
        for (side, expected) in [(way.choice, run.before.chosen), (1 - way.choice, run.before.rejected)] {
            expectClose(Self.sums(model.decoder, pairs, side: side), expected, relative: 1e-5, absolute: 1e-5, label: "before")
        }
        var (losses, norms) = ([Double](), [Double]())
        let trainer = try PreferenceTrainer(
            model.decoder, config: config, pairs: ReferenceLogProbs(reference, config: config).pairs(pairs)
        ) { event in
            guard case .measured(_, let values) = event, let loss = values["loss"], let norm = values["gradient_norm"] else { return }
            losses.append(loss)
            norms.append(norm)
        }
        try trainer.run()
        expectClose(losses, run.losses, relative: 2e-5, absolute: 2e-5, label: "\(name) losses")
        expectClose(norms, run.gradientNorms, relative: 1e-4, absolute: 1e-5, label: "\(name) gradient norms")
        for (side, expected) in [(way.choice, run.after.chosen), (1 - way.choice, run.after.rejected)] {
            expectClose(Self.sums(model.decoder, pairs, side: side), expected, relative: 1e-3, absolute: 1e-2, label: "\(name) after")
        }
    }

    @Test("KTO: three steps as TRL takes them", arguments: [10_000, 1]) func unpaired(tokensPerPass: Int) throws {
        let fixture = try Self.steps()
        let run = try #require(fixture.runs.first { $0.name == "kto" })
        let model = try LanguageModel.load(Fixtures.url("models/\(run.model)"))
        var config = UnpairedConfig()
        (config.beta, config.desirableWeight, config.freezing) = (0.5, 1.2, Freezing(fraction: 0))
        Self.loop(&config.loop, batch: 8)
        config.loop.steps.tokensPerPass = tokensPerPass
        let answers = try UnpairedReference(model.decoder.copy(), config: config).answers(
            UnpairedAnswer.answers(of: Self.comparisons(fixture)))
        #expect(answers.count == 8 && answers[1].mismatched == answers[0].answer && answers[0].mismatched == answers[7].answer)
        var (losses, norms, divergences) = ([Double](), [Double](), [Double]())
        let trainer = try UnpairedTrainer(model.decoder, config: config, answers: answers) { event in
            guard case .measured(_, let values) = event, let loss = values["loss"], let norm = values["gradient_norm"] else { return }
            losses.append(loss)
            norms.append(norm)
            divergences.append(values["reference_point"] ?? -1)
        }
        try trainer.run()
        expectClose(losses, run.losses, relative: 2e-5, absolute: 2e-5, label: "losses")
        expectClose(norms, run.gradientNorms, relative: 1e-4, absolute: 1e-5, label: "gradient norms")
        #expect(divergences.count == 3 && divergences[0] == 0 && divergences.allSatisfy { $0 >= 0 })
    }

    /// A run that is cut after a step and gone on with ends with the same bits.
    @Test func resumedEqualsUnbroken() throws {
        let fixture = try Self.steps()
        let pairs = Self.comparisons(fixture)
        func trainer(_ decoder: any TransformerDecoder) throws -> PreferenceTrainer {
            var config = PreferenceConfig()
            config.freezing = Freezing(fraction: 0)
            Self.loop(&config.loop, batch: 3)
            let reference = try LanguageModel.load(Fixtures.url("models/llama-gqa")).decoder
            return try PreferenceTrainer(decoder, config: config, pairs: ReferenceLogProbs(reference, config: config).pairs(pairs))
        }
        let unbroken = try LanguageModel.load(Fixtures.url("models/llama-gqa")).decoder
        try trainer(unbroken).run()
        let broken = try LanguageModel.load(Fixtures.url("models/llama-gqa")).decoder
        let first = try trainer(broken)
        #expect(try !first.run(shouldStop: { true }))
        let second = try trainer(broken)
        try second.restore(first.snapshot)
        try second.run()
        for (a, b) in zip(unbroken.parameters, broken.parameters) { #expect(a.value.values == b.value.values, "\(a.name)") }
    }

    @Test("settings that do not go together are refused with their names")
    func refusals() throws {
        func check(_ words: String, _ change: (inout PreferenceConfig) -> Void) {
            var config = PreferenceConfig()
            change(&config)
            let error = #expect(throws: TrainingError.self) { try config.validate() }
            #expect(error?.description.contains(words) ?? false, "\(String(describing: error))")
        }
        check("beta") { $0.beta = 0 }
        check("smoothing") { $0.labelSmoothing = 0.5 }
        check("exo_pair") { $0.loss = .exoPair }
        check("divergence") { ($0.loss, $0.divergence) = (.apoZero, .forwardKL) }
        check("divergence") { ($0.loss, $0.divergence) = (.simpo, .jensenShannon) }
        check("reference") { ($0.loss, $0.entropyBeta) = (.orpo, 0.2) }
        check("excess") { $0.excessTokenWeight = 1.5 }
    }

    /// With a smaller weight of the entropy the optimum is sharper: the same as a β of its own on the policy's log-probabilities.
    @Test func entropyHasAWeightOfItsOwn() {
        var config = PreferenceConfig()
        (config.beta, config.entropyBeta) = (0.4, 0.1)
        let terms = config.terms([-1, -2], [-3], reference: (-1.5, -2)).terms
        // α log π − β log π_ref, divided by β
        #expect(abs(0.4 * terms.plainChosen.value - (0.1 * -3 - 0.4 * -1.5)) < 1e-12)
        #expect(abs(0.4 * terms.plainRejected.value - (0.1 * -3 - 0.4 * -2)) < 1e-12)
        let loss = config.loss.value(terms, config)
        #expect(abs(loss.chosen + 0.1 * 1 / (1 + exp(loss.value == 0 ? 0 : 0.4 * terms.margin.value))) < 1e-9)
    }

    @Test("answers without tokens, and pairs that are too long, are named")
    func badPairs() throws {
        let model = try TinyModel.llama()
        func make(_ pair: TokenisedComparison) throws {
            var config = PreferenceConfig()
            config.loss = .simpo
            _ = try PreferenceTrainer(model, config: config, pairs: [PreferencePair(pair)])
        }
        #expect(throws: TrainingError.noTokens("answer 1 of comparison x")) {
            try make(.init(id: "x", prompt: [1], summaries: [[2], []], choice: 0))
        }
        var config = PreferenceConfig()
        #expect(throws: TrainingError.noTokens("the prompt of comparison y")) {
            try ReferenceLogProbs(model, config: config).pairs([.init(id: "y", prompt: [], summaries: [[2], [1]], choice: 0)])
        }
        config.loss = .ipo
        #expect(throws: TrainingError.noTokens("an answer of comparison z")) {
            try ReferenceLogProbs(model, config: config).pairs([.init(id: "z", prompt: [1], summaries: [[2], []], choice: 0)])
        }
        #expect(throws: TrainingError.noTokens("the prompt or the answer of row w")) {
            try UnpairedReference(model, config: UnpairedConfig()).answers(
                UnpairedAnswer.answers(of: [.init(id: "w", prompt: [], summaries: [[2], [3]], choice: 0)]))
        }
        #expect(throws: TrainingError.noTokens("the prompt of comparison x")) {
            try make(.init(id: "x", prompt: [], summaries: [[2], [1]], choice: 0))
        }
        #expect(throws: TrainingError.exampleTooLong(id: "x", tokens: 65, limit: 64)) {
            try make(.init(id: "x", prompt: [1], summaries: [[2], [Int32](repeating: 1, count: 64)], choice: 0))
        }
    }
}
