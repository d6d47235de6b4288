import Data
import Formats
public import Foundation
import Models
public import Runs
import Tensor
import TextGeneration
import Train

/// Direct preference optimisation: a policy from comparisons of answers, without a reward model.
public struct PreferenceStage: TrackedStage {
    /// The comparisons, and the model that learns.
    public var comparisons = ComparisonSettings()
    /// What is minimised.
    public var preference = DirectPreferenceSettings()
    /// What it reads.
    public var data = DataSettings()
    /// How responses are drawn.
    public var sampling = SamplingSettings()
    /// What is evaluated.
    public var evaluation = EvaluationSettings()
    /// The optimiser and what it may change.
    public var training = TrainingSettings()
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

    public static let kind = RunStage.preference
    public static let program = "train-preference"
    public static var groups: [SettingsGroup<PreferenceStage>] {
        [
            .init(\.comparisons), .init(\.preference), .init(\.data), .init(\.sampling), .init(\.evaluation), .init(\.training),
            .init(\.adapter), .init(\.adapterBase), .init(\.saving), .init(\.tracking), .init(\.run),
        ]
    }

    private typealias Sets = [(name: String, comparisons: [TokenisedComparison])]

    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment, checkpointSteps: training.saveSteps)
        if try session.folder.isFinished { return try session.sayFinished() }
        let best = try session.keepBest(saving, summary)
        let supervised = try data.prepared(
            .load(comparisons.modelName, from: RunStage.languageModels, base: adapterBase.folder, note: session.say))
        let source = ComparisonSource(
            settings: comparisons, data: data, sampling: sampling, evaluation: evaluation, seed: run.seed, runs: run.folder,
            weighsByDeviation: preference.weighsByDeviation, takesSingles: preference.unpairedLoss != nil)
        let finals = try evaluation.finalSplits(among: ComparisonSource.finalNames)
        let given = try source.sets(session, supervised)
        let checkpoint = try session.restore()
        var start = supervised
        if let checkpoint {
            start = try .load(checkpoint.url.appendingPathComponent("model").path, from: [], note: session.say)
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

        // the policy is the reference until it is trained: they share memory, and what stays frozen they share for good
        let reference =
            try preference.referenceModel.map { try start.loadReference($0, base: adapterBase.folder, note: session.say) }
            ?? supervised.model.decoder
        let policy = checkpoint == nil ? start.model.decoder.copy() : start.model.decoder
        let model = LanguageModel(decoder: policy, source: start.model.source, generation: start.model.generation)
        best?.save = { try model.save(to: $0, tokenizer: start.tokenizer) }
        func restoreBest() throws { try best?.restore(into: model, note: session.say) }
        func save(_ snapshot: TrainerSnapshot) throws {
            try session.checkpoint(snapshot) { try model.save(to: $0, tokenizer: start.tokenizer) }
        }
        let divergence = try sampledDivergence(of: policy, from: reference, start, session)
        let prompts = evaluated.filter { $0.name != "train" }.map { (name: $0.name, prompts: self.prompts(of: $0.comparisons)) }
        try checkRoom(for: prompts.flatMap(\.prompts), context: policy.shape.contextLength)
        func measureDivergence(_ step: Int) throws {
            guard let divergence else { return }
            for set in prompts { try session.sinks.handle(.measured(step: step, values: divergence.values(set.prompts, name: set.name))) }
        }
        func measureLast(_ step: Int, _ name: String, _ set: [TokenisedComparison], _ values: [String: Double]) throws {
            let drawn = try divergence?.values(self.prompts(of: set), name: name) ?? [:]
            try session.sinks.handle(.measured(step: step, values: values.merging(drawn) { first, _ in first }))
        }

        if preference.unpairedLoss != nil {
            var config = preference.unpairedConfig()
            (config.loop, config.freezing) = (training.loop(seed: run.seed), training.freezing)
            config.validTokens = start.tokenizer.vocabularySize
            let scorer = UnpairedReference(reference, config: config)
            func answers(_ set: [TokenisedComparison], _ name: String) throws -> [UnpairedAnswer] {
                let all = UnpairedAnswer.answers(of: set)
                let numbers = try stored(name, count: all.count, session) {
                    try scorer.answers(all).map { [$0.reference.answer, $0.reference.mismatched] }
                }
                return zip(all, numbers).map { answer, numbers in
                    var answer = answer
                    answer.reference = (numbers[0], numbers[1])
                    return answer
                }
            }
            let trainer = try UnpairedTrainer(
                policy, config: config, answers: answers(train, "train"),
                // drawn training rows have other mismatched answers than in the whole set
                evaluations: evaluated.map { ($0.name, try answers($0.comparisons, $0.name == "train" ? "train_evaluated" : $0.name)) },
                handler: session.sinks.handler)
            try learn(
                trainer, policy, memory: trainer.memory, longest: longest, from: checkpoint, session, divergence: measureDivergence,
                save: save, restoreBest: restoreBest, last: last, measureLast
            ) {
                trainer.objective.evaluation(of: try answers($0, $1), name: $1)
            }
        } else {
            var config = preference.config()
            (config.loop, config.freezing) = (training.loop(seed: run.seed), training.freezing)
            config.validTokens = start.tokenizer.vocabularySize
            let scorer = ReferenceLogProbs(reference, config: config)
            func pairs(_ set: [TokenisedComparison], _ name: String) throws -> [PreferencePair] {
                guard config.loss.comparison == .reference else { return set.map { PreferencePair($0) } }
                let numbers = try stored(name, count: set.count, session) {
                    try scorer.pairs(set).map { [$0.reference?.chosen ?? 0, $0.reference?.rejected ?? 0] }
                }
                return zip(set, numbers).map { PreferencePair($0, reference: ($1[0], $1[1])) }
            }
            let trained = try pairs(train, "train")
            let trainer = try PreferenceTrainer(
                policy, config: config, pairs: trained,
                evaluations: evaluated.map { name, set in
                    // the same draw of rows as that of the comparisons, whose numbers are there
                    (name, try name == "train" ? evaluation.rows(trained, of: name, otherwise: .max, seed: run.seed) : pairs(set, name))
                },
                handler: session.sinks.handler)
            try learn(
                trainer, policy, memory: trainer.memory, longest: longest, from: checkpoint, session, divergence: measureDivergence,
                save: save, restoreBest: restoreBest, last: last, measureLast
            ) {
                trainer.objective.evaluation(of: try pairs($0, $1), name: $1)
            }
        }
        try session.folder.writeResult { try adapter.finished(model).save(to: $0, tokenizer: start.tokenizer, as: saving) }
        try session.end(stage: "preferences", summary)
    }

    /// What the run says of itself at its end.
    private var summary: RunSummary {
        RunSummary(
            figures: [.init("accuracy", better: .more, isShare: true), .init("loss", better: .less), .init("kl")],
            next: ["sample-best-of-n --model-name PATH --rf-model-dir REWARD --reference-model \(comparisons.modelName)"])
    }

    /// The comparisons that have a token of their prompt left, which predicts the answers' first ones; the others are counted.
    private func withPrompts(_ sets: Sets, _ session: RunSession) throws -> Sets {
        let kept = sets.map { ($0.name, $0.comparisons.filter { !$0.prompt.isEmpty }) }
        let lost = zip(sets, kept).reduce(0) { $0 + $1.0.comparisons.count - $1.1.1.count }
        if lost > 0 {
            session.say(
                "\(lost) comparisons are left out: of their prompts no token is left, because an answer fills --max-source-length and "
                    + "--max-target-length together, or the chat template renders nothing in front of it")
        }
        return kept
    }

    /// Takes the steps, or measures what there is; puts the weights of the best evaluation back where they are kept; measures the last sets once.
    private func learn<Method: Objective>(
        _ trainer: Trainer<Method>, _ policy: any TransformerDecoder, memory: () -> TrainingMemory, longest: Int,
        from checkpoint: Checkpoint?, _ session: RunSession,
        divergence: @escaping (Int) throws -> Void, save: @escaping (TrainerSnapshot) throws -> Void,
        restoreBest: () throws -> Void, last: Sets,
        _ tell: (Int, String, [TokenisedComparison], [String: Double]) throws -> Void,
        measure: ([TokenisedComparison], String) throws -> [String: Double]
    ) throws {
        if evaluation.doTrain { session.say(RunSummary.parameters(of: policy)) }
        if let checkpoint { try trainer.restore(.read(from: checkpoint.url)) }
        trainer.afterEvaluation = divergence
        if evaluation.doTrain {
            try MemoryPlan.check(
                limit: run.memoryLimit, longest: longest, advice: "a smaller model, or a greater --freeze-layers", note: session.say, memory
            )
            let complete = try trainer.run(
                checkpoint: { try save($0.snapshot) }, shouldSave: session.checkpointIsDue, shouldStop: session.shouldStop)
            try session.leaveSteps(
                complete: complete, step: trainer.step, saving: last.isEmpty ? nil : { try save(trainer.snapshot) })
        } else {
            try trainer.evaluate()
        }
        try restoreBest()
        for (name, set) in last {
            try tell(trainer.step, name, set, measure(set, name))
        }
    }

    /// The reference's numbers of a set: computed before the first step and kept in the run folder, so that a run that goes on has the same ones.
    private func stored(_ name: String, count: Int, _ session: RunSession, _ compute: () throws -> [[Double]]) throws -> [[Double]] {
        let folderName = "reference-\(name)"
        let file = session.folder.url.appendingPathComponent(folderName, isDirectory: true).appendingPathComponent("log-probs.jsonl")
        if try FileStatus.of(file) != nil {
            do {
                try FolderChecksums.verify(file.deletingLastPathComponent())
                let numbers = try JSONLines<[Double]>(file).read()
                if numbers.count == count, numbers.allSatisfy({ $0.count == 2 }) { return numbers }
            } catch FileError.damaged {
                session.say("\(file.path) is damaged; the reference's log-probabilities are computed again")
            }
        }
        let numbers = try compute()
        try session.folder.writeResult(folderName) { try JSONLines<[Double]>($0.appendingPathComponent("log-probs.jsonl")).write(numbers) }
        return numbers
    }

    private func prompts(of comparisons: [TokenisedComparison]) -> [TokenisedPrompt] {
        var seen: Set<[Int32]> = []
        return comparisons.filter { seen.insert($0.prompt).inserted }.prefix(preference.klPrompts).map {
            TokenisedPrompt(id: $0.id, tokens: $0.prompt, query: "", reference: "", isTruncated: false)
        }
    }

    /// Refuses, before the first step, prompts that the responses for the KL have no room behind.
    private func checkRoom(for prompts: [TokenisedPrompt], context: Int) throws {
        guard preference.klPrompts > 0, let longest = prompts.max(by: { $0.tokens.count < $1.tokens.count }) else { return }
        guard longest.tokens.count > context - sampling.maxNewTokens - 1 else { return }
        throw InvalidSetting(
            "--max-new-tokens is \(sampling.maxNewTokens), and the held-out prompt \(longest.id) has \(longest.tokens.count) tokens: the model's "
                + "context of \(context) leaves no room for responses, whose KL is measured; lower it, or leave them out with --kl-prompts 0"
        )
    }

    private func sampledDivergence(
        of policy: any TransformerDecoder, from reference: any TransformerDecoder, _ start: LoadedModel, _ session: RunSession
    ) throws -> SampledDivergence? {
        guard preference.klPrompts > 0 else { return nil }
        let sampler = ResponseSampler(
            Generator(policy, ends: try start.ends(note: session.say), validTokens: start.tokenizer.vocabularySize),
            tokenizer: start.tokenizer, options: sampling.options())
        return SampledDivergence(sampler, reference: reference, random: Philox(seed: run.seed).split("divergence"))
    }
}
