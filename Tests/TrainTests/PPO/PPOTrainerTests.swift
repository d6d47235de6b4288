import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

@Suite struct PPOTrainerTests {
    func config(_ steps: Int = 4, _ change: (inout PPOConfig) -> Void = { _ in }) -> PPOConfig {
        var config = configured(PPOConfig()) {
            $0.totalSteps = steps
            $0.rolloutBatchSize = 8
            $0.learnBatchSize = 4
            $0.epochs = 2
            $0.sampling = SamplingOptions(maxNewTokens: 9, temperature: 0.9)
            $0.klCoefficient = 0.05
            $0.klTarget = 0.5
            $0.klHorizon = 100
            $0.entropyCost = 0.01
            $0.optimizer = AdamConfig(learningRate: 2e-3)
            $0.freezing = Freezing(fraction: 0.67)
            $0.logSteps = 3
            $0.evaluationSteps = 2
            $0.seed = 4
        }
        change(&config)
        return config
    }

    /// A policy, a reference, a head and their trainer.
    struct Setup {
        let policy: any TransformerDecoder
        let head: ValueHead
        let reference: any TransformerDecoder
        let trainer: PPOTrainer
        let log = EventLog()

        init(
            _ config: PPOConfig, policy: (any TransformerDecoder)? = nil, head: ValueHead = TinyModel.head(),
            reference: (any TransformerDecoder)? = nil, reward: any RewardFunction = TokenShare(token: 7)
        ) throws {
            self.policy = try policy ?? TinyModel.llama()
            self.head = head
            self.reference = reference ?? self.policy.copy()
            trainer = try PPOTrainer(
                policy: self.policy, valueHead: head, reference: self.reference, config: config,
                prompts: ToyData.prompts(20), evaluationPrompts: [("held", ToyData.prompts(5, seed: 77))],
                rewardFunction: reward, tokenizer: NumberTokenizer(), endOfSequence: 2, handler: log.handler)
        }

        var parameters: [Parameter] { policy.parameters + head.parameters }
        var weights: Weights { Weights(parameters) }
    }

    @Test("the reward rises; frozen parameters and the reference keep their bits")
    func smoke() throws {
        let setup = try Setup(
            config(60) {
                $0.rolloutBatchSize = 16
                $0.learnBatchSize = 16
                $0.epochs = 3
                $0.klTarget = nil
                $0.klCoefficient = 0.01
                $0.freezing.fraction = 0.34
                $0.optimizer.learningRate = 1e-2
                $0.evaluationSteps = nil
                $0.logSteps = 5
            })
        let (before, reference) = (setup.weights, Weights(setup.reference))
        #expect(setup.trainer.sharedTrunkLayers == 1)
        #expect(try setup.trainer.run())
        let scores = setup.log.all("mean_score")
        #expect(scores.count == 12)
        #expect(scores[0] < 0.2 && scores[11] > scores[0] + 0.3, "\(scores)")
        #expect(try #require(setup.log.last("held_score")) > 0.5)
        #expect(before.moved(setup.parameters) == Set(setup.parameters.filter(\.isTrainable).map(\.name)))
        #expect(setup.parameters.count { $0.isTrainable } == 2 * 9 + 1 + 2)
        reference.expectIdentical(to: Weights(setup.reference))
        #expect(setup.reference.parameters.allSatisfy { !$0.isTrainable })
        #expect(setup.log.steps == Array(1...60))
        #expect(setup.log.notes == ["policy and reference share 1 of 3 layers"])
    }

