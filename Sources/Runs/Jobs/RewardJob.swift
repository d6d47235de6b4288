public import ArgumentParser
import Data
import Eval
import Foundation
import Models
import Tensor
import Train

/// Where comparisons come from.
public struct PreferenceOptions: ParsableArguments {
    @Option(help: "The supervised model to start from: a model folder or a run folder.")
    public var modelName: String
    @Option(
        help: """
            The comparisons: summarisation, cnndm, or a folder with a file of them for each split (train, validation, ood_validation); \
            unless given those of --dataset, or simulated ones if that holds posts.
            """)
    public var comparisons: String?
    @Option(help: "Simulation: prompts of the training split that get comparisons.")
    public var simulatedPrompts = 2000
    @Option(help: "Simulation: prompts of each held-out split that get comparisons.")
    public var simulatedEvaluationPrompts = 300
    @Option(help: "Simulation: temperatures at which the supervised model writes summaries; the reference joins them.")
    public var simulatedTemperatures: ArgumentList<Double> = [0.7, 1, 1.3]
    @Option(help: "Simulation: summaries drawn for each prompt at each temperature.")
    public var samplesPerTemperature = 1
    @Option(help: "Simulation: pairs of each prompt's summaries.")
    public var pairsPerPrompt = 2
    @Option(help: "Simulation: pairs whose judged scores are closer than this are left out.")
    public var minimumMargin = 0.1
    @Option(help: "Simulation: the share of the training labels that are flipped.")
    public var flippedShare = 0.05
    @Option(help: "Simulation: what the hidden judge takes off a summary of twice the reference's length.")
    public var lengthWeight = 0.2
    @Option(
        help:
            "Weighs the square of a pair's summed scores in the loss, which draws every prompt's scores towards 0; 0.01 is usual."
    )
    public var centerRewardsCoefficient = 0.0
    @Option(
        help: .yesNo("Whether a copy with a normalised head (mean 0, deviation 1 on training pairs) is saved, too."))
    public var calculateNormalisation = true
    @Option(help: "The copy's folder in the run folder.")
    public var normalisationCheckpointDir = RewardJob.normalisedName
    @Option(
        help:
            "Also writes the model (normalised, if there is such a copy) as Transformers' sequence classifier with one label, into this folder of the run."
    )
    public var classifierDir: String?
    @Option(help: "A fresh head's scores are shifted by this.")
    public var valueNormalisation: Float = 0
    @Option(help: "A fresh head's shifted scores are divided by this.")
    public var valueNormalisationStd: Float = 1
    @Option(help: .yesNo("Whether the head has a tanh."))
    public var valueHeadActivation = false
    @Option(help: "Where scores are read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(help: "Validation comparisons to use at most, from the first.")
    public var evalSubsampleNum: Int?
    @Option(help: .yesNo("Whether predictions of the final evaluation are written, one CSV file a split."))
    public var savePreds = false
    @Option(
        help:
            "Scores with the reward model --model-name instead of training: a JSONL file of rows with input and response, or a run."
    )
    public var score: String?
    @Option(help: "With --score RUN: its tables, all unless given.")
    public var tableNames: ArgumentList<String> = []
    @Option(help: "With --score: the name of the new column.")
    public var scoreColumn = "proxy_reward"
    @Option(help: "With --score FILE: where the scored rows go; FILE with .scored before its ending unless given.")
    public var scoreOutput: String?

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "analyse-run-id": "score", "rf-model-dir": "model-name", "table-name": "table-names",
    ]
    /// Options of the original that mean nothing here.
    public static let ignored = [
        IgnoredOption("infer-batch-size", .value, "texts are scored in passes of --tokens-per-pass")
    ]

