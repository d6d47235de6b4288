import Data
import Eval
import Foundation
import Models
import Tensor
import Train

/// Policy optimisation from options to a run folder.
public struct PPOJob {
    public var run: RunOptions
    public var data: DataOptions
    public var policy: PolicyOptions
    public var sampling: SamplingArguments
    /// All options as config.json stores them.
    public var resolved: [String: OptionValue]

    /// A job; see the properties.
    public init(
        run: RunOptions, data: DataOptions, policy: PolicyOptions, sampling: SamplingArguments, resolved: [String: OptionValue]
    ) {
        self.run = run
        self.data = data
        self.policy = policy
        self.sampling = sampling
        self.resolved = resolved
    }

    /// Runs the job, or goes on with it.
    public func callAsFunction() throws {
        try run.computing { try work() }
    }

    private func work() throws {
        let session = try RunSession(stage: .policy, program: "train-ppo", run: run, options: resolved)
        if session.folder.isFinished { return session.sayFinished() }
        let supervised = try LoadedModel.load(policy.modelName, from: [.supervised, .policy], note: session.say)
        let end = try supervised.endOfSequence()
        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint { start = try .load(checkpoint.url.appendingPathComponent("model").path, from: [], note: session.say) }
        let decoder = start.model.decoder
        var random = Philox(seed: run.seed).split("value head")
        if start.model.head == nil { session.say("the value head is fresh: N(0, 1/(width + 1)), zero bias") }
        let head = start.model.head ?? ValueHead(width: decoder.shape.headWidth, using: &random)

        // the reference is the model that training started from, also when a run goes on
        let reference = try policy.baseModelName.map {
            try LoadedModel.load($0, from: [.supervised, .policy], note: session.say).model.decoder
        } ?? (checkpoint == nil ? decoder.copy() : supervised.model.decoder)

        let config = policy.config(sampling: sampling, seed: run.seed)
        let corpus = try data.corpus(["train", "validation", "ood_validation"], note: session.say)
        let tokenisation = try data.tokenisation(
            of: corpus, context: decoder.shape.contextLength, newTokens: sampling.maxNewTokens + 1)
        let all = try data.trainingExamples(of: corpus)
        let prompts = try tokenisation.prompts(
            policy.maxPrompts.map { Array(all.prefix($0)) } ?? all, with: supervised.tokenizer)
        data.note(cut: prompts, to: "train", session.say)
        let evaluations = try ["validation", "ood_validation"].filter { corpus.availableSplits.contains($0) }.map { split in
            (
                name: split,
                prompts: try tokenisation.prompts(
                    data.evaluationExamples(of: corpus, split: split, count: policy.trainingTargetEvalDatapoints),
                    with: supervised.tokenizer)
            )
        }

        config.freezing.apply(to: decoder)
        let reward = try RewardSource.load(policy.rfModelDir, session: session, end: end, sharing: decoder)
        let trainer = try PPOTrainer(
            policy: decoder, valueHead: head, reference: reference, config: config, prompts: prompts,
            evaluationPrompts: evaluations, rewardFunction: reward, tokenizer: supervised.tokenizer, endOfSequence: end,
            handler: session.sinks.handler)
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        let model = LanguageModel(
            decoder: decoder, head: head, source: start.model.source, generation: start.model.generation)
        let complete = try trainer.run(
            checkpoint: { trainer in
                try session.checkpoint(trainer.snapshot) { try model.save(to: $0, tokenizer: supervised.tokenizer) }
            }, shouldStop: { Signals.isStopRequested })
        try session.stopIfAsked(complete: complete, step: trainer.step)
        try session.folder.writeResult { try model.save(to: $0, tokenizer: supervised.tokenizer) }
        try session.sinks.handle(.ended(stage: "ppo", seconds: session.seconds))
    }
}

/// The reward model that a run scores with.
enum RewardSource {
    /// Loads a reward model. Layers that it has in common with the policy are shared, and their outputs are computed once.
    static func load(
        _ path: String, session: RunSession, end: Int32, sharing policy: (any Decoder)? = nil
    ) throws -> RewardModelReward {
        let folder = try RunFolder.modelFolder(at: URL(fileURLWithPath: path, isDirectory: true), expecting: [.rewardModel])
        let model = try LanguageModel.loadRewardModel(folder)
        model.decoder.parameters.forEach { $0.isTrainable = false }
        var layers = 0
        if let policy {
            let frozen = policy.frozenTrunk
            let shared = Trunk.share(policy, with: model.decoder, atMost: frozen)
            // trunk states are taken behind all frozen layers of the policy, so all of them must be common
            layers = shared.layers == frozen ? frozen : 0
            session.say(
                layers > 0
                    ? "the reward model shares \(layers) layers with the policy (\(shared.bytesFreed / 1_048_576) MiB saved)"
                    : "the reward model shares no frozen layers with the policy and runs in full")
        }
        return RewardModelReward(model, endOfSequence: end, sharedTrunkLayers: layers)
    }
}
