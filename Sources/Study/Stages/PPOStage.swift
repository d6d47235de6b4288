import Data
import Eval
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Policy optimisation with a reward: PPO and related methods.
public struct PPOStage: TrackedStage {
    /// The models, the number of steps and the batches.
    public var policy = PolicySettings()
    /// The reward of responses.
    public var reward = RewardSettings()
    /// The reward for responses that differ from each other.
    public var diversity = DiversityRewardSettings()
    /// The distillation of best-of-N.
    public var distillation = DistillationSettings()
    /// The token rewards: the score, bonuses, penalties and the KL.
    public var rewards = PPORewardSettings()
    /// The method of policy optimisation.
    public var method = PolicyMethodSettings()
    /// The advantages and the PPO losses.
    public var algorithm = PPOSettings()
    /// The parts of the arithmetic that follow the original code.
    public var arithmetic = PPOArithmeticSettings()
    /// The data set and its tokenisation.
    public var data = DataSettings()
    /// How responses are sampled.
    public var sampling = SamplingSettings()
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
    public static let kind = RunStage.policy
    /// The name of the command-line program.
    public static let program = "train-ppo"
    /// Yes.
    public static let usesRanks = true
    /// All groups of settings.
    public static var groups: [SettingsGroup<PPOStage>] {
        [
            .init(\.policy), .init(\.reward), .init(\.diversity), .init(\.distillation), .init(\.rewards), .init(\.method),
            .init(\.algorithm),
            .init(\.arithmetic), .init(\.data), .init(\.sampling),
            .init(\.adapter), .init(\.adapterBase), .init(\.saving), .init(\.tracking), .init(\.run),
        ]
    }

    /// The value head of a model, or a new one.
    private func valueHead(of model: LanguageModel, _ session: RunSession) -> ValueHead {
        if let head = model.head { return head }
        session.say("the value head is newly initialised: weights with standard deviation 1/(width + 1), bias 0")
        var random = Philox(seed: run.seed).split("value head")
        return algorithm.freshHead(width: model.decoder.shape.headWidth, using: &random, usesTanh: reward.valueHeadActivation)
    }

    /// Trains the policy, evaluates it and saves it.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment, checkpointSteps: policy.checkpointSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, summary)
        try reward.checkModel(session)
        let supervised = try data.prepared(
            .load(
                policy.modelName, from: RunStage.languageModels, base: adapterBase.folder, usesTanh: reward.policyUsesTanh,
                families: session.families, note: session.say))
        let ends = try supervised.ends(note: session.say)
        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint {
            start = try adapter.resumed(from: checkpoint, base: adapterBase, usesTanh: reward.policyUsesTanh, session)
        } else {
            try adapter.adapt(&start, freezing: policy.freezing, seed: run.seed)
        }
        try saving.check(adapter.finished(start.model), tokenizer: supervised.tokenizer)
        let decoder = start.model.decoder
        var config = try self.config()
        config.groupReward = try diversity.load(note: session.say)
        let head = config.advantages.usesValues ? valueHead(of: start.model, session) : nil

        // the reference is the model from which training started, also in a resumed run
        let reference: (any TransformerDecoder)? =
            !rewards.trackKl
            ? nil
            : try policy.baseModelName.map {
                try supervised.loadReference($0, base: adapterBase.folder, families: session.families, note: session.say)
            }
                ?? (checkpoint == nil && adapter.loraRank == nil ? decoder.copy() : supervised.model.decoder)

        let finals =
            policy.evaluationSplits.isEmpty && data.referenceCompatible
            ? EvaluationSettings.usual : policy.evaluationSplits
        var corpus = try session.corpus(data, ["train", "validation", "ood_validation"] + finals)
        let tokenisation = try data.tokenisation(
            of: corpus, context: decoder.shape.contextLength, newTokens: sampling.maxNewTokens + 1,
            chat: data.chatFormat(of: supervised))
        corpus = try data.screened(corpus, tokenisation, for: [.prompts], with: supervised.tokenizer, note: session.say)
        let all = try data.trainingExamples(of: corpus)
        let prompts = try tokenisation.promptsOnThreads(
            policy.maxPrompts.map { Array(all.prefix($0)) } ?? all, with: supervised.tokenizer)
        data.note(cut: prompts, to: "train", session.say)
        func evaluated(_ split: String, count: Int?) throws -> (name: String, prompts: [TokenisedPrompt]) {
            let batch = policy.promptsOfEvaluationBatch
            var examples = try data.evaluationExamples(of: corpus, split: split, count: count, batch: batch)
            if try data.compatibility.dropsLastBatch, examples.count >= batch {
                examples.removeLast(examples.count % batch)
            }
            return (split, try tokenisation.promptsOnThreads(examples, with: supervised.tokenizer))
        }
        let inTraining = ["validation", "ood_validation"] + (data.referenceCompatible ? ["train"] : [])
        let evaluations = try inTraining.filter { corpus.availableSplits.contains($0) }
            .map { try evaluated($0, count: policy.trainingTargetEvalDatapoints) }
        let finalSplits =
            policy.evaluationSplits.isEmpty
            ? finals.filter { corpus.availableSplits.contains($0) }
            : try data.present(finals, in: corpus, note: session.say)
        let finalEvaluations = try finalSplits.map { try evaluated($0, count: nil) }