    public func validate() throws {
        guard scorePosition.map({ ["last-token", "padding-count"].contains(OptionTable.canonical($0)) }) ?? true else {
            throw ValidationError("--score-position is '\(scorePosition ?? "")'; it takes last-token or padding-count")
        }
        guard simulatedPrompts > 0, simulatedEvaluationPrompts > 0, samplesPerTemperature > 0, pairsPerPrompt > 0 else {
            throw ValidationError("the numbers of the simulation must be above 0")
        }
        guard !simulatedTemperatures.values.isEmpty, simulatedTemperatures.values.allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("--simulated-temperatures takes numbers that are not negative")
        }
        guard (0...0.5).contains(flippedShare) else { throw ValidationError("--flipped-share must be in 0...0.5") }
        for (name, value) in [
            ("--length-weight", lengthWeight), ("--minimum-margin", minimumMargin),
            ("--center-rewards-coefficient", centerRewardsCoefficient),
        ] where value < 0 {
            throw ValidationError("\(name) must not be negative")
        }
    }
}

/// Reward-model training from options to a run folder.
public struct RewardJob {
    public var run: RunOptions
    public var data: DataOptions
    public var preferences: PreferenceOptions
    public var training: TrainingOptions
    public var sampling: SamplingArguments
    public var evaluation: EvaluationOptions
    public var saving: SavingOptions
    /// All options as config.json stores them.
    public var resolved: [String: OptionValue]

    /// A job; see the properties.
    public init(
        run: RunOptions, data: DataOptions, preferences: PreferenceOptions, training: TrainingOptions,
        sampling: SamplingArguments, evaluation: EvaluationOptions, saving: SavingOptions,
        resolved: [String: OptionValue]
    ) {
        self.run = run
        self.data = data
        self.preferences = preferences
        self.training = training
        self.sampling = sampling
        self.evaluation = evaluation
        self.saving = saving
        self.resolved = resolved
    }

    /// Runs the job, or goes on with it.
    public func callAsFunction() throws {
        try run.computing {
            guard let scored = preferences.score else { return try work() }
            try ScoringJob(
                model: preferences.modelName, target: scored, tables: preferences.tableNames.values,
                column: preferences.scoreColumn,
                output: preferences.scoreOutput, runs: run.outputDir, usesTanh: preferences.valueHeadActivation,
                position: preferences.scorePosition, data: data)()
        }
    }

    /// The folder of the model with a normalised head in a run folder.
    public static let normalisedName = "final-normalised"

