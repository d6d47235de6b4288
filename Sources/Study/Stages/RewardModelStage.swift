import Data
import Eval
import Formats
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Trains a reward model on pairs of summaries, given or simulated.
public struct RewardModelStage: TrackedStage {
    /// The comparisons, and the starting model.
    public var comparisons = ComparisonSettings()
    /// The head, and the files that are saved.
    public var head = RewardHeadSettings()
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

    /// The default name of the folder, in a run folder, of the model with a normalised head.
    public static let normalisedName = RunFolder.normalisedName

    /// The defaults.
    public init() {}

    /// The kind of run that is recorded in the run folder.
    public static let kind = RunStage.rewardModel
    /// The name of the command-line program.
    public static let program = "train-reward-model"
    /// Yes.
    public static let usesRanks = true
    /// None: evaluations write no texts.
    public static let loggedTables: LoggedTables? = nil
    /// All groups of settings.
    public static var groups: [SettingsGroup<RewardModelStage>] {
        [
            .init(\.comparisons), .init(\.head), .init(\.data), .init(\.sampling), .init(\.evaluation), .init(\.training), .init(\.adapter),
            .init(\.adapterBase),
            .init(\.saving),
            .init(\.tracking), .init(\.run),
        ]
    }

    /// Trains the reward model, evaluates it and saves it, with the variants that the settings ask for.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment, checkpointSteps: training.saveSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, summary)
        let supervised = try data.prepared(
            .load(
                comparisons.modelName, from: [.supervised, .policy, .rewardModel], base: adapterBase.folder, families: session.families,
                note: session.say))
        let finals = try evaluation.finalSplits(among: ComparisonSource.finalNames)
        let sets = try source.sets(session, supervised) {
            guard evaluation.doTrain else { return }
            try MemoryPlan.checkLeast(run, from: supervised, isScorer: true, training, adapter, session, advice: Self.memoryAdvice)
        }
        // report every requested split that is not evaluated
        let missing = evaluation.evaluationSplits.filter { name in !finals.contains(name) || !sets.contains { $0.name == name } }
        if evaluation.doEval ?? true, !missing.isEmpty {
            session.say(
                "no comparisons of \(missing.joined(separator: ", ")) to evaluate at the end; a reward model can be evaluated on "
                    + ComparisonSource.finalNames.joined(separator: ", "))
        }
        if head.savePreds, !sets.contains(where: { $0.name != "train" }) {
            session.say("--save-preds has no effect: no split is evaluated")
        }

        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint {
            start = try adapter.resumed(from: checkpoint, base: adapterBase, session)
            start.tokenizer = supervised.tokenizer
        } else {
            try adapter.adapt(&start, freezing: training.freezing, seed: run.seed)
        }
        guard saving.saveFormat != "gguf" else {
            throw InvalidSetting("--save-format gguf: a GGUF file cannot store a reward model's head")
        }
        let valueHead = start.model.head ?? freshHead(width: start.model.decoder.shape.headWidth, session)
        let reward = RewardModel(start.model.decoder, head: valueHead)

