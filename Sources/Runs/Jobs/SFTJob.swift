public import ArgumentParser
import Data
import Foundation
import Models
import Tensor
import Train

/// The model that supervised fine-tuning begins with.
public struct StartingModelOptions: ParsableArguments {
    @Option(help: "A model folder (config.json, weights, tokenizer) or a run folder to start from.")
    public var modelName: String?
    @Option(help: .yesNo("Trains a tokenizer and a LLaMA of the size below from nothing, instead."))
    public var fromScratch = false
    @Option(
        help:
            "What a prompt token's loss weighs beside a summary token's 1; above 0 helps a model that begins from nothing."
    )
    public var promptLossWeight = 0.0
    @Option(help: .yesNo("Whether generated texts are scored with --reward-function, too."))
    public var evalSlRewardFunction = false
    @Option(
        help: """
            Instead of training, scores the posts of the data set with --reward-function and writes the rows that score highest into this \
            JSON file, an index for --dataset-structured-subset sentiment.
            """)
    public var indexOutput: String?
    @Option(help: "With --index-output: posts, or comparisons, whose rows are others.")
    public var indexOf = "posts"
    @Option(help: "With --index-output: the share of each split's rows that the index keeps.")
    public var indexShare = 0.5
    @Option(help: "From scratch: ids of the tokenizer.")
    public var vocabularySize = 4096
    @Option(help: "From scratch: the width of the hidden states.")
    public var hiddenSize = 256
    @Option(help: "From scratch: the width inside of the MLPs.")
    public var intermediateSize = 688
    @Option(help: "From scratch: layers.")
    public var numHiddenLayers = 6
    @Option(help: "From scratch: attention heads.")
    public var numAttentionHeads = 8
    @Option(help: .yesNo("From scratch: whether the embeddings are the output projection, too."))
    public var tieWordEmbeddings = false
    @Option(help: "From scratch: the standard deviation of the first weights; 1/√(hidden size) unless given.")
    public var initializerRange: Double?
    @Option(help: "From scratch: the longest sequence.")
    public var maxPositionEmbeddings = 512

    public init() {}

    /// Options of the original that mean nothing in supervised training.
    public static let ignored: [IgnoredOption] = {
        let elsewhere = "supervised training has no second model; see train-ppo"
        return IgnoredOption.list(.value, ["base-model-name", "value-normalisation*", "eval-rl-model-*"], elsewhere)
            + IgnoredOption.list(.boolean, ["rl-training", "eval-rl-model"], elsewhere)
            + [
                IgnoredOption(
                    "num-return-sequences", .value, "evaluations have one text for a prompt; see sample-best-of-n")
            ]
    }()

    public func validate() throws {
        guard ["posts", "comparisons"].contains(indexOf) else {
            throw ValidationError("--index-of is '\(indexOf)'; it takes posts or comparisons")
        }
        guard indexShare > 0, indexShare < 1 else { throw ValidationError("--index-share must be between 0 and 1") }
        guard indexOutput == nil else { return }
        guard fromScratch != (modelName != nil) else {
            throw ValidationError(
                "name the model to start from with --model-name, or ask for a new one with --from-scratch")
        }
        guard fromScratch else { return }
        for (name, value) in [
            ("--hidden-size", hiddenSize), ("--intermediate-size", intermediateSize),
            ("--num-hidden-layers", numHiddenLayers),
            ("--num-attention-heads", numAttentionHeads), ("--max-position-embeddings", maxPositionEmbeddings),
        ] where value <= 0 {
            throw ValidationError("\(name) must be above 0")
        }
        guard initializerRange.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--initializer-range must be above 0")
        }
        guard hiddenSize % (2 * numAttentionHeads) == 0 else {
            throw ValidationError("--hidden-size must be a multiple of twice --num-attention-heads")
        }
    }
}

/// Supervised fine-tuning from options to a run folder.
public struct SFTJob {
    public var run: RunOptions
    public var data: DataOptions
    public var model: StartingModelOptions
    public var training: TrainingOptions
    public var evaluation: EvaluationOptions
    public var sampling: SamplingArguments
    public var reward: RewardOptions
    public var saving: SavingOptions
    /// All options as config.json stores them.
    public var resolved: [String: OptionValue]