    @Test("metrics of the first step: nothing has been learned, the policy is its reference")
    func firstMetrics() throws {
        let setup = try Setup(
            config(1) {
                $0.epochs = 1
                $0.learnBatchSize = 8
                $0.optimizer.clipNorm = nil
            })
        try setup.trainer.run()
        let values = try #require(setup.log.measurements.first { $0.values["mean_score"] != nil }).values
        for name in ["kl_k1", "kl_k2", "kl_k3", "kl_div", "kl_sequence", "kl_old_new", "clipped_policy_fraction", "mean_kl_reward"] {
            expectClose([try #require(values[name])], [0], relative: 0, absolute: 1e-5, label: name)
        }
        expectClose([try #require(values["max_ratio"])], [1], relative: 1e-4)
        #expect(values["rollout_kl_coef"] == 0.05 && values["learning_rate"] == 2e-3)
        #expect(values["mean_reward"] == values["mean_score"])
        expectClose([try #require(values["mean_total_reward"])], [try #require(values["mean_score"])], relative: 1e-5, absolute: 1e-5)
        #expect((1...9).contains(try #require(values["mean_response_tokens"])))
        #expect((0...1).contains(try #require(values["end_share"])))
        // with ρ = 1 the policy loss is −mean of advantages of mean 0
        expectClose([try #require(values["policy_loss"])], [0], relative: 0, absolute: 1e-5)
    }

    @Test("a KL in the loss has the weight that has already been adapted to the step's rollouts")
    func adaptedBeforeLearning() throws {
        let config = config(1) {
            $0.klAsReward = false
            $0.klTarget = 0.01
            $0.klHorizon = 8
            $0.epochs = 1
            $0.learnBatchSize = 8
        }
        let policy = try TinyModel.llama()
        let reference = policy.copy()
        for layer in 0..<3 { Self.change(reference.parameters(ofLayer: layer)) }
        let setup = try Setup(config, policy: policy, reference: reference)
        try setup.trainer.run()
        let values = try #require(setup.log.measurements.first { $0.values["kl_loss"] != nil }).values
        var controller = KLController(coefficient: 0.05, target: 0.01, horizon: 8)
        controller.update(meanKL: try #require(values["kl_sequence"]), rollouts: 8)
        #expect(controller.coefficient != 0.05 && values["rollout_kl_coef"] == 0.05)
        #expect(values["kl_coef"] == controller.coefficient)
        // nothing has been learned yet: the loss sees the log-probabilities of sampling
        let kl = try #require(values["kl_k2"])
        #expect(kl > 0)
        expectClose([try #require(values["kl_loss"])], [controller.coefficient * kl], relative: 2e-2, absolute: 1e-9)
    }

    /// Rollouts of the setup's policy with trunk states, as the trainer makes them.
    private func rollouts(_ setup: Setup, config: PPOConfig) throws -> [Rollout] {
        // enough for some responses to end by themselves
        let prompts = ToyData.prompts(20, seed: 31)
        let generator = Generator(
            setup.policy, valueHead: setup.head, endOfSequence: 2, trunkLayers: setup.trainer.sharedTrunkLayers)
        let responses = try generator.generate(
            prompts.enumerated().map { GenerationRequest(prompt: $1.tokens, streams: [Philox(seed: UInt64($0))]) },
            options: config.sampling)
        return zip(prompts, responses).map { prompt, answers in
            let answer = answers[0]
            var rollout = Rollout(id: prompt.id, prompt: prompt.tokens, response: answer)
            rollout.score = Double(answer.tokens.count)
            return rollout
        }
    }

    /// Changes the last weights of a layer by different amounts: norms and softmax would not see one amount added to all.
    private static func change(_ layer: [Parameter]) {
        layer.last?.value.update { for i in $0.indices { $0[i] += 0.1 * Float(i % 3) } }
    }

    @Test(
        "reused trunk states give the reference's numbers, the loss and every gradient of full passes",
        arguments: TinyModel.families)
    func trunkReuse(_ family: String) throws {
        let config = config { $0.klAsReward = false }
        let policy = try TinyModel.make(family)
        let reference = policy.copy()
        // a reference that differs above the trunk
        Self.change(reference.parameters(ofLayer: 2))
        let setup = try Setup(
            config, policy: policy, head: TinyModel.head(width: policy.shape.headWidth), reference: reference)
        #expect(setup.trainer.sharedTrunkLayers == 2)
        var reused = try rollouts(setup, config: config)
        #expect(Set(reused.map(\.response.count)).count > 1 && reused.contains(where: \.ended))
        var full = reused
        for i in full.indices { full[i].trunk = nil }
        setup.trainer.addReferenceLogProbs(to: &reused)
        setup.trainer.addReferenceLogProbs(to: &full)
        for (a, b) in zip(reused, full) {
            expectClose(a.referenceLogProbs, b.referenceLogProbs, relative: 0, absolute: 1e-5)
        }
        #expect(reused.contains { abs($0.sequenceKL) > 1e-2 }, "the reference must differ")
        setup.trainer.addRewards(to: &reused)
        setup.trainer.addAdvantages(to: &reused)
        for i in full.indices {
            (full[i].advantages, full[i].returns) = (reused[i].advantages, reused[i].returns)
            full[i].referenceLogProbs = reused[i].referenceLogProbs
        }
        func gradients(_ rollouts: [Rollout]) -> (Float, [String: Tensor]) {
            let tape = Tape()
            let loss = setup.trainer.objective.loss(of: rollouts, on: tape)
            tape.backward(from: loss)
            defer { setup.parameters.forEach { $0.clearGradient() } }
            return (loss.item, setup.parameters.gradients)
        }
        let (a, b) = (gradients(reused), gradients(full))
        expectClose([a.0], [b.0], relative: 1e-5)
        #expect(Set(b.1.keys) == Set(setup.parameters.filter(\.isTrainable).map(\.name)))
        expectGradients(a.1, b.1, "trunk")
    }

    /// Keeps what it was asked and gives the scores of a model.
    private final class Spy: TrunkReadingReward {
        let judge: RewardModelReward
        var training: [(requests: [RewardRequest], trunk: TrunkStates)] = []
        init(_ judge: RewardModelReward) { self.judge = judge }
        func rewards(for requests: [RewardRequest]) throws -> [Double] { try judge.rewards(for: requests) }
        func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] {
            training.append((requests, trunk))
            return try judge.rewards(for: requests, trunk: trunk)
        }
    }

    @Test(
        "a reward model that shares the trunk scores as one that runs in full, in training too",
        arguments: TinyModel.families)
    func rewardTrunk(_ family: String) throws {
        func run(sharing layers: Int) throws -> (Setup, Spy) {
            let policy = try TinyModel.make(family)
            let width = policy.shape.headWidth
            let judge = RewardModel(policy.copy(), head: TinyModel.head(seed: 8, width: width))
            Self.change(judge.decoder.parameters(ofLayer: 2))
            let spy = Spy(RewardModelReward(judge, endOfSequence: 2, sharedTrunkLayers: layers))
            let setup = try Setup(config(3), policy: policy, head: TinyModel.head(width: width), reward: spy)
            try setup.trainer.run()
            return (setup, spy)
        }
        let (shared, spy) = try run(sharing: 2)
        #expect(spy.training.map(\.requests.count) == [8, 8, 8] && spy.training.allSatisfy { $0.trunk.layers == 2 })
        for (requests, trunk) in spy.training {
            for request in requests {
                #expect(request.query == request.promptTokens.map(String.init).joined(separator: " "))
                #expect(request.reference?.first == "r")
                #expect(!request.response.contains(" 2 "))
            }
            expectClose(
                try spy.judge.rewards(for: requests, trunk: trunk), try spy.judge.rewards(for: requests), relative: 1e-5,
                absolute: 1e-5)
        }
        let (full, _) = try run(sharing: 0)
        // softmax does not see a key's bias: its gradient is rounding noise, which Adam turns into steps
        for (a, b) in zip(shared.parameters, full.parameters)
        where !["k_proj.bias", "c_attn.bias"].contains(where: a.name.hasSuffix) {
            expectClose(a.value, b.value, relative: 0, absolute: 1e-4, label: "\(family) \(a.name)")
        }
    }

    @Test("how a batch is cut into passes changes nothing beyond rounding")
    func passes() throws {
        func trained(_ tokensPerPass: Int) throws -> Setup {
            let setup = try Setup(config { $0.tokensPerPass = tokensPerPass })
            try setup.trainer.run()
            return setup
        }
        let whole = try trained(10_000)
        for tokens in [1, 30] {
            let parts = try trained(tokens)
            parts.weights.expectClose(to: whole.weights, absolute: 5e-5)
            #expect(parts.log.measurements.count == whole.log.measurements.count)
            for (a, b) in zip(parts.log.measurements, whole.log.measurements) {
                for (name, value) in a.values {
                    expectClose([value], [b.values[name] ?? .nan], relative: 1e-3, absolute: 1e-4, label: name)
                }
            }
        }
    }

    @Test("a run that goes on from a snapshot equals the unbroken one bit for bit", arguments: [1, 2, 4])
    func resume(stop: Int) throws {
        let whole = try Setup(config(5))
        #expect(try whole.trainer.run())
        // the KL weight is not where it began
        #expect(Set(whole.log.all("kl_coef")).count > 1)

        let start = try TinyModel.llama()
        let first = try Setup(config(5), policy: start.copy(), reference: start.copy())
        var saved: (TrainerSnapshot, any TransformerDecoder, ValueHead?)?
        #expect(
            try !first.trainer.run(
                checkpoint: { saved = (try $0.snapshot, $0.policy.copy(), $0.valueHead?.copy()) },
                shouldStop: { first.trainer.step == stop }))
        let (snapshot, policy, head) = try #require(saved)
        let second = try Setup(config(5), policy: policy, head: try #require(head), reference: start.copy())
        try second.trainer.restore(snapshot)
        #expect(second.trainer.step == stop)
        #expect(second.trainer.sharedTrunkLayers == whole.trainer.sharedTrunkLayers)
        #expect(try second.trainer.run())
        second.weights.expectIdentical(to: whole.weights)
        #expect(first.log.measurements + second.log.measurements == whole.log.measurements)
        #expect(first.log.losses + second.log.losses == whole.log.losses)
        #expect(first.log.rows + second.log.rows == whole.log.rows)
    }

    @Test("the same seed gives the same bits, another one other responses")
    func seeds() throws {
        func trained(_ seed: UInt64) throws -> Setup {
            let setup = try Setup(config(2) { $0.seed = seed })
            try setup.trainer.run()
            return setup
        }
        let (a, b, c) = (try trained(4), try trained(4), try trained(5))
        a.weights.expectIdentical(to: b.weights)
        #expect(a.log.measurements == b.log.measurements)
        #expect(a.log.losses != c.log.losses)
    }

    @Test("one thread and two threads agree to rounding")
    func threads() throws {
        func trained(_ threads: Int) throws -> Weights {
            try Compute.$threads.withValue(threads) {
                let setup = try Setup(config())
                try setup.trainer.run()
                return setup.weights
            }
        }
        try trained(2).expectClose(to: trained(1), absolute: 2e-5)
    }

    @Test("evaluation answers greedily and reports one row a prompt")
    func evaluation() throws {
        let setup = try Setup(config(2))
        try setup.trainer.evaluate()
        #expect(setup.log.rows.count == 5)
        let generator = Generator(setup.policy, endOfSequence: 2)
        let prompts = ToyData.prompts(5, seed: 77)
        let answers = try generator.generate(
            prompts.map { GenerationRequest(prompt: $0.tokens, streams: [Philox(seed: 0)]) }, options: .greedy(maxNewTokens: 9)
        ).map { $0[0] }
        let scores = answers.map { answer in Double(answer.tokens.count { $0 == 7 }) / Double(answer.tokens.count) }
        for (index, row) in setup.log.rows.enumerated() {
            #expect(row.id == prompts[index].id && row.input == prompts[index].query)
            #expect(row.response == NumberTokenizer().decode(answers[index].tokens, skippingSpecialTokens: true))
            #expect(row.reward == scores[index] && row.numbers["step"] == 0)
        }
        let values = try #require(setup.log.measurements.last).values
        expectClose([try #require(values["held_score"])], [scores.reduce(0, +) / 5], relative: 1e-12)
        expectClose(
            [try #require(values["held_length"])], [answers.reduce(0) { $0 + Double($1.tokens.count) } / 5], relative: 1e-12)
        #expect(values["held_end_share"] == Double(answers.count { $0.ended }) / 5)
    }

    private final class Counter: RewardFunction {
        var counts: [Int] = []
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            counts.append(requests.count)
            return requests.map { Double($0.responseTokens.count) }
        }
    }

    @Test("a step's responses are scored together, those of padded rollout batches batch by batch")
    func scoredBatches() throws {
        for (compatibility, expected) in [(PPOCompatibility.sane, [8, 8]), (.reference, [4, 4, 4, 4])] {
            let counter = Counter()
            let setup = try Setup(
                config(2) {
                    $0.rolloutBatches = 2
                    $0.compatibility = compatibility
                    $0.evaluatesAtStart = false
                    $0.evaluationSteps = nil
                }, reward: counter)
            try setup.trainer.run()
            // the last is the evaluation behind the last step
            #expect(counter.counts == expected + [5])
        }
    }

    @Test("an epoch of prompts ends with the last full rollout batch, in the middle of a step where a step has several")
    func everyPromptIsRead() throws {
        let setup = try Setup(
            config(5) {  // 20 prompts: rollout batches of 4 in steps of 8
                $0.rolloutBatches = 2
                $0.tableLogs = 1
                $0.logSteps = 1
                $0.evaluatesAtStart = false
                $0.evaluationSteps = nil
            })
        try setup.trainer.run()
        let trained = setup.log.rows.filter { $0.numbers["model_version"] != nil && $0.tokens != nil }
        #expect(trained.count == 40)
        #expect(Dictionary(grouping: trained, by: \.id).values.map(\.count) == Array(repeating: 2, count: 20))
        #expect(trained.allSatisfy { Double($0.tokens?.count ?? 0) == $0.numbers["tokens"] })
    }
}
