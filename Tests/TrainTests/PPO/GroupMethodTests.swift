import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Whole runs of methods without a value head.
@Suite struct GroupMethodTests {
    static func config(_ method: AdvantageEstimator, _ steps: Int = 3, _ change: (inout PPOConfig) -> Void = { _ in }) -> PPOConfig {
        var config = configured(PPOConfig(method)) {
            $0.totalSteps = steps
            $0.rolloutBatchSize = 4
            $0.learnBatchSize = $0.rollouts
            $0.sampling = SamplingOptions(maxNewTokens: 9, temperature: 0.9)
            $0.klCoefficient = 0.05
            $0.optimizer = AdamConfig(learningRate: 2e-3)
            $0.freezing = Freezing(fraction: 0.67)
            $0.logSteps = 1
            $0.seed = 4
        }
        change(&config)
        return config
    }

    struct Setup {
        let policy: any TransformerDecoder
        let trainer: PPOTrainer
        let log = EventLog()

        init(
            _ config: PPOConfig, policy: (any TransformerDecoder)? = nil, reference: (any TransformerDecoder)? = nil,
            hasReference: Bool = true,
            reward: any RewardFunction = TokenShare(token: 7)
        ) throws {
            self.policy = try policy ?? TinyModel.llama()
            trainer = try PPOTrainer(
                policy: self.policy, valueHead: nil, reference: hasReference ? reference ?? self.policy.copy() : nil, config: config,
                prompts: ToyData.prompts(20), evaluationPrompts: [("held", ToyData.prompts(5, seed: 77))],
                rewardFunction: reward, tokenizer: NumberTokenizer(), endOfSequence: 2, handler: log.handler)
        }

        var weights: Weights { Weights(policy.parameters) }
    }

    static let methods = AdvantageEstimator.builtIn.filter { !$0.usesValues }

    @Test("every method raises the reward", arguments: methods.map(\.name))
    func rises(_ name: String) throws {
        let method = try #require(Self.methods.first { $0.name == name })
        let setup = try Setup(
            Self.config(method, 60) {
                $0.rolloutBatchSize = 16 / $0.generations
                $0.learnBatchSize = 16
                $0.epochs = 2
                $0.klCoefficient = 0.01
                $0.freezing.fraction = 0.34
                $0.optimizer.learningRate = 1e-2
                $0.logSteps = 10
            })
        #expect(try setup.trainer.run())
        let scores = setup.log.all("mean_score")
        #expect(scores[0] < 0.25 && scores[5] > scores[0] + 0.2, "\(scores)")
        #expect(setup.log.all("baseline_loss").isEmpty && setup.log.all("explained_variance").isEmpty)
        #expect(setup.log.all("frac_reward_zero_std").isEmpty == (setup.trainer.config.generations == 1))
    }

