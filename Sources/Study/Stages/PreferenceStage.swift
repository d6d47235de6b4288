import Data
import Formats
public import Foundation
import Models
public import Runs
import Tensor
import TextGeneration
import Train

/// Direct preference optimisation: trains a policy on comparisons of answers, without a reward model.
public struct PreferenceStage: TrackedStage {
    /// The comparisons, and the starting model.
    public var comparisons = ComparisonSettings()
    /// The loss.
    public var preference = DirectPreferenceSettings()
    /// The data set and its tokenisation.
    public var data = DataSettings()
    /// How responses are sampled.
    public var sampling = SamplingSettings()
    /// The evaluations.
    public var evaluation = EvaluationSettings()
    /// The optimiser and the training loop.
    public var training = TrainingSettings()
    /// The low-rank adapter.
    public var adapter = AdapterSettings()
    /// How the finished model is stored.
    public var saving = SavingSettings()
    /// The base model of an adapter.
    public var adapterBase = AdapterBaseSettings()
    /// The logs of metrics and texts.
    public var tracking = TrackingSettings()
    /// The run folder, seed, threads and checkpoints.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    /// The kind of run that is recorded in the run folder.
    public static let kind = RunStage.preference
    /// The name of the command-line program.
    public static let program = "train-preference"
    /// Yes.
    public static let usesRanks = true
    /// None: evaluations write no texts.
    public static let loggedTables: LoggedTables? = nil
    /// All groups of settings.
    public static var groups: [SettingsGroup<PreferenceStage>] {
        [
            .init(\.comparisons), .init(\.preference), .init(\.data), .init(\.sampling), .init(\.evaluation), .init(\.training),
            .init(\.adapter), .init(\.adapterBase), .init(\.saving), .init(\.tracking), .init(\.run),
        ]
    }

    typealias Sets = [(name: String, comparisons: [TokenisedComparison])]

    /// Trains the policy on comparisons, evaluates it and saves it.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment, checkpointSteps: training.saveSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, summary)
        var supervised = try data.prepared(
            .load(
                comparisons.modelName, from: RunStage.languageModels, base: adapterBase.folder, families: session.families,
                note: session.say))
        let source = ComparisonSource(
            settings: comparisons, data: data, sampling: sampling, evaluation: evaluation, seed: run.seed, runs: run.folder,
            weighsByDeviation: preference.weighsByDeviation, takesSingles: preference.unpairedLoss != nil)
        let finals = try evaluation.finalSplits(among: ComparisonSource.finalNames)
        let given = try source.sets(session, supervised) {
            guard evaluation.doTrain else { return }
            try MemoryPlan.checkLeast(run, from: supervised, training, adapter, session, advice: Self.memoryAdvice)
        }
        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint {
            start = try adapter.resumed(from: checkpoint, base: adapterBase, session)
            start.tokenizer = supervised.tokenizer
        } else {
            try adapter.adapt(&start, freezing: training.freezing, seed: run.seed)
        }
        try saving.check(adapter.finished(start.model), tokenizer: start.tokenizer)
        let tokenised = try withPrompts(source.tokenised(given, for: start, session), session)
        let train = tokenised.first { $0.name == "train" }?.comparisons ?? []
        let evaluated = try source.evaluated(tokenised)
        let longest = train.map(\.count).max() ?? 0
        let last = tokenised.filter { finals.contains($0.name) }