    private func work() throws {
        let session = try RunSession(
            stage: .rewardModel, program: "train-reward-model", run: run, options: resolved,
            checkpointSteps: training.saveSteps)
        if session.folder.isFinished { return session.sayFinished() }
        let supervised = try LoadedModel.load(
            preferences.modelName, from: [.supervised, .policy, .rewardModel], note: session.say)
        let sets = try comparisonSets(session, supervised)

        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint {
            start = try .load(checkpoint.url.appendingPathComponent("model").path, from: [], note: session.say)
        }
        var random = Philox(seed: run.seed).split("head")
        if start.model.head == nil { session.say("the reward head is fresh: N(0, 1/(width + 1)), zero bias") }
        let fresh = ValueHead(
            width: start.model.decoder.shape.headWidth, using: &random, usesTanh: preferences.valueHeadActivation)
        let head =
            start.model.head
            ?? ValueHead(
                weight: fresh.weight.value, bias: 0, normalisation: preferences.valueNormalisation,
                normalisationStd: preferences.valueNormalisationStd, usesTanh: fresh.usesTanh, isFresh: true)
        let reward = RewardModel(start.model.decoder, head: head)

        let tokenisation = RewardTokenisation(
            text: try data.compatibility.rewardText, maximumTokens: min(2048, reward.decoder.shape.contextLength))
        let tokenised = try sets.map { name, comparisons in
            (name: name, result: try tokenisation.tokenise(comparisons, with: start.tokenizer))
        }
        let truncated = tokenised.reduce(0) { $0 + $1.result.truncated }
        if truncated > 0 { session.say("\(truncated) comparisons were cut to the model's context") }
        let train = tokenised.first { $0.name == "train" }?.result.comparisons ?? []
        let evaluated = try tokenised.filter { Self.setNames.contains($0.name) }.map { name, result in
            let rows =
                name == "validation"
                ? Array(result.comparisons.prefix(preferences.evalSubsampleNum ?? .max)) : result.comparisons
            return (name: name, comparisons: try evaluation.rows(rows, of: name, otherwise: .max, seed: run.seed))
        }
        let position = RewardOptions.position(
            preferences.scorePosition, reference: data.referenceCompatible, tokenizer: start.tokenizer)
        var config = self.config
        config.position = position
        let trainer = try RewardTrainer(
            reward, config: config, comparisons: train, evaluations: evaluated.filter { !$0.comparisons.isEmpty },
            handler: session.sinks.handler)
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        if evaluation.doTrain {
            try MemoryPlan.check(
                limit: run.memoryLimit, longest: train.map(\.count).max() ?? 0,
                advice: "a smaller model, or a greater --freeze-layers", note: session.say, trainer.memory)
        }
        let model = LanguageModel(
            decoder: reward.decoder, head: head, source: start.model.source, generation: start.model.generation)
        let complete =
            try !evaluation.doTrain
            || trainer.run(
                checkpoint: { trainer in
                    try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
                }, shouldSave: session.checkpointIsDue, shouldStop: { Signals.isStopRequested })
        try session.stopIfAsked(complete: complete, step: trainer.step)
        let trained = (shift: head.normalisation.value, deviation: head.normalisationStd.value)
        if preferences.calculateNormalisation {
            let (mean, std) = try trainer.normalise()
            session.say(
                String(
                    format: "scores had mean %.4f and deviation %.4f; %@ makes them 0 and 1", mean, std,
                    preferences.normalisationCheckpointDir))
            try session.sinks.handle(
                .measured(step: trainer.step, values: ["normalisation_mean": mean, "normalisation_std": std]))
            try session.folder.writeResult(preferences.normalisationCheckpointDir) {
                try model.save(to: $0, tokenizer: start.tokenizer, as: saving)
            }
            try exportClassifier(model, tokenizer: start.tokenizer, session)
            // what is saved as final is as it was trained
            (head.normalisation.value, head.normalisationStd.value) = trained
        } else {
            try exportClassifier(model, tokenizer: start.tokenizer, session)
        }
        for (name, result) in tokenised where !Self.setNames.contains(name) {
            let scores = try trainer.evaluate(result.comparisons, name: name)
            guard preferences.savePreds else { continue }
            var text = "Index,Pred,Label\n"
            for (index, pair) in result.comparisons.enumerated() {
                text += "\(index),\(scores[2 * index + 1] > scores[2 * index] ? 1 : 0),\(pair.choice)\n"
            }
            try session.folder.writeResult("predictions-\(name)") {
                try text.write(to: $0.appendingPathComponent("predictions.csv"), atomically: false, encoding: .utf8)
            }
        }
        try session.folder.writeResult { try model.save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.sinks.handle(.ended(stage: "reward model", seconds: session.seconds))
    }

    /// Writes the model as a sequence classifier, too, where that was asked for.
    private func exportClassifier(_ model: LanguageModel, tokenizer: any Tokenizer, _ session: RunSession) throws {
        guard let name = preferences.classifierDir else { return }
        try session.folder.writeResult(name) {
            try model.saveClassifier(to: $0, tokenizer: tokenizer, as: saving, note: session.say)
        }
    }

    private var config: RewardConfig {
        var config = RewardConfig(
            epochs: training.numTrainEpochs, maxSteps: training.maxSteps, batchSize: training.batchSize,
            tokensPerPass: training.tokensPerPass, optimizer: training.optimizer, schedule: training.schedule,
            freezing: training.freezing, logSteps: training.loggingSteps, evaluationSteps: training.evalSteps,
            checkpointSteps: training.saveSteps, centering: preferences.centerRewardsCoefficient,
            normalises: preferences.calculateNormalisation, normalisationPairs: data.targetEvalDatapoints,
            seed: run.seed)
        config.skippedBatches = training.skipBadBatches
        config.recomputesLayers = training.gradientCheckpointing
        return config
    }

    // MARK: Comparisons

    private static let setNames = ["train", "validation", "ood_validation"]
    /// Evaluated once, after training: the first rows of each.
    private static let finalNames = ["test", "ood_test", "full_validation", "full_test"]

    private func comparisonSets(
        _ session: RunSession, _ supervised: LoadedModel
    ) throws -> [(name: String, comparisons: [Comparison])] {
        let wanted = Self.setNames + Self.finalNames
        if let splits = try data.comparisons(in: preferences.comparisons, wanted, note: session.say) {
            _ = try splits.rows(of: "train")
            return try wanted.filter { splits.rows[$0] != nil }.map { name in
                let rows = try splits.rows(of: name)
                return (name, Self.finalNames.contains(name) ? Array(rows.prefix(data.targetEvalDatapoints)) : rows)
            }
        }
        let folder = session.folder.url.appendingPathComponent("comparisons", isDirectory: true)
        // once simulated they are part of the run, so that it can go on with the same ones
        let isThere = FileManager.default.fileExists(atPath: folder.path)
        let isWhole = isThere && (try? FolderChecksums.verify(folder)) != nil
        if isThere && !isWhole { session.say("\(folder.path) is damaged; its comparisons are made again") }
        if !isWhole {
            let sets = try simulate(session, supervised)
            try session.folder.writeResult("comparisons") { url in
                for (name, comparisons) in sets {
                    try JSONLines<Comparison>(url.appendingPathComponent("\(name).jsonl")).write(comparisons)
                }
            }
        }
        return try read(folder, needed: "train")
    }

    private func read(_ folder: URL, needed: String) throws -> [(name: String, comparisons: [Comparison])] {
        var sets: [(name: String, comparisons: [Comparison])] = []
        for name in Self.setNames {
            let file = folder.appendingPathComponent("\(name).jsonl")
            guard name == needed || FileManager.default.fileExists(atPath: file.path) else { continue }
            sets.append((name, try JSONLines<Comparison>(file).read()))
        }
        return sets
    }

    private func simulate(
        _ session: RunSession, _ supervised: LoadedModel
    ) throws -> [(name: String, comparisons: [Comparison])] {
        let corpus = try data.corpus(Self.setNames, note: session.say)
        let decoder = supervised.model.decoder
        let tokenisation = try data.tokenisation(
            of: corpus, context: decoder.shape.contextLength, newTokens: sampling.maxNewTokens)
        let wanted = try Self.setNames.filter { corpus.availableSplits.contains($0) }.map { name in
            (
                name: name,
                examples: name == "train"
                    ? Array(try data.trainingExamples(of: corpus).prefix(preferences.simulatedPrompts))
                    : try data.evaluationExamples(
                        of: corpus, split: name, count: preferences.simulatedEvaluationPrompts)
            )
        }
        let total = wanted.reduce(0) { $0 + $1.examples.count }
        let end = try supervised.endOfSequence()
        try session.sinks.handle(.began(stage: "preferences", totalSteps: total))
        var done = (examples: 0, tokens: 0)
        return try wanted.map { name, examples in
            let simulation = SimulatedPreferences(
                generator: Generator(
                    decoder, endOfSequence: end, validTokens: supervised.tokenizer.vocabularySize, maxActive: 128),
                tokenizer: supervised.tokenizer, judge: GoldScore(lengthWeight: preferences.lengthWeight),
                options: sampling.options(), temperatures: preferences.simulatedTemperatures.values.map(Float.init),
                samplesPerTemperature: preferences.samplesPerTemperature, pairsPerPrompt: preferences.pairsPerPrompt,
                minimumMargin: preferences.minimumMargin,
                // held-out labels are the judge's own: accuracy is measured against the truth
                flippedShare: name == "train" ? preferences.flippedShare : 0,
                random: Philox(seed: run.seed).split("preferences"))
            var last = (examples: 0, tokens: 0)
            let result = try simulation.comparisons(
                for: examples, prompts: try tokenisation.prompts(examples, with: supervised.tokenizer)
            ) { count, tokens in
                last = (count, tokens)
                try session.sinks.handle(
                    .progressed(step: done.examples + count, totalSteps: total, tokens: done.tokens + tokens, loss: nil)
                )
            }
            done = (done.examples + last.examples, done.tokens + last.tokens)
            session.say("\(result.count) \(name) comparisons from \(examples.count) prompts")
            return (name, result)
        }
    }
}
