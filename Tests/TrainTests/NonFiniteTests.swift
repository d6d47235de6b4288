import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Batches with numbers that are not finite: named, and passed over where that is wanted.
@Suite struct NonFiniteTests {
    /// Token 23 has an embedding that is not finite, and one example has the token.
    private static func poisoned(_ decoder: any TransformerDecoder) -> any TransformerDecoder {
        decoder.embeddingParameters[0].value.update { $0[23 * 16] = .nan }
        return decoder
    }

    private static func clean(_ tokens: [Int32]) -> [Int32] { tokens.map { $0 == 23 ? 22 : $0 } }

    private static func examples(_ count: Int, bad: [Int]) -> [TokenisedExample] {
        ToyData.examples(count).enumerated().map { index, example in
            TokenisedExample(
                id: example.id, prompt: bad.contains(index) ? [23] : clean(example.prompt),
                target: clean(example.target))
        }
    }

    // MARK: Supervised training

    private static func sft(
        _ decoder: any TransformerDecoder, bad: [Int], allowed: Int, log: EventLog, steps: Int = 8
    ) throws -> SFTTrainer {
        var config = configured(SFTConfig()) {
            $0.maxSteps = steps
            $0.batchSize = 4
            $0.optimizer = AdamConfig(learningRate: 3e-3)
            $0.freezing = Freezing(fraction: 0.4)
            $0.logSteps = 2
            $0.seed = 5
        }
        config.skippedBatches = allowed
        return try SFTTrainer(decoder, config: config, examples: examples(16, bad: bad), handler: log.handler)
    }