        let tokenised = try source.tokenised(sets, for: start, session)
        let train = tokenised.first { $0.name == "train" }?.comparisons ?? []
        let evaluated = try source.evaluated(tokenised)
        let position = RewardSettings.position(
            head.scorePosition, reference: data.referenceCompatible, tokenizer: start.tokenizer)
        var config = self.config
        config.position = position
        let trainer = try RewardTrainer(
            reward, config: config, comparisons: train, evaluations: evaluated.filter { !$0.comparisons.isEmpty },
            collective: session.collective, handler: session.sinks.handler)
        if evaluation.doTrain { session.sayRanks(batchSize: config.loop.batchSize) }
        let models = RunModels(model: reward.decoder, isScorer: true)
        try models.hold(run, note: session.say)
        if evaluation.doTrain { session.say(RunSummary.parameters(of: reward.decoder)) }
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        if evaluation.doTrain {
            try MemoryPlan.check(
                run, models, session, optimizer: config.loop.steps.optimizer, mayApplyInBackward: training.mayApplyInBackward,
                longest: train.map(\.count).max() ?? 0, advice: Self.memoryAdvice, trainer.memory)
        }
        let model = LanguageModel(
            decoder: reward.decoder, head: valueHead, source: start.model.source, generation: start.model.generation)
        try best?.check(splits: evaluated.filter { !$0.comparisons.isEmpty }.map(\.name))
        best?.save = { try model.save(to: $0, tokenizer: start.tokenizer) }
        try session.checkDisk(
            for: model, optimizer: evaluation.doTrain ? config.loop.steps.optimizer.kind : nil, saving, isMerged: adapter.mergeAdapter)
        func save(_ trainer: RewardTrainer) throws {
            try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
        }
        if evaluation.doTrain {
            let complete = try trainer.run(
                checkpoint: save, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop,
                stepsBegin: session.beginSteps)
            try session.leaveSteps(
                complete: complete, step: trainer.step, traffic: trainer.traffic,
                saving: !finals.isEmpty || head.calculateNormalisation ? { try save(trainer) } : nil)
        }
        try best?.restore(
            into: model, step: trainer.step, base: adapterBase.folder, families: session.families, note: session.say,
            evaluate: trainer.evaluate)
        try saveVariants(of: model, trainer, tokenizer: start.tokenizer, session)
        if !evaluation.doTrain { try trainer.evaluate() }
        if head.savePreds {
            for (name, comparisons) in evaluated where name != "train" && !finals.contains(name) && !comparisons.isEmpty {
                try savePredictions(trainer.scores(of: comparisons, part: "scores of \(name)"), comparisons, of: name, trainer, session)
            }
        }
        for (name, comparisons) in tokenised where finals.contains(name) {
            try evaluateAtEnd(comparisons, of: name, trainer, session)
        }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: start.tokenizer, as: saving) }
        if evaluation.doTrain, session.folder.isFirst {
            let accuracy = try MetricsFile.read(inRun: session.folder.url).last(of: "validation_accuracy")
            if let note = Self.chanceNote(accuracy: accuracy) { session.say(note) }
        }
        try session.end(stage: trainer.objective.stage, summary)
    }

    /// What reduces the memory of weights and the optimiser.
    private static let memoryAdvice = "use a smaller model, or raise --freeze-layers"

    /// A note on a validation accuracy that is not above that of guessing; nil for a higher or an unknown accuracy.
    package static func chanceNote(accuracy: Double?) -> String? {
        guard let accuracy, accuracy <= 0.5 else { return nil }
        return "the reward model is not better than chance: raise --learning-rate or --num-train-epochs, or lower --freeze-layers"
    }

    /// The summary that the run prints at its end.
    private var summary: RunSummary {
        let (model, words) = (comparisons.modelName, RunSummary.words(of: data, isNeeded: comparisons.comparisons != nil))
        return RunSummary(
            figures: [.init("accuracy", better: .more, isShare: true), .init("loss", better: .less)],
            next: [
                "train-ppo --model-name \(model) --rf-model-dir PATH\(words)",
                "sample-best-of-n --model-name \(model) --rf-model-dir PATH\(words)",
            ])
    }

    private var source: ComparisonSource {
        ComparisonSource(
            settings: comparisons, data: data, sampling: sampling, evaluation: evaluation, seed: run.seed, runs: run.folder,
            endsAnswers: true)
    }

    private func freshHead(width: Int, _ session: RunSession) -> ValueHead {
        session.say("the reward head is newly initialised: weights with standard deviation 1/(width + 1), bias 0")
        var random = Philox(seed: run.seed).split("head")
        let fresh = ValueHead(width: width, using: &random, usesTanh: head.valueHeadActivation)
        return ValueHead(
            weight: fresh.weight.value, bias: 0, normalisation: head.valueNormalisation,
            normalisationStd: head.valueNormalisationStd, usesTanh: fresh.usesTanh, isFresh: true)
    }

    /// Saves the copy with a normalised head and the sequence classifier, if they are wanted. The trained model itself is
    /// unchanged afterwards.
    private func saveVariants(
        of model: LanguageModel, _ trainer: RewardTrainer, tokenizer: any Tokenizer, _ session: RunSession
    ) throws {
        let valueHead = trainer.model.head
        guard head.calculateNormalisation else {
            return try exportClassifier(model, tokenizer: tokenizer, session)
        }
        let trained = (shift: valueHead.normalisation.value, deviation: valueHead.normalisationStd.value)
        let found = try trainer.normalise()
        guard found.isApplied else {
            session.say(
                String(
                    format: "the scores of the training pairs are all equal up to rounding (mean %.4g, standard deviation %.2g): the "
                        + "reward model does not distinguish answers; its divisor stays %g, and %@ is not written",
                    found.mean, found.std, valueHead.normalisationStd.value.item, head.normalisationCheckpointDir))
            // without normalisation the divisor is 1
            var values = ["normalised": 0.0, "normalisation_std": 1]
            if found.mean.isFinite { values["normalisation_mean"] = found.mean }
            if found.std.isFinite { values["score_deviation"] = found.std }
            try session.report(.measured(step: trainer.step, values: values))
            return try exportClassifier(model, tokenizer: tokenizer, session)
        }
        session.say(
            String(
                format:
                    "scores have mean %.4f and standard deviation %.4f; %@ holds the model with mean 0 and standard deviation 1, which the other programs use",
                found.mean, found.std,
                head.normalisationCheckpointDir))
        try session.report(
            .measured(step: trainer.step, values: ["normalisation_mean": found.mean, "normalisation_std": found.std]))
        try session.folder.writeResult(head.normalisationCheckpointDir) {
            try adapter.finished(model).save(to: $0, tokenizer: tokenizer, as: saving)
        }
        try exportClassifier(model, tokenizer: tokenizer, session)
        // the final model is saved without the normalisation
        (valueHead.normalisation.value, valueHead.normalisationStd.value) = trained
    }

    private func evaluateAtEnd(
        _ comparisons: [TokenisedComparison], of name: String, _ trainer: RewardTrainer, _ session: RunSession
    ) throws {
        let scores = try trainer.evaluate(comparisons, name: name)
        if head.savePreds { try savePredictions(scores, comparisons, of: name, trainer, session) }
    }

    /// Saves the model's predictions and scores for each pair of a split, as predictions.csv and scores.csv.
    private func savePredictions(
        _ scores: [Float], _ comparisons: [TokenisedComparison], of name: String, _ trainer: RewardTrainer, _ session: RunSession
    ) throws {
        var text = "Index,Pred,Label\n"
        for (index, pair) in comparisons.enumerated() {
            let prediction = RewardEvaluation.prediction(
                scores[2 * index], scores[2 * index + 1], tiesPredictZero: trainer.config.tiesPredictZero)
            text += "\(index),\(prediction == 0.5 ? "0.5" : prediction == 1 ? "1" : "0"),\(pair.choice)\n"
        }
        // the scores behind the predictions, for calibration
        var shown = "Index,First,Second,Label\n"
        for (index, pair) in comparisons.enumerated() { shown += "\(index),\(scores[2 * index]),\(scores[2 * index + 1]),\(pair.choice)\n" }
        try session.folder.writeResult("predictions-\(name)") {
            try text.write(to: $0.appendingPathComponent("predictions.csv"), atomically: false, encoding: .utf8)
            try shown.write(to: $0.appendingPathComponent("scores.csv"), atomically: false, encoding: .utf8)
        }
    }

    /// Saves the model as a sequence classifier, if that is wanted.
    private func exportClassifier(_ model: LanguageModel, tokenizer: any Tokenizer, _ session: RunSession) throws {
        guard let name = head.classifierDir else { return }
        try session.folder.writeResult(name) {
            try model.saveClassifier(to: $0, tokenizer: tokenizer, as: saving, note: session.say)
        }
    }

    private var config: RewardConfig {
        var config = RewardConfig()
        config.loop = training.loop(run)
        config.freezing = training.freezing
        config.centering = head.centerRewardsCoefficient
        config.normalisationPairs = data.evaluatedCount(batch: evaluation.perDeviceEvalBatchSize)
        config.tiesPredictZero = data.referenceCompatible
        return config
    }
}