    /// A job; see the properties.
    public init(
        run: RunOptions, data: DataOptions, model: StartingModelOptions, training: TrainingOptions,
        evaluation: EvaluationOptions, sampling: SamplingArguments, reward: RewardOptions,
        saving: SavingOptions, resolved: [String: OptionValue]
    ) {
        self.run = run
        self.data = data
        self.model = model
        self.training = training
        self.evaluation = evaluation
        self.sampling = sampling
        self.reward = reward
        self.saving = saving
        self.resolved = resolved
    }

    /// Runs the job, or goes on with it.
    public func callAsFunction() throws {
        try run.computing {
            guard let output = model.indexOutput else { return try work() }
            try IndexJob(
                output: output, ofComparisons: model.indexOf == "comparisons", share: model.indexShare, data: data,
                reward: reward)()
        }
    }

    private func work() throws {
        let session = try RunSession(
            stage: .supervised, program: "train-sft", run: run, options: resolved, checkpointSteps: training.saveSteps)
        if session.folder.isFinished { return session.sayFinished() }
        let finals =
            evaluation.doEval
            ? (evaluation.evaluationSplits.values.isEmpty
                ? EvaluationOptions.usual : evaluation.evaluationSplits.values) : []
        let corpus = try data.corpus(["train", "validation", "ood_validation"] + finals, note: session.say)
        let examples = try data.trainingExamples(of: corpus)

        let checkpoint = try session.restore()
        let start: LoadedModel
        if let checkpoint {
            start = try .load(checkpoint.url.appendingPathComponent("model").path, from: [], note: session.say)
        } else if model.fromScratch {
            start = try fresh(examples, format: corpus.format, session: session)
        } else {
            start = try .load(model.modelName ?? "", from: [.supervised, .policy], note: session.say)
        }
        let decoder = start.model.decoder
        let counts = decoder.parameterCounts
        session.say(
            "\(counts.total) parameters, \(decoder.shape.layerCount) layers of width \(decoder.shape.hiddenSize)")

        let tokenisation = try data.tokenisation(of: corpus, context: decoder.shape.contextLength)
        let tokenised = try tokenisation.tokenise(examples, with: start.tokenizer)
        if tokenised.dropped + tokenised.truncatedPrompts + tokenised.truncatedTargets > 0 {
            session.say(
                "\(tokenised.truncatedPrompts) prompts and \(tokenised.truncatedTargets) summaries were cut, "
                    + "\(tokenised.dropped) examples without a trained token left out")
        }
        let evaluated = try ["train", "validation", "ood_validation"].filter { corpus.availableSplits.contains($0) }
            .map { split in
                let rows =
                    split == "train" ? examples : try data.evaluationExamples(of: corpus, split: split, count: .max)
                return (
                    name: split,
                    rows: try evaluation.rows(rows, of: split, otherwise: data.targetEvalDatapoints, seed: run.seed)
                )
            }.filter { !$0.rows.isEmpty }
        let evaluations = try evaluated.map {
            (name: $0.name, examples: try tokenisation.tokenise($0.rows, with: start.tokenizer).examples)
        }
        let trainer = try SFTTrainer(
            decoder, config: config, examples: tokenised.examples, evaluations: evaluations,
            validTokens: start.tokenizer.vocabularySize, handler: session.sinks.handler)
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        let model = LanguageModel(decoder: decoder, source: start.model.source, generation: start.model.generation)
        let samples = try sampler(decoder, start.tokenizer, session)
        func generate(_ rows: [SummaryExample], _ name: String, table: String, step: Int) throws {
            let sampled = try samples.rows(tokenisation.prompts(rows, with: start.tokenizer))
            try session.sinks.handle(.sampled(table: table, rows: sampled))
            try session.sinks.handle(.measured(step: step, values: SampleEvaluation.values(of: sampled, name: name)))
        }
        if evaluation.doTrain {
            try MemoryPlan.check(
                limit: run.memoryLimit, longest: tokenised.examples.map(\.count).max() ?? 0,
                advice: "a smaller model, or a greater --freeze-layers", note: session.say
            ) {
                trainer.memory(
                    generator: evaluation.doEval ? samples.generator : nil, maxNewTokens: samples.options.maxNewTokens)
            }
        }
        if evaluation.doEval {
            trainer.afterEvaluation = { step in
                for set in evaluated { try generate(set.rows, set.name, table: "evaluation_\(set.name)", step: step) }
            }
        }
        let complete =
            try !evaluation.doTrain
            || trainer.run(
                checkpoint: { trainer in
                    try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
                }, shouldSave: session.checkpointIsDue, shouldStop: { Signals.isStopRequested })
        try session.stopIfAsked(complete: complete, step: trainer.step)
        if evaluation.doEval {
            for split in try evaluation.finalSplits(in: corpus, data: data, note: session.say) {
                try generate(
                    data.evaluationExamples(of: corpus, split: split), "final_\(split)", table: split,
                    step: trainer.step)
            }
        }
        try session.folder.writeResult { try model.save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.sinks.handle(.ended(stage: "sft", seconds: session.seconds))
    }

    /// What writes the texts of evaluations: greedy unless options say otherwise, or, as in the original, sampled with top-k 50.
    private func sampler(_ decoder: any Decoder, _ tokenizer: any Tokenizer, _ session: RunSession) throws
        -> SampleEvaluation
    {
        guard let end = tokenizer.endOfSequence else {
            throw CommandLineError.invalid("the tokenizer names no end-of-sequence token (eos_token)")
        }
        let reference = data.referenceCompatible
        return SampleEvaluation(
            generator: Generator(decoder, endOfSequence: end, validTokens: tokenizer.vocabularySize),
            tokenizer: tokenizer,
            options: sampling.options(samples: reference, reference: reference),
            random: Philox(seed: run.seed).split("evaluation"),
            rewardFunction: evaluation.doEval && model.evalSlRewardFunction
                ? try reward.load(session, data: data, tokenizer: tokenizer, end: end) : nil)
    }

    private var config: SFTConfig {
        var config = SFTConfig(
            epochs: training.numTrainEpochs, maxSteps: training.maxSteps, batchSize: training.batchSize,
            tokensPerPass: training.tokensPerPass, optimizer: training.optimizer, schedule: training.schedule,
            freezing: model.fromScratch ? Freezing(fraction: 0) : training.freezing, logSteps: training.loggingSteps,
            evaluationSteps: training.evalSteps, checkpointSteps: training.saveSteps,
            promptLossWeight: model.promptLossWeight,
            microBatchSize: training.lossMean.map { $0 == "batches" } ?? data.referenceCompatible
                ? training.perDeviceTrainBatchSize : nil, seed: run.seed)
        config.skippedBatches = training.skipBadBatches
        config.recomputesLayers = training.gradientCheckpointing
        return config
    }

    /// A new tokenizer, trained on the training split, and a new model.
    private func fresh(_ examples: [SummaryExample], format: PromptFormat, session: RunSession) throws -> LoadedModel {
        session.say("training a tokenizer of \(model.vocabularySize) ids on \(examples.count) examples")
        let tokenizer = try BPETrainer(vocabularySize: model.vocabularySize)
            .train(on: examples.map { format.prompt(for: $0) + " " + $0.summary })
        let settings = LlamaConfiguration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: model.hiddenSize,
            intermediateSize: model.intermediateSize,
            layerCount: model.numHiddenLayers, heads: model.numAttentionHeads,
            contextLength: model.maxPositionEmbeddings,
            tiesEmbeddings: model.tieWordEmbeddings,
            initializerRange: model.initializerRange ?? 1 / Double(model.hiddenSize).squareRoot())
        let weights = RandomWeights(
            generator: Philox(seed: run.seed).split("model"), standardDeviation: Float(settings.initializerRange))
        let decoder = try Llama(settings, weights: weights)
        return LoadedModel(model: LanguageModel(decoder: decoder), tokenizer: tokenizer, folder: session.folder.url)
    }
}