    @Test("batches are passed over, counted, and leave no trace in weights and means")
    func passingOver() throws {
        // one of four batches of each pass over the data is bad: two in eight steps
        let log = EventLog()
        let decoder = Self.poisoned(try TinyModel.llama())
        let trainer = try Self.sft(decoder, bad: [3], allowed: 2, log: log)
        var moved: [Int] = []
        var before = Weights(decoder)
        #expect(
            try trainer.run(
                checkpoint: { trainer in
                    if !before.moved(decoder.parameters).isEmpty { moved.append(trainer.step) }
                    before = Weights(decoder)
                }, shouldSave: { true }))
        #expect(try trainer.step == 8 && trainer.snapshot.optimizerSteps == 6 && moved.count == 6)
        #expect(log.steps == Array(1...8) && log.losses.count == 6 && log.losses.allSatisfy { $0.isFinite })
        #expect(log.last("skipped_batches") == 2)
        #expect(log.all("loss").allSatisfy { $0.isFinite })
        #expect(log.notes.count == 2)
        #expect(
            log.notes[0].hasPrefix(
                "a batch was skipped (1 of at most 2): the loss (first seen in the weight model.embed_tokens.weight)"))
        #expect(log.notes[0].contains("(example e3)") && log.notes[1].contains("2 of at most 2"))

        // one fewer, and the run stops at the second
        let second = try Self.sft(Self.poisoned(try TinyModel.llama()), bad: [3], allowed: 1, log: EventLog())
        #expect(throws: TrainingError.self) { try second.run() }
        #expect((4...7).contains(second.step))
    }

    @Test("the count goes on with the run, and so do the bits", arguments: 1...7)
    func resuming(stop: Int) throws {
        let (wholeLog, log) = (EventLog(), EventLog())
        let whole = Self.poisoned(try TinyModel.llama())
        #expect(try Self.sft(whole, bad: [3, 9], allowed: 4, log: wholeLog).run())
        let first = try Self.sft(Self.poisoned(try TinyModel.llama()), bad: [3, 9], allowed: 4, log: log)
        var saved: (TrainerSnapshot, any TransformerDecoder)?
        #expect(
            try !first.run(checkpoint: { saved = (try $0.snapshot, $0.decoder.copy()) }, shouldStop: { first.step == stop })
        )
        let (snapshot, decoder) = try #require(saved)
        let second = try Self.sft(decoder, bad: [3, 9], allowed: 4, log: log)
        try second.restore(snapshot)
        #expect(try second.run())
        Weights(decoder).expectIdentical(to: Weights(whole))
        #expect(log.measurements == wholeLog.measurements && log.notes == wholeLog.notes)
        #expect(wholeLog.notes.count >= 2)
    }

    @Test("an interval whose batches were all passed over has no loss, and says how many there were")
    func emptyInterval() throws {
        let log = EventLog()
        let trainer = try Self.sft(
            Self.poisoned(try TinyModel.llama()), bad: Array(0..<16), allowed: 9, log: log, steps: 4)
        #expect(try trainer.run())
        #expect(log.all("loss").isEmpty && log.all("skipped_batches") == [2, 4] && log.losses.isEmpty)
    }

    @Test("the first tensor is named: a weight, a layer's output, a gradient")
    func names() throws {
        func error(_ change: (any TransformerDecoder) -> Void, rate: Double = 3e-3) throws -> String {
            let decoder = try TinyModel.llama()
            change(decoder)
            let trainer = try Self.sft(decoder, bad: [], allowed: 0, log: EventLog())
            let error = #expect(throws: TrainingError.self) { try trainer.run() }
            return error?.description ?? ""
        }
        #expect(
            try error { $0.parameters(ofLayer: 1)[2].value.update { $0[5] = .infinity } }
                .contains("the weight model.layers.1.self_attn.k_proj.weight"))
        // finite weights whose product is too large: SwiGLU squares what is huge already
        let overflow = try error { decoder in
            for parameter in decoder.parameters(ofLayer: 1)
            where parameter.name.contains("gate") || parameter.name.contains("up") {
                parameter.value.update { for i in $0.indices { $0[i] *= 1e30 } }
            }
        }
        #expect(overflow.contains("the loss (first seen in the output of layer 1)"), "\(overflow)")
        #expect(overflow.contains("in step 1") && overflow.contains("--skip-bad-batches"))
    }

    @Test("all examples of a small batch are named, the first of a large one")
    func lists() {
        func text(_ count: Int) -> String {
            TrainingError.notFinite(what: "x", step: 1, examples: (0..<count).map { "e\($0)" }).description
        }
        #expect(text(1).contains("(example e0)") && text(1).contains("Check this example, "))
        #expect(text(2).contains("(examples e0, e1)") && text(2).contains("Check these examples, "))
        #expect(text(20).contains("e15 and 4 more)") && !text(20).contains("e16"))
    }

    // MARK: Reward models

    @Test("a reward model's bad batch leaves its accuracy and loss alone")
    func rewardModel() throws {
        func trained(bad: [Int], allowed: Int) throws -> (RewardTrainer, EventLog) {
            let model = RewardModel(Self.poisoned(try TinyModel.llama()), head: TinyModel.head())
            let pairs = ToyData.comparisons(16).enumerated().map { index, pair in
                TokenisedComparison(
                    id: pair.id, prompt: Self.clean(pair.prompt),
                    summaries: [
                        Self.clean(pair.summaries[0]), bad.contains(index) ? [23, 2] : Self.clean(pair.summaries[1]),
                    ],
                    choice: pair.choice)
            }
            var config = configured(RewardConfig()) {
                $0.maxSteps = 4
                $0.batchSize = 4
                $0.tokensPerPass = 1
                $0.optimizer = AdamConfig(learningRate: 3e-3)
                $0.freezing = Freezing(fraction: 0.4)
                $0.logSteps = 1
                $0.seed = 5
            }
            config.skippedBatches = allowed
            let log = EventLog()
            return (try RewardTrainer(model, config: config, comparisons: pairs, handler: log.handler), log)
        }
        let (trainer, log) = try trained(bad: [6], allowed: 1)
        #expect(try trainer.run())
        #expect(
            log.notes.count == 1 && log.notes[0].contains("a score (first seen in the weight")
                && log.notes[0].contains("(example c6)"))
        #expect(log.all("loss").count == 3 && log.all("accuracy").allSatisfy { (0...1).contains($0) })
        #expect(try log.last("skipped_batches") == 1 && trainer.snapshot.optimizerSteps == 3)
        #expect((trainer.model.decoder.parameters + trainer.model.head.parameters).gradients.isEmpty)
        let (stopping, _) = try trained(bad: [6], allowed: 0)
        #expect(throws: TrainingError.self) { try stopping.run() }
    }

    // MARK: PPO

    /// A number for the request whose prompt is this one, another for all others.
    private struct Odd: RewardFunction {
        var prompt: String
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            requests.map { $0.query == prompt ? .nan : Double($0.responseTokens.count { $0 == 7 }) }
        }
    }

    private func ppo(
        _ policy: any TransformerDecoder, _ log: EventLog, allowed: Int, reward: any RewardFunction,
        head: ValueHead = TinyModel.head(),
        reference: any TransformerDecoder
    ) throws -> PPOTrainer {
        var config = configured(PPOConfig()) {
            $0.totalSteps = 6
            $0.rolloutBatchSize = 4
            $0.learnBatchSize = 2
            $0.epochs = 2
            $0.sampling = SamplingOptions(maxNewTokens: 6)
            $0.klTarget = 0.5
            $0.klHorizon = 100
            $0.optimizer = AdamConfig(learningRate: 2e-3)
            $0.freezing = Freezing(fraction: 0.67)
            $0.logSteps = 2
            $0.tableLogs = 1
            $0.seed = 4
        }
        config.skippedBatches = allowed
        return try PPOTrainer(
            policy: policy, valueHead: head, reference: reference, config: config, prompts: ToyData.prompts(12),
            rewardFunction: reward, tokenizer: NumberTokenizer(), endOfSequence: 2, handler: log.handler)
    }

    @Test(
        "rollouts with a bad reward are passed over whole, and the run goes on and resumes with the same bits",
        arguments: 1...5)
    func policy(stop: Int) throws {
        // one batch of each pass over the prompts holds this one: two of six steps
        let reward = Odd(prompt: ToyData.prompts(12)[5].query)
        let (wholeLog, log) = (EventLog(), EventLog())
        let start = try TinyModel.llama()
        let whole = try ppo(start.copy(), wholeLog, allowed: 2, reward: reward, reference: start.copy())
        #expect(try whole.run())
        #expect(wholeLog.notes.filter { $0.contains("the reward is NaN or Inf") && $0.contains("p5") }.count == 2)
        #expect(wholeLog.last("skipped_batches") == 2 && wholeLog.losses.count == 4)
        #expect(try whole.snapshot.optimizerSteps == 4 * 4)
        #expect(wholeLog.measurements.allSatisfy { $0.values.values.allSatisfy(\.isFinite) })

        let first = try ppo(start.copy(), log, allowed: 2, reward: reward, reference: start.copy())
        var saved: (TrainerSnapshot, any TransformerDecoder, ValueHead?)?
        #expect(
            try !first.run(
                checkpoint: { saved = (try $0.snapshot, $0.policy.copy(), $0.valueHead?.copy()) },
                shouldStop: { first.step == stop }))
        let (snapshot, policy, value) = try #require(saved)
        let head = try #require(value)
        let second = try ppo(policy, log, allowed: 2, reward: reward, head: head, reference: start.copy())
        try second.restore(snapshot)
        #expect(try second.run())
        Weights(policy, head).expectIdentical(to: Weights(whole.policy, try #require(whole.valueHead)))
        #expect(log.measurements == wholeLog.measurements && log.rows == wholeLog.rows)
    }

    @Test("values, log-probabilities of the policy and of the reference are told apart")
    func kinds() throws {
        func error(policy: any TransformerDecoder, head: ValueHead = TinyModel.head(), reference: any TransformerDecoder) throws -> String {
            let trainer = try ppo(
                policy, EventLog(), allowed: 0, reward: TokenShare(token: 7), head: head, reference: reference)
            let before = Weights(policy, head)
            let error = #expect(throws: TrainingError.self) { try trainer.run() }
            before.expectIdentical(to: Weights(policy, head))
            return error?.description ?? ""
        }
        let head = TinyModel.head()
        head.weight.value.update { $0[3] = .nan }
        let start = try TinyModel.llama()
        #expect(
            try error(policy: start.copy(), head: head, reference: start.copy()).hasPrefix(
                "a value (first seen in the weight v_head.linear.weight)"))
        let broken = try TinyModel.llama()
        broken.parameters(ofLayer: 2)[0].value.update { $0[0] = .nan }
        let bad = "(first seen in the weight model.layers.2.input_layernorm.weight)"
        #expect(
            try error(policy: start.copy(), reference: broken).hasPrefix("a log-probability of the reference model \(bad)"))
        let unread = try error(policy: broken.copy(), reference: start.copy())
        #expect(
            unread.hasPrefix("a log-probability at position ") && unread.contains(bad) && unread.contains(/\(examples? p/)
        )
    }
}
