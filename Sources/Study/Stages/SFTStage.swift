import Data
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Supervised fine-tuning: a language model learns to write summaries, from pairs of post and summary.
public struct SFTStage: TrackedStage {
    /// The model that training begins with.
    public var model = StartingModelSettings()
    /// What it reads.
    public var data = DataSettings()
    /// The optimiser and what it may change.
    public var training = TrainingSettings()
    /// Answers of the model's own in place of the data set's summaries, in rounds.
    public var rounds = RoundSettings()
    /// What is evaluated.
    public var evaluation = EvaluationSettings()
    /// How responses are drawn.
    public var sampling = SamplingSettings()
    /// What scores generated texts.
    public var reward = RewardSettings()
    /// A low-rank adapter in place of the weights.
    public var adapter = AdapterSettings()
    /// How the model is stored.
    public var saving = SavingSettings()
    /// Where the model is that adapters change.
    public var adapterBase = AdapterBaseSettings()
    /// What shows its numbers.
    public var tracking = TrackingSettings()
    /// How the run goes.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    public static let kind = RunStage.supervised
    public static let program = "train-sft"
    public static var groups: [SettingsGroup<SFTStage>] {
        [
            .init(\.model), .init(\.data), .init(\.training), .init(\.rounds), .init(\.evaluation), .init(\.sampling), .init(\.reward),
            .init(\.adapter), .init(\.adapterBase), .init(\.saving), .init(\.tracking), .init(\.run),
        ]
    }

    public func validate() throws {
        try validateGroups()
        try validateRounds()
    }

    /// The splits that are evaluated at the end.
    var finalSplits: [String] {
        guard evaluation.generates else { return [] }
        return evaluation.evaluationSplits.isEmpty ? EvaluationSettings.usual : evaluation.evaluationSplits
    }

    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        if let count = rounds.rounds { return try work(rounds: count, in: folder, environment) }
        guard !model.fromScratch || adapter.loraRank == nil else {
            throw InvalidSetting(
                "--from-scratch makes a model of random weights, which an adapter (--lora-rank) would leave as they are; choose one")
        }
        let session = try RunSession(self, in: folder, environment, checkpointSteps: training.saveSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, Self.summary)
        var corpus = try session.corpus(data, ["train", "validation", "ood_validation"] + finalSplits)
        var examples = try data.trainingExamples(of: corpus)