        // the policy shares its weights with the reference until they are trained, and frozen weights permanently
        var reference: (any TransformerDecoder)? =
            try preference.referenceModel.map {
                try start.loadReference($0, base: adapterBase.folder, families: session.families, note: session.say)
            }
            ?? supervised.model.decoder
        let policy = checkpoint == nil ? start.model.decoder.copy() : start.model.decoder
        training.freezing.apply(to: policy)
        if let reference {
            reference.parameters.forEach { $0.isTrainable = false }
            _ = Trunk.share(policy, with: reference, atMost: policy.frozenTrunk)
        }
        try prepare(RunModels(model: policy, reference: reference), session)
        let model = LanguageModel(decoder: policy, source: start.model.source, generation: start.model.generation)
        try best?.check(splits: evaluated.map(\.name))
        best?.save = { try model.save(to: $0, tokenizer: start.tokenizer) }
        try session.checkDisk(
            for: model, optimizer: evaluation.doTrain ? training.optimizerConfig.kind : nil, saving, isMerged: adapter.mergeAdapter)
        func restoreBest(_ step: Int, _ evaluate: () throws -> Void) throws {
            try best?.restore(
                into: model, step: step, base: adapterBase.folder, families: session.families, note: session.say, evaluate: evaluate)
        }
        func save(_ snapshot: TrainerSnapshot) throws {
            try session.checkpoint(snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
        }
        let divergence = try reference.flatMap { try sampledDivergence(of: policy, from: $0, start, session) }
        /// Releases the reference model after its log-probabilities are computed, unless later evaluations measure the KL from it.
        func releaseReference() {
            guard divergence == nil else { return }
            start.model.decoder = policy
            (supervised, reference) = (start, nil)
        }
        let prompts = evaluated.filter { $0.name != "train" }.map { (name: $0.name, prompts: self.prompts(of: $0.comparisons)) }
        try checkRoom(for: prompts.flatMap(\.prompts), context: policy.shape.contextLength)
        func measureDivergence(_ step: Int) throws {
            guard let divergence else { return }
            for set in prompts {
                try session.report(.measured(step: step, values: divergence.values(set.prompts, name: set.name, session)))
            }
        }
        func measureLast(_ step: Int, _ name: String, _ set: [TokenisedComparison], _ values: [String: Double]) throws {
            let drawn = try divergence?.values(self.prompts(of: set), name: name, session) ?? [:]
            try session.report(.measured(step: step, values: values.merging(drawn) { first, _ in first }))
        }

        if preference.unpairedLoss != nil {
            var config = preference.unpairedConfig()
            (config.loop, config.freezing) = (training.loop(run), training.freezing)
            config.validTokens = start.tokenizer.vocabularySize
            let sets = try answers(train, evaluated, last, reference: reference, config, session)
            releaseReference()
            let trainer = try UnpairedTrainer(
                policy, config: config, answers: sets.train, evaluations: sets.evaluated.map { ($0.name, $0.examples) },
                collective: session.collective, handler: session.sinks.handler)
            try learn(
                trainer, RunModels(model: policy, reference: reference), memory: trainer.memory, longest: longest, from: checkpoint,
                session,
                divergence: measureDivergence, save: save, restoreBest: restoreBest, last: last, measureLast
            ) {
                try trainer.objective.evaluation(
                    of: sets.last[$0] ?? [], name: $0, among: session.collective, reporting: session.sinks.handler)
            }
        } else {
            var config = preference.config()
            (config.loop, config.freezing) = (training.loop(run), training.freezing)
            config.validTokens = start.tokenizer.vocabularySize
            let sets = try pairs(train, evaluated, last, reference: reference, config, session)
            releaseReference()
            let trainer = try PreferenceTrainer(
                policy, config: config, pairs: sets.train, evaluations: sets.evaluated.map { ($0.name, $0.examples) },
                collective: session.collective, handler: session.sinks.handler)
            try learn(
                trainer, RunModels(model: policy, reference: reference), memory: trainer.memory, longest: longest, from: checkpoint,
                session,
                divergence: measureDivergence, save: save, restoreBest: restoreBest, last: last, measureLast
            ) {
                try trainer.objective.evaluation(
                    of: sets.last[$0] ?? [], name: $0, among: session.collective, reporting: session.sinks.handler)
            }
        }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.end(stage: preference.method, summary)
    }

    /// Holds the weights in the formats of the settings, and checks the least memory of training before the reference's
    /// log-probabilities are computed.
    private func prepare(_ models: RunModels, _ session: RunSession) throws {
        try models.hold(run, note: session.say)
        guard evaluation.doTrain else { return }
        try MemoryPlan.checkLeast(
            run, models, optimizer: training.optimizerConfig, processes: session.collective.size, ranks: session.ranksOnMachine,
            advice: Self.memoryAdvice)
    }

    /// What reduces the memory of weights and the optimiser.
    private static let memoryAdvice = "use a smaller model, or raise --freeze-layers"

    /// The summary that the run prints at its end.
    private var summary: RunSummary {
        RunSummary(
            figures: [.init("accuracy", better: .more, isShare: true), .init("loss", better: .less), .init("kl")],
            next: [
                "sample-best-of-n --model-name PATH --rf-model-dir REWARD-MODEL --reference-model \(comparisons.modelName)"
                    + RunSummary.words(of: data, isNeeded: comparisons.comparisons != nil) + " --run-id \(run.runId ?? "dpo")-samples"
            ])
    }

