import Data
import Eval
import Models
import Tensor
import Train

/// The tasks of the comparison, written as a user of the libraries would. Each runs once more than it is timed.
struct Tasks {
    let options: Options
    let workload: Workload

    func run() throws -> Report {
        switch options.task {
        case .generate: try generate()
        case .sft: try sft()
        case .rm: try rewardModel()
        case .ppo: try ppo()
        case .dpo: try preferences()
        case .lora: try adapter()
        case .grpo: try groups()
        case .encode, .ngrams, .ops, .rate: throw BenchmarkError("\(options.task) does not use a workload")
        }
    }

    var sampling: SamplingOptions {
        SamplingOptions(maxNewTokens: workload.newTokens, minNewTokens: workload.newTokens)
    }
    let frozen = Freezing(fraction: 0.8)

    /// Generates `newTokens` tokens after every prompt, in one batch.
    private func generate() throws -> Report {
        var load = Stopwatch()
        let generator = Generator(try workload.decoder(), endOfSequence: workload.endOfSequence)
        let loadSeconds = load.lap()
        var seconds: [Double] = []
        var sampled = 0
        for iteration in 0...options.iterations {
            let random = Philox(seed: 0).split(UInt64(iteration))
            let requests = workload.prompts.enumerated().map { index, prompt in
                GenerationRequest(prompt: prompt, streams: [random.split(UInt64(index))])
            }
            var watch = Stopwatch()
            let responses = try generator.generate(requests, options: sampling)
            seconds.append(watch.lap())
            sampled = responses.reduce(0) { $0 + $1.reduce(0) { $0 + $1.tokens.count } }
        }
        guard sampled == workload.prompts.count * workload.newTokens else {
            throw BenchmarkError("\(sampled) tokens were sampled; expected \(workload.newTokens) for each prompt")
        }
        var report = Report(options, Array(seconds.dropFirst()))
        report.tokens = sampled
        report.loadSeconds = loadSeconds
        let lengths = sampledLengths(prompts: workload.prompts.count, answers: 1)
        count(in: &report) { StepOperations(generator.decoder).sampling(lengths) }
        countDecoding(of: lengths, with: generator.decoder, in: &report)
        return report
    }

    /// AdamW, or the optimiser of the options, with weight decay and without gradient clipping.
    func adam(learningRate: Double) -> AdamConfig {
        var config = AdamConfig(learningRate: learningRate, clipNorm: nil)
        config.weightDecay = 0.01
        config.kind = options.optimizer
        return config
    }

    /// One AdamW step over all examples; the loss is the mean over response tokens.
    private func sft() throws -> Report {
        if options.without == .rows { return try allRows() }
        let decoder = try workload.decoder()
        let examples = self.examples
        var config = SFTConfig()
        (config.maxSteps, config.batchSize) = (options.iterations + 1, examples.count)
        (config.optimizer, config.schedule) = (adam(learningRate: 3e-5), Schedule(.constant))
        (config.freezing, config.recomputesLayers) = (options.isFull ? Freezing(fraction: 0) : frozen, options.recomputes)
        config.tokensPerPass = options.tokensPerPass ?? config.tokensPerPass
        config.gradientFormat = options.gradientFormat
        if options.isFull { config.promptLossWeight = 1 }
        try hold(decoder, freezing: config.freezing)
        var steps = StepTimes()
        let trainer = try SFTTrainer(decoder, config: config, examples: examples) { steps.record($0) }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        report.firstLoss = steps.losses.first
        report.tokens = examples.reduce(0) { $0 + $1.count }
        count(in: &report) { StepOperations(decoder).answers(exampleLengths, predictsPrompts: options.isFull) }
        return report
    }

    /// One AdamW step over all pairs.
    private func rewardModel() throws -> Report {
        if options.without == .rows || options.without == .prefix { return try allRows() }
        let model = RewardModel(try workload.decoder(), head: workload.valueHead())
        let pairs = comparisons
        var config = RewardConfig()
        (config.maxSteps, config.batchSize) = (options.iterations + 1, pairs.count)
        (config.optimizer, config.schedule) = (adam(learningRate: 1e-5), Schedule(.constant))
        (config.freezing, config.recomputesLayers) = (frozen, options.recomputes)
        config.tokensPerPass = options.tokensPerPass ?? config.tokensPerPass
        config.gradientFormat = options.gradientFormat
        try hold(model.decoder, freezing: frozen, isRewardModel: true)
        var steps = StepTimes()
        let trainer = try RewardTrainer(model, config: config, comparisons: pairs) { steps.record($0) }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        report.firstLoss = steps.losses.first
        report.tokens = pairs.reduce(0) { $0 + 2 * $1.prompt.count + $1.summaries.reduce(0) { $0 + $1.count } }
        count(in: &report) { StepOperations(model.decoder).pairs(pairLengths) }
        report.checks = [
            "shared_prefix": greatestDifference(
                RewardLoss.scores(model, pairs).values,
                pairs.flatMap { pair in model.scores(pair.summaries.map { pair.prompt + $0 }) })
        ]
        return report
    }

