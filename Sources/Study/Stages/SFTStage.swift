import Data
import Formats
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Supervised fine-tuning: trains a language model to write summaries, on pairs of post and summary.
public struct SFTStage: TrackedStage {
    /// The starting model.
    public var model = StartingModelSettings()
    /// The data set and its tokenisation.
    public var data = DataSettings()
    /// The optimiser and the training loop.
    public var training = TrainingSettings()
    /// Rounds of training on the model's own best answers instead of the data set's summaries.
    public var rounds = RoundSettings()
    /// The evaluations.
    public var evaluation = EvaluationSettings()
    /// How responses are sampled.
    public var sampling = SamplingSettings()
    /// The reward of generated texts.
    public var reward = RewardSettings()
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
    public static let kind = RunStage.supervised
    /// The name of the command-line program.
    public static let program = "train-sft"
    /// Yes.
    public static let usesRanks = true
    /// All groups of settings.
    public static var groups: [SettingsGroup<SFTStage>] {
        [
            .init(\.model), .init(\.data), .init(\.training), .init(\.rounds), .init(\.evaluation), .init(\.sampling), .init(\.reward),
            .init(\.adapter), .init(\.adapterBase), .init(\.saving), .init(\.tracking), .init(\.run),
        ]
    }

    /// Checks every group, and that no setting conflicts with rounds or a model from scratch.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        try validateGroups()
        try validateRounds()
        guard run.frozenFormat == .f32 || !model.fromScratch || model.evalSlRewardFunction else {
            throw InvalidSetting(
                "--frozen-dtype \(run.frozenDtype) has no effect with --from-scratch, which freezes no weights; remove it")
        }
    }

    /// The splits that are evaluated at the end.
    var finalSplits: [String] {
        guard evaluation.generates else { return [] }
        return evaluation.evaluationSplits.isEmpty ? EvaluationSettings.usual : evaluation.evaluationSplits
    }

    /// Trains the model, in rounds if the settings ask for them, evaluates it and saves it.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        if let count = rounds.rounds { return try work(rounds: count, in: folder, environment) }
        guard !model.fromScratch || adapter.loraRank == nil else {
            throw InvalidSetting(
                "--from-scratch and --lora-rank cannot be combined, because an adapter leaves the random weights frozen; choose one")
        }
        let session = try RunSession(self, in: folder, environment, checkpointSteps: training.saveSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, summary)
        var corpus = try session.corpus(data, ["train", "validation", "ood_validation"] + finalSplits)
        var examples = try data.trainingExamples(of: corpus)

        let checkpoint = try session.restore()
        var start: LoadedModel
        if let checkpoint {
            start = try adapter.resumed(from: checkpoint, base: adapterBase, session)
        } else if model.fromScratch {
            start = try fresh(examples, format: corpus.format, session: session)
        } else {
            start = try .load(
                model.modelName ?? "", from: RunStage.languageModels, base: adapterBase.folder, families: session.families,
                note: session.say)
        }
        start = try data.prepared(start)
        if checkpoint == nil { try adapter.adapt(&start, freezing: training.freezing, seed: run.seed) }
        if evaluation.doTrain, let end = start.tokenizer.endOfSequence, start.model.addEnd(end) {
            session.say("the tokenizer's end-of-sequence token \(end) is added to the tokens that end the model's responses")
        }
        try saving.check(adapter.finished(start.model), tokenizer: start.tokenizer)
        let decoder = start.model.decoder
        let tokenisation = try data.tokenisation(of: corpus, context: decoder.shape.contextLength, chat: data.chatFormat(of: start))
        corpus = try data.screened(
            corpus, tokenisation, for: evaluation.generates && !data.referenceCompatible ? [.training, .prompts] : [.training],
            with: start.tokenizer, note: session.say)
        examples = try data.trainingExamples(of: corpus)
        let tokenised = try tokenisation.tokenisedOnThreads(examples, with: start.tokenizer)
        guard !tokenised.examples.isEmpty || examples.isEmpty || examples.contains(where: { $0.summary.contains { !$0.isWhitespace } })
        else {
            throw DataError.emptySplit(
                "train",
                reason: "all \(Counted(examples.count, "row")) have a prompt but no answer; SFT needs prompt and completion")
        }
        if let note = tokenised.note { session.say(note) }
        let batch = evaluation.perDeviceEvalBatchSize
        let evaluated = try ["train", "validation", "ood_validation"].filter { corpus.availableSplits.contains($0) }
            .map { split in
                let rows =
                    split == "train" ? examples : try data.evaluationExamples(of: corpus, split: split, count: .max)
                return (
                    name: split,
                    rows: try evaluation.rows(rows, of: split, otherwise: data.evaluatedCount(batch: batch), seed: run.seed)
                )
            }.filter { !$0.rows.isEmpty }
        let evaluations = try evaluated.map {
            (name: $0.name, examples: try tokenisation.tokenisedOnThreads($0.rows, with: start.tokenizer).examples)
        }
        let trainer = try SFTTrainer(
            decoder, config: config, examples: tokenised.examples, evaluations: evaluations,
            validTokens: start.tokenizer.vocabularySize, collective: session.collective, handler: session.sinks.handler)
        if evaluation.doTrain { session.sayRanks(batchSize: config.loop.batchSize) }
        let samples = try sampler(start, session)
        let models = RunModels(model: decoder, judges: session.judges)
        try models.hold(run, note: session.say)
        if evaluation.doTrain { session.say(RunSummary.parameters(of: decoder)) }
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        let model = LanguageModel(decoder: decoder, source: start.model.source, generation: start.model.generation)
        func generate(_ rows: [SummaryExample], _ name: String, table: String, step: Int) throws {
            let prompts = try data.evaluationPrompts(
                rows, tokenisation, room: decoder.shape.contextLength - sampling.maxNewTokens - 1, with: start.tokenizer)
            let sampled = try session.part("texts of \(name)", prompts.count, unit: "response") {
                try samples.rows(prompts, among: session.collective, progress: $0)
            }
            // all evaluations of a run write to the same table
            let stepped = sampled.map { row in
                var row = row
                row.numbers["step"] = Double(step)
                return row
            }
            try session.report(.sampled(table: table, rows: stepped))
            try session.report(.measured(step: step, values: SampleEvaluation.values(of: sampled, name: name)))
        }
        if evaluation.doTrain {
            try MemoryPlan.check(
                run, models, session, optimizer: training.optimizerConfig, mayApplyInBackward: training.mayApplyInBackward,
                longest: tokenised.examples.map(\.count).max() ?? 0, advice: memoryAdvice
            ) {
                trainer.memory(
                    generator: evaluation.generates ? samples.sampler.generator : nil,
                    maxNewTokens: samples.sampler.options.maxNewTokens)
            }
        }
        if evaluation.generates, evaluation.doTrain {
            trainer.afterEvaluation = { step in
                for set in evaluated { try generate(set.rows, set.name, table: "evaluation_\(set.name)", step: step) }
            }
        }
        try best?.check(splits: evaluations.map(\.name))
        best?.save = { try model.save(to: $0, tokenizer: start.tokenizer) }
        try session.checkDisk(
            for: model, optimizer: evaluation.doTrain ? training.optimizerConfig.kind : nil, saving, isMerged: adapter.mergeAdapter)
        func save(_ trainer: SFTTrainer) throws {
            try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
        }
        if evaluation.doTrain {
            let complete = try trainer.run(
                checkpoint: save, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop,
                stepsBegin: session.beginSteps)
            try session.leaveSteps(
                complete: complete, step: trainer.step, traffic: trainer.traffic, saving: evaluation.generates ? { try save(trainer) } : nil
            )
        }
        if !evaluation.doTrain, evaluation.doEval != false { try trainer.evaluate() }
        if tracking.logSamples > 0, !evaluation.generates {
            session.say("--log-samples prints nothing, because no texts are generated; --do-eval true generates them")
        }
        try best?.restore(
            into: model, step: trainer.step, base: adapterBase.folder, families: session.families, note: session.say,
            evaluate: trainer.evaluate)
        if evaluation.generates {
            for split in try evaluation.finalSplits(in: corpus, data: data, note: session.say) {
                let rows = try data.evaluationExamples(of: corpus, split: split, batch: batch)
                try trainer.evaluate(
                    tokenisation.tokenisedOnThreads(rows, with: start.tokenizer).examples, name: "final_\(split)")
                try generate(rows, "final_\(split)", table: split, step: trainer.step)
            }
        }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.end(stage: trainer.objective.stage, summary)
    }

    /// What reduces the memory of weights and the optimiser. No layer of a model from scratch can be frozen.
    package var memoryAdvice: String {
        model.fromScratch ? FreshModelMemory.advice : "use a smaller model, or raise --freeze-layers"
    }

    /// The summary that the run prints at its end.
    private var summary: RunSummary {
        let words = RunSummary.words(of: data)
        return RunSummary(
            figures: [.init("loss", better: .less)],
            next: [
                "rlhf-report sample PATH", "train-reward-model --model-name PATH\(words)",
                "train-preference --model-name PATH --comparisons PAIRS",
                "sample-best-of-n --model-name PATH --rf-model-dir REWARD-MODEL\(words)",
            ])
    }

    /// The sampler for the texts of evaluations: greedy by default, or sampled with top-k 50 in the compatible mode, as in the
    /// original code.
    private func sampler(_ start: LoadedModel, _ session: RunSession) throws -> SampleEvaluation {
        let ends = try start.ends(note: evaluation.generates ? session.say : { _ in })
        let tokenizer = start.tokenizer
        let reference = data.referenceCompatible
        return SampleEvaluation(
            ResponseSampler(
                Generator(
                    start.model.decoder, ends: ends, validTokens: tokenizer.vocabularySize, maxActive: sampling.maxActive()),
                tokenizer: tokenizer, options: sampling.options(samples: reference, reference: reference)),
            random: Philox(seed: run.seed).split("evaluation"),
            rewardFunction: evaluation.generates && model.evalSlRewardFunction
                ? try reward.load(session, data: data, tokenizer: tokenizer, ends: ends) : nil)
    }

    /// Whether losses are means of batch means, as in the original code.
    private var meansOverBatches: Bool { training.lossMean.map { $0 == "batches" } ?? data.referenceCompatible }

    private var config: SFTConfig {
        var config = SFTConfig()
        config.loop = training.loop(run)
        config.freezing = model.fromScratch ? Freezing(fraction: 0) : training.freezing
        config.promptLossWeight = model.promptLossWeight
        config.microBatchSize = meansOverBatches ? training.perDeviceTrainBatchSize : nil
        config.evaluationBatchSize = meansOverBatches ? evaluation.perDeviceEvalBatchSize : nil
        return config
    }

    /// Makes a new tokenizer, trained on the training split, and a randomly initialised model. The memory of the model is checked
    /// before either is made.
    private func fresh(_ examples: [SummaryExample], format: PromptFormat, session: RunSession) throws -> LoadedModel {
        var settings = model.configuration
        func check() throws {
            let optimizer = training.optimizerConfig
            let memory = FreshModelMemory(
                settings, trainedBy: evaluation.doTrain ? optimizer.kind : nil, master: run.masterFormat, gradients: run.gradientFormat,
                updatesInBackward: optimizer.appliesInBackward, mayUpdateInBackward: training.mayApplyInBackward,
                precision: Compute.precision, processes: session.collective.size)
            try memory.check(limit: run.memoryLimit, ranks: session.ranksOnMachine)
        }
        // the texts may yield fewer tokens than requested, but at least the 256 bytes
        settings.vocabularySize = min(256, model.vocabularySize)
        try check()
        session.say("training a tokenizer of \(Counted(model.vocabularySize, "token ID")) on \(Counted(examples.count, "example"))")
        let tokenizer = try BPETrainer(vocabularySize: model.vocabularySize)
            .train(on: examples.map(format.text))
        settings.vocabularySize = tokenizer.vocabularySize
        try check()
        let weights = RandomWeights(
            generator: Philox(seed: run.seed).split("model"), standardDeviation: Float(settings.initializerRange))
        let decoder = try Llama(settings, weights: weights)
        return LoadedModel(model: LanguageModel(decoder: decoder), tokenizer: tokenizer, folder: session.folder.url)
    }
}

extension StartingModelSettings {
    /// The configuration of the model for `--from-scratch`.
    fileprivate var configuration: LlamaConfiguration {
        LlamaConfiguration(
            vocabularySize: vocabularySize, hiddenSize: hiddenSize, intermediateSize: intermediateSize, layerCount: numHiddenLayers,
            heads: numAttentionHeads, contextLength: maxPositionEmbeddings, tiesEmbeddings: tieWordEmbeddings,
            initializerRange: initializerRange)
    }
}