        let checkpoint = try session.restore()
        var start: LoadedModel
        if let checkpoint {
            start = try .load(checkpoint.url.appendingPathComponent("model").path, from: [], note: session.say)
        } else if model.fromScratch {
            start = try fresh(examples, format: corpus.format, session: session)
        } else {
            start = try .load(model.modelName ?? "", from: RunStage.languageModels, base: adapterBase.folder, note: session.say)
        }
        start = try data.prepared(start)
        if checkpoint == nil { try adapter.adapt(&start, freezing: training.freezing, seed: run.seed) }
        if evaluation.doTrain, let end = start.tokenizer.endOfSequence, start.model.addEnd(end) {
            session.say("the model learns the tokenizer's end of sequence, \(end), which joins the tokens that end its responses")
        }
        try saving.check(adapter.finished(start.model), tokenizer: start.tokenizer)
        let decoder = start.model.decoder
        let tokenisation = try data.tokenisation(of: corpus, context: decoder.shape.contextLength, chat: data.chatFormat(of: start))
        corpus = try data.screened(
            corpus, tokenisation, for: evaluation.generates && !data.referenceCompatible ? [.training, .prompts] : [.training],
            with: start.tokenizer, note: session.say)
        examples = try data.trainingExamples(of: corpus)
        let tokenised = try tokenisation.tokenise(examples, with: start.tokenizer)
        if tokenised.dropped + tokenised.truncatedPrompts + tokenised.truncatedTargets > 0 {
            session.say(
                "\(tokenised.truncatedPrompts) prompts and \(tokenised.truncatedTargets) summaries were cut, "
                    + "\(tokenised.dropped) examples without a trained token left out")
        }
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
            (name: $0.name, examples: try tokenisation.tokenise($0.rows, with: start.tokenizer).examples)
        }
        let trainer = try SFTTrainer(
            decoder, config: config, examples: tokenised.examples, evaluations: evaluations,
            validTokens: start.tokenizer.vocabularySize, handler: session.sinks.handler)
        if evaluation.doTrain { session.say(RunSummary.parameters(of: decoder)) }
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        let model = LanguageModel(decoder: decoder, source: start.model.source, generation: start.model.generation)
        let samples = try sampler(start, session)
        func generate(_ rows: [SummaryExample], _ name: String, table: String, step: Int) throws {
            let prompts = try data.evaluationPrompts(
                rows, tokenisation, room: decoder.shape.contextLength - sampling.maxNewTokens - 1, with: start.tokenizer)
            let sampled = try samples.rows(prompts)
            // each evaluation of a run adds its rows to the table
            let stepped = sampled.map { row in
                var row = row
                row.numbers["step"] = Double(step)
                return row
            }
            try session.sinks.handle(.sampled(table: table, rows: stepped))
            try session.sinks.handle(.measured(step: step, values: SampleEvaluation.values(of: sampled, name: name)))
        }
        if evaluation.doTrain {
            try MemoryPlan.check(
                limit: run.memoryLimit, longest: tokenised.examples.map(\.count).max() ?? 0,
                advice: "a smaller model, or a greater --freeze-layers", note: session.say
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
        best?.save = { try model.save(to: $0, tokenizer: start.tokenizer) }
        func save(_ trainer: SFTTrainer) throws {
            try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
        }
        if evaluation.doTrain {
            let complete = try trainer.run(
                checkpoint: save, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop)
            try session.leaveSteps(
                complete: complete, step: trainer.step, saving: evaluation.generates ? { try save(trainer) } : nil)
        }
        if !evaluation.doTrain { try trainer.evaluate() }
        try best?.restore(into: model, note: session.say)
        if evaluation.generates {
            for split in try evaluation.finalSplits(in: corpus, data: data, note: session.say) {
                let rows = try data.evaluationExamples(of: corpus, split: split, batch: batch)
                try trainer.evaluate(
                    tokenisation.tokenise(rows, with: start.tokenizer).examples, name: "final_\(split)")
                try generate(rows, "final_\(split)", table: split, step: trainer.step)
            }
        }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.end(stage: "sft", Self.summary)
    }

    /// What the run says of itself at its end.
    private static let summary = RunSummary(
        figures: [.init("loss", better: .less)],
        next: [
            "train-reward-model --model-name PATH", "train-preference --model-name PATH --comparisons PAIRS",
            "sample-best-of-n --model-name PATH",
        ])

    /// What writes the texts of evaluations: greedy unless options say otherwise, or, as in the original, sampled with top-k 50.
    private func sampler(_ start: LoadedModel, _ session: RunSession) throws -> SampleEvaluation {
        let ends = try start.ends(note: evaluation.generates ? session.say : { _ in })
        let tokenizer = start.tokenizer
        let reference = data.referenceCompatible
        return SampleEvaluation(
            ResponseSampler(
                Generator(start.model.decoder, ends: ends, validTokens: tokenizer.vocabularySize), tokenizer: tokenizer,
                options: sampling.options(samples: reference, reference: reference)),
            random: Philox(seed: run.seed).split("evaluation"),
            rewardFunction: evaluation.generates && model.evalSlRewardFunction
                ? try reward.load(session, data: data, tokenizer: tokenizer, ends: ends) : nil)
    }

    /// Whether losses are means of batches' means, as in the original.
    private var meansOverBatches: Bool { training.lossMean.map { $0 == "batches" } ?? data.referenceCompatible }

    private var config: SFTConfig {
        var config = SFTConfig()
        config.loop = training.loop(seed: run.seed)
        config.freezing = model.fromScratch ? Freezing(fraction: 0) : training.freezing
        config.promptLossWeight = model.promptLossWeight
        config.microBatchSize = meansOverBatches ? training.perDeviceTrainBatchSize : nil
        config.evaluationBatchSize = meansOverBatches ? evaluation.perDeviceEvalBatchSize : nil
        return config
    }

    /// A new tokenizer, trained on the training split, and a new model. Whether there is memory for the model is known before either is made.
    private func fresh(_ examples: [SummaryExample], format: PromptFormat, session: RunSession) throws -> LoadedModel {
        var settings = model.configuration
        func check() throws {
            try FreshModelMemory(settings, isTrained: evaluation.doTrain).check(limit: run.memoryLimit)
        }
        // the texts may give fewer ids than are asked for, but never fewer than there are bytes
        settings.vocabularySize = min(256, model.vocabularySize)
        try check()
        session.say("training a tokenizer of \(model.vocabularySize) ids on \(examples.count) examples")
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
    /// The model that `--from-scratch` makes.
    fileprivate var configuration: LlamaConfiguration {
        LlamaConfiguration(
            vocabularySize: vocabularySize, hiddenSize: hiddenSize, intermediateSize: intermediateSize, layerCount: numHiddenLayers,
            heads: numAttentionHeads, contextLength: maxPositionEmbeddings, tiesEmbeddings: tieWordEmbeddings,
            initializerRange: initializerRange)
    }
}