    /// One step of PPO: a rollout for every prompt, scores, and four epochs of training.
    private func ppo() throws -> Report {
        // the three models are loaded separately; equal layers are then detected and shared
        let (policy, reference) = (try workload.decoder(), try workload.decoder())
        let reward = RewardModel(try workload.decoder(), head: workload.valueHead())
        let vocabulary = policy.shape.vocabularySize
        if options.without == .trunk {
            // embeddings that differ in one bit prevent sharing
            for model in [reference, reward.decoder] {
                model.embeddingParameters[0].value.update { $0[0] = $0[0].nextUp }
            }
        }
        frozen.apply(to: policy)
        reward.decoder.parameters.forEach { $0.isTrainable = false }
        let layers = Trunk.share(policy, with: reward.decoder, atMost: policy.frozenTrunk).layers
        var sampling = self.sampling
        // log-probabilities at a temperature other than the sampling temperature need a separate pass
        var compatibility = PPOCompatibility.sane
        if options.without == .rows {
            sampling.temperature = 1.0001
            compatibility.ignoresTemperature = true
        }
        var config = PPOConfig()
        config.totalSteps = options.iterations + 1
        (config.rolloutBatchSize, config.learnBatchSize) = (workload.prompts.count, workload.prompts.count)
        (config.sampling, config.klCoefficient, config.valueCost, config.compatibility) = (sampling, 5, 0.2, compatibility)
        (config.optimizer, config.schedule) = (AdamConfig(learningRate: 1.5e-6, clipNorm: nil), Schedule(.constant))
        (config.freezing, config.recomputesLayers) = (frozen, options.recomputes)
        config.tokensPerPass = options.tokensPerPass ?? config.tokensPerPass
        (config.optimizer.kind, config.gradientFormat) = (options.optimizer, options.gradientFormat)
        try hold(policy, freezing: frozen, reference: reference)
        let prompts = workload.prompts.enumerated().map {
            TokenisedPrompt(id: "\($0)", tokens: $1, query: "", reference: "", isTruncated: false)
        }
        var steps = StepTimes()
        let trainer = try PPOTrainer(
            policy: policy, valueHead: workload.valueHead(), reference: reference, config: config, prompts: prompts,
            rewardFunction: RewardModelReward(
                reward, endOfSequence: workload.endOfSequence,
                sharedTrunkLayers: layers == policy.frozenTrunk ? layers : 0),
            tokenizer: IDs(vocabularySize: vocabulary), endOfSequence: workload.endOfSequence
        ) { steps.record($0) }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        report.tokens = workload.prompts.count * workload.newTokens
        report.phases = [
            "generate": trainer.lastPhases.generate, "score": trainer.lastPhases.score,
            "learn": trainer.lastPhases.learn,
        ]
        let lengths = sampledLengths(prompts: prompts.count, answers: 1)
        count(in: &report) {
            StepOperations(policy).policy(
                lengths, epochs: config.epochs, sharedLayers: policy.frozenTrunk, hasValueHead: true)
        }
        countDecoding(of: lengths, with: policy, in: &report)
        if options.without == nil { report.checks = try checks(of: trainer, reward: reward) }
        return report
    }

    /// Compares the optimisations of PPO with direct computation: log-probabilities from sampling with a new pass over whole sequences,
    /// reused trunk states with recomputed ones, and pairs with a shared prompt with separate sequences.
    private func checks(of trainer: PPOTrainer, reward: RewardModel) throws -> [String: Double] {
        let layers = trainer.sharedTrunkLayers
        let generator = Generator(
            trainer.policy, valueHead: trainer.valueHead, endOfSequence: workload.endOfSequence,
            trunkLayers: layers > 0 ? layers : nil)
        let random = Philox(seed: 1)
        let responses = try generator.generate(
            workload.prompts.enumerated().map { .init(prompt: $1, streams: [random.split(UInt64($0))]) },
            options: sampling
        ).map { $0[0] }
        var (logProbs, trunk, prefix): (Double, Double, Double) = (0, 0, 0)
        for (index, (prompt, response)) in zip(workload.prompts, responses).enumerated() {
            let batch = TokenBatch([prompt + response.tokens.dropLast()])
            let states = trainer.policy.run(batch, layers: 0..<trainer.policy.shape.layerCount)
            let hidden = trainer.policy.finish(states, on: nil).rows(prompt.count - 1..<batch.count)
            let fresh = hidden.logProbs(trainer.policy.projection.value, targets: response.tokens).logProbs
            logProbs = max(logProbs, greatestDifference(fresh.values, response.logProbs))
            if let reused = response.trunk {
                let recomputed = trainer.policy.run(batch, layers: 0..<layers)
                trunk = max(trunk, greatestDifference(recomputed.values, reused.prefix(batch.count).tensor.values))
            }
            let answers = [workload.responses[index], workload.rejected[index]]
            let shared = TokenBatch(prompts: [prompt], continuations: [answers])
            prefix = max(
                prefix,
                greatestDifference(
                    reward.scores(shared, lastRows: shared.rows.map { $0.upperBound - 1 }).values,
                    reward.scores(answers.map { prompt + $0 })))
        }
        return ["log_probs": logProbs, "trunk_states": trunk, "shared_prefix": prefix, "shared_layers": Double(layers)]
    }

    private func greatestDifference(_ a: [Float], _ b: [Float]) -> Double {
        guard a.count == b.count else { return .infinity }
        return zip(a, b).reduce(0) { max($0, Double(abs($1.0 - $1.1))) }
    }
}

/// Measures the time of every step of a trainer from its events.
struct StepTimes {
    private var watch = Stopwatch()
    private var all: [Double] = []
    /// The loss of every step; for policy optimisation, the negative mean score.
    private(set) var losses: [Double] = []

    /// The steps after the first one.
    var timed: [Double] { Array(all.dropFirst()) }

    mutating func begin() { watch = Stopwatch() }

    mutating func record(_ event: TrainingEvent) {
        guard case .progressed(_, _, _, let figure) = event else { return }
        all.append(watch.lap())
        losses.append(figure.map { $0.name == "score" ? -$0.value : $0.value } ?? .nan)
    }
}