        config.freezing.apply(to: decoder)
        if let reference {
            // before the reward model and again in the trainer, so that all three hold the narrowest of equal weights
            reference.parameters.forEach { $0.isTrainable = false }
            _ = Trunk.share(decoder, with: reference, atMost: decoder.frozenTrunk)
        }
        let answered = prompts + evaluations.flatMap(\.prompts) + finalEvaluations.flatMap(\.prompts)
        let judge = try self.reward.load(
            session, data: data, tokenizer: supervised.tokenizer, ends: ends, sharing: decoder, inTraining: true)
        try judge.checkReferences(of: answered)
        let reward = try distillation.distilling(judge, answering: answered, for: self, session)
        // before the trainer, which finds the layers that policy and reference have in common
        let models = RunModels(model: decoder, reference: reference, judges: session.judges)
        try models.hold(run, note: session.say)
        let trainer = try PPOTrainer(
            policy: decoder, valueHead: head, reference: reference, config: config, prompts: prompts,
            evaluationPrompts: evaluations, rewardFunction: reward, tokenizer: supervised.tokenizer, ends: ends,
            collective: session.collective, handler: session.sinks.handler)
        session.sayRanks(batchSize: max(config.rolloutBatchSize, config.learnBatchSize))
        session.say(RunSummary.parameters(of: decoder))
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        try MemoryPlan.check(
            run, models, session, optimizer: config.optimizer, mayApplyInBackward: policy.mayApplyInBackward,
            longest: (prompts.map(\.tokens.count).max() ?? 0) + sampling.maxNewTokens,
            advice: "use a smaller model, raise --freeze-layers, or lower --max-active-responses, --tokens-per-pass, --max-new-tokens, or "
                + "--rollout-batch-size and --learn-batch-size (one must be a multiple of the other)",
            trainer.memory)
        let model = LanguageModel(
            decoder: decoder, head: head, source: start.model.source, generation: start.model.generation)
        try best?.check(splits: evaluations.map(\.name))
        best?.save = { try model.save(to: $0, tokenizer: supervised.tokenizer) }
        try session.checkDisk(
            for: model, optimizer: config.optimizer.kind, saving, isMerged: adapter.mergeAdapter)
        func save(_ trainer: PPOTrainer) throws {
            try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: supervised.tokenizer) }
        }
        let complete = try trainer.run(
            checkpoint: save, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop,
            stepsBegin: session.beginSteps)
        try session.leaveSteps(
            complete: complete, step: trainer.step, traffic: trainer.traffic, saving: finalEvaluations.isEmpty ? nil : { try save(trainer) }
        )
        try best?.restore(
            into: model, step: trainer.step, base: adapterBase.folder, families: session.families, note: session.say,
            evaluate: trainer.evaluate)
        if !finalEvaluations.isEmpty { try trainer.evaluate(finalEvaluations, table: "final") }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: supervised.tokenizer, as: saving) }
        try session.end(stage: trainer.objective.stage, summary)
    }

    /// The summary that the run prints at its end.
    private var summary: RunSummary {
        RunSummary(
            figures: [
                .init("score", better: .more), .init("average_kl_div"), .init("length"),
                .init("end_share", isShare: true),
            ], training: ["mean_score", "kl_sequence"],
            next: [
                "sample-best-of-n --model-name PATH --rf-model-dir \(reward.rfModelDir ?? "REWARD-MODEL") --reference-model \(policy.modelName)"
                    + RunSummary.words(of: data) + " --run-id \(run.runId ?? "ppo")-samples"
            ])
    }
}