    /// The comparisons whose prompt has at least one token, which the prediction of the answers' first tokens needs. The others
    /// are counted and reported.
    private func withPrompts(_ sets: Sets, _ session: RunSession) throws -> Sets {
        let kept = sets.map { ($0.name, $0.comparisons.filter { !$0.prompt.isEmpty }) }
        let lost = zip(sets, kept).reduce(0) { $0 + $1.0.comparisons.count - $1.1.1.count }
        if lost > 0 {
            session.say(
                "\(Counted(lost, "comparison")) \(Counted.form(lost, "was", "were")) "
                    + "dropped because no token of the prompt is left: an answer fills --max-source-length and "
                    + "--max-target-length together, or the chat template renders no prompt")
        }
        return kept
    }

    /// Trains the policy, or only evaluates it if `doTrain` is false. Then restores the best model if it is kept, and measures the final sets once.
    private func learn<Method: Objective>(
        _ trainer: Trainer<Method>, _ models: RunModels, memory: () -> TrainingMemory, longest: Int,
        from checkpoint: Checkpoint?, _ session: RunSession,
        divergence: @escaping (Int) throws -> Void, save: @escaping (TrainerSnapshot) throws -> Void,
        restoreBest: (Int, () throws -> Void) throws -> Void, last: Sets,
        _ tell: (Int, String, [TokenisedComparison], [String: Double]) throws -> Void,
        measure: (String) throws -> [String: Double]
    ) throws {
        if evaluation.doTrain {
            session.sayRanks(batchSize: trainer.loop.batchSize)
            session.say(RunSummary.parameters(of: models.model))
        }
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        trainer.afterEvaluation = divergence
        if evaluation.doTrain {
            try MemoryPlan.check(
                run, models, session, optimizer: training.optimizerConfig, mayApplyInBackward: training.mayApplyInBackward,
                longest: longest, advice: Self.memoryAdvice, memory)
            let complete = try trainer.run(
                checkpoint: { try save($0.snapshot) }, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop,
                stepsBegin: session.beginSteps)
            try session.leaveSteps(
                complete: complete, step: trainer.step, traffic: trainer.traffic,
                saving: last.isEmpty ? nil : { try save(trainer.snapshot) })
        } else {
            try trainer.evaluate()
        }
        try restoreBest(trainer.step, trainer.evaluate)
        for (name, set) in last {
            try tell(trainer.step, name, set, measure(name))
        }
    }

    private func prompts(of comparisons: [TokenisedComparison]) -> [TokenisedPrompt] {
        var seen: Set<[Int32]> = []
        return comparisons.filter { seen.insert($0.prompt).inserted }.prefix(preference.klPrompts).map {
            TokenisedPrompt(id: $0.id, tokens: $0.prompt, query: "", reference: "", isTruncated: false)
        }
    }

    /// Checks before the first step that every held-out prompt leaves room in the context for the response whose KL is measured.
    private func checkRoom(for prompts: [TokenisedPrompt], context: Int) throws {
        guard preference.klPrompts > 0, let longest = prompts.max(by: { $0.tokens.count < $1.tokens.count }) else { return }
        guard longest.tokens.count > context - sampling.maxNewTokens - 1 else { return }
        throw InvalidSetting(
            "--max-new-tokens is \(sampling.maxNewTokens), and the held-out prompt \(longest.id) has \(Counted(longest.tokens.count, "token")): "
                + "together they exceed the model's context of \(context); lower --max-new-tokens, or measure no KL with --kl-prompts 0")
    }

    private func sampledDivergence(
        of policy: any TransformerDecoder, from reference: any TransformerDecoder, _ start: LoadedModel, _ session: RunSession
    ) throws -> SampledDivergence? {
        guard preference.klPrompts > 0 else { return nil }
        let sampler = ResponseSampler(
            Generator(
                policy, ends: try start.ends(note: session.say), validTokens: start.tokenizer.vocabularySize,
                maxActive: sampling.maxActive()),
            tokenizer: start.tokenizer, options: sampling.options())
        return SampledDivergence(sampler, reference: reference, random: Philox(seed: run.seed).split("divergence"))
    }
}

extension SampledDivergence {
    /// The values of a set, measured by the ranks of a run, with progress.
    fileprivate func values(_ prompts: [TokenisedPrompt], name: String, _ session: RunSession) throws -> [String: Double] {
        try session.part("KL of \(name)", prompts.count, unit: "response") {
            try values(prompts, name: name, among: session.collective, progress: $0)
        }
    }
}