    @Test(
        "a run that goes on from a snapshot equals the unbroken one bit for bit",
        arguments: ["rloo", "grpo", "reinforce++", "remax", "all"])
    func resume(_ name: String) throws {
        let method = Self.methods.first { $0.name == name } ?? .grpo
        let config = Self.config(method, 4) {
            guard name == "all" else { return }
            ($0.extraBatches, $0.entropyTarget, $0.entropyCost, $0.masksTruncated) = (2, 2.5, 0.01, true)
            ($0.policyClipHigh, $0.correctsKL, $0.epochs, $0.klTarget) = (0.28, true, 2, 0.5)
        }
        let start = try TinyModel.llama()
        let whole = try Setup(config, policy: start.copy(), reference: start.copy())
        #expect(try whole.trainer.run())
        let first = try Setup(config, policy: start.copy(), reference: start.copy())
        var saved: (TrainerSnapshot, any TransformerDecoder)?
        #expect(
            try !first.trainer.run(
                checkpoint: { saved = (try $0.snapshot, $0.policy.copy()) }, shouldStop: { first.trainer.step == 2 }))
        let (snapshot, policy) = try #require(saved)
        let second = try Setup(config, policy: policy, reference: start.copy())
        try second.trainer.restore(snapshot)
        #expect(try second.trainer.run())
        second.weights.expectIdentical(to: whole.weights)
        #expect(first.log.measurements + second.log.measurements == whole.log.measurements)
    }

    @Test("the first response to a prompt is the same however many there are, and the rest do not depend on how many come behind")
    func draws() throws {
        let prompts = ToyData.prompts(4)
        func responses(_ generations: Int) throws -> [[[Int32]]] {
            let setup = try Setup(Self.config(.grpo) { ($0.generations, $0.learnBatchSize) = (generations, 4 * generations) })
            let tokens = try setup.trainer.sample(prompts).map(\.drawn.tokens)
            return stride(from: 0, to: tokens.count, by: generations).map { Array(tokens[$0..<$0 + generations]) }
        }
        let (two, five) = (try responses(2), try responses(5))
        #expect(five.map { Array($0.prefix(2)) } == two)
        #expect(five.contains { Set($0).count > 1 })
        let alone = try Setup(Self.config(.reinforce) { $0.rolloutBatchSize = 4 })
        #expect(try alone.trainer.sample(prompts).map(\.drawn.tokens) == two.map { $0[0] })
    }

    @Test("a step in many passes takes the same step as in one, with every way to sum", arguments: LossAggregation.builtIn.map(\.name))
    func passes(_ name: String) throws {
        let aggregation = try #require(LossAggregation.builtIn.first { $0.name == name })
        func run(_ tokens: Int) throws -> Setup {
            let setup = try Setup(
                Self.config(.grpo, 1) {
                    ($0.aggregation, $0.tokensPerPass, $0.ratio) = (aggregation, tokens, .sequenceMean)
                    ($0.masksTruncated, $0.entropyCost, $0.optimizer.learningRate) = (true, 0.01, 1e-2)
                })
            try setup.trainer.run()
            return setup
        }
        let (parts, whole) = (try run(1), try run(4096))
        let first = try #require(whole.log.measurements.first { $0.values["policy_loss"] != nil }).values
        let other = try #require(parts.log.measurements.first { $0.values["policy_loss"] != nil }).values
        for key in ["policy_loss", "kl_loss", "entropy", "gradient_norm"] {
            expectClose([other[key] ?? .nan], [first[key] ?? .nan], relative: 1e-3, absolute: 1e-6, label: key)
        }
        #expect(abs(first["gradient_norm"] ?? 0) > 0)
    }

    @Test("without a reference no KL is measured, and a weight of the KL is refused")
    func withoutReference() throws {
        let setup = try Setup(Self.config(.grpo, 2) { $0.klCoefficient = 0 }, hasReference: false)
        #expect(try setup.trainer.run())
        let names = Set(setup.log.measurements.flatMap(\.values.keys))
        #expect(names.contains("mean_score") && !names.contains { $0.contains("kl_") && $0 != "kl_old_new" }, "\(names.sorted())")
        // frozen layers are run once all the same
        #expect(setup.trainer.sharedTrunkLayers == 2)
        let measured = try Setup(Self.config(.grpo, 2) { $0.klCoefficient = 0 })
        try measured.trainer.run()
        setup.weights.expectIdentical(to: measured.weights)
        #expect(throws: TrainingError.self) { try Setup(Self.config(.grpo), hasReference: false) }
    }

    @Test("groups without spread are counted, teach nothing, and are drawn again where that is wanted")
    func spread() throws {
        // the same reward for every response to the prompts of a step's first half
        let flat = ClosureReward { requests in
            requests.indices.map { i in
                let isFlat = (requests[i].promptTokens.last ?? 0) % 2 == 0
                return isFlat ? 1 : Double(requests[i].responseTokens.count { $0 == 7 }) + Double(requests[i].responseTokens.first ?? 0)
            }
        }
        let none = try Setup(Self.config(.grpo, 3) { $0.klCoefficient = 0 }, reward: ClosureReward { $0.map { _ in 3 } })
        let before = none.weights
        #expect(try none.trainer.run())
        #expect(none.log.all("frac_reward_zero_std") == [1, 1, 1])
        before.expectIdentical(to: none.weights)

        let plain = try Setup(Self.config(.grpo, 4), reward: flat)
        try plain.trainer.run()
        let again = try Setup(Self.config(.grpo, 4) { $0.extraBatches = 3 }, reward: flat)
        try again.trainer.run()
        #expect(plain.log.all("groups_drawn") == [4, 4, 4, 4])
        #expect(again.log.all("groups_drawn").contains { $0 > 4 }, "\(again.log.all("groups_drawn"))")
        #expect(again.log.all("mean_response_tokens").count == 4)
    }

    @Test("a reward of groups replaces the scores of a group")
    func groupReward() throws {
        let alike = GroupReward("alike") { scores, texts in
            #expect(scores.count == 4 && texts.count == 4)
            return scores.map { _ in 2 }
        }
        let setup = try Setup(Self.config(.grpo, 2) { ($0.groupReward, $0.klCoefficient) = (alike, 0) })
        let before = setup.weights
        try setup.trainer.run()
        before.expectIdentical(to: setup.weights)
        #expect(setup.log.all("mean_reward") == [2, 2] && setup.log.all("mean_score")[0] != 2)
        let broken = GroupReward("broken") { _, _ in [.nan] }
        #expect(throws: TrainingError.self) { try Setup(Self.config(.grpo, 1) { $0.groupReward = broken }).trainer.run() }
    }

    @Test("a sum of rewards is told part by part")
    func weighted() throws {
        let reward = WeightedReward([(2, TokenShare(token: 7)), (-0.5, ClosureReward { $0.map { _ in 1 } })], names: ["share", "one"])
        let setup = try Setup(Self.config(.rloo, 1), reward: reward)
        try setup.trainer.run()
        let share = try #require(setup.log.last("reward_share"))
        #expect(setup.log.last("reward_one") == 1)
        expectClose([try #require(setup.log.last("mean_score"))], [2 * share - 0.5], relative: 1e-9)
    }

    @Test("a value head where none belongs, or none where one does, is refused")
    func heads() throws {
        #expect(throws: TrainingError.self) { try Setup(Self.config(.gae)) }
    }
}
