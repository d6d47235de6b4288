import Data
import Eval
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Best-of-N sampling: two tables for every split. `<split>` holds the N responses of the first group, `<split>_best_of_n` the best
/// response of every group.
public struct BestOfNStage: Stage {
    /// How many samples, of which model.
    public var bestOfN = BestOfNSettings()
    /// What scores generated texts.
    public var reward = RewardSettings()
    /// What it reads.
    public var data = DataSettings()
    /// How responses are drawn.
    public var sampling = SamplingSettings()
    /// How the run goes.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    public static let kind = RunStage.bestOfN
    public static let program = "sample-best-of-n"
    public static var groups: [SettingsGroup<BestOfNStage>] {
        [.init(\.bestOfN), .init(\.reward), .init(\.data), .init(\.sampling), .init(\.run)]
    }

    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment)
        if try session.folder.isFinished { return session.sayFinished() }
        let n = bestOfN.numReturnSequences
        var progress = try session.restore().map { try BestOfNProgress.read(from: $0.url, n: n) } ?? BestOfNProgress()
        let policy = try data.prepared(.load(bestOfN.modelName, from: RunStage.languageModels, note: session.say))
        let ends = try policy.ends(note: session.say)
        let reward = try self.reward.load(session, data: data, tokenizer: policy.tokenizer, ends: ends)
        let reference = try bestOfN.referenceModel.map { try policy.loadReference($0, note: session.say) }
        var corpus = try session.corpus(data, bestOfN.evaluationSplits)
        let tokenisation = try data.tokenisation(
            of: corpus, context: policy.model.decoder.shape.contextLength, newTokens: sampling.maxNewTokens + 1,
            chat: data.chatFormat(of: policy))
        corpus = try data.screened(
            corpus, tokenisation, for: data.referenceCompatible ? [.training] : [.prompts], with: policy.tokenizer, note: session.say)
        let wanted = try data.present(bestOfN.evaluationSplits, in: corpus, note: session.say)
        let splits = try wanted.map { split -> (String, [TokenisedPrompt]) in
            let prompts = try data.evaluationPrompts(
                data.evaluationExamples(of: corpus, split: split, batch: bestOfN.perDeviceEvalBatchSize ?? 8), tokenisation,
                room: policy.model.decoder.shape.contextLength - sampling.maxNewTokens - 1, with: policy.tokenizer)
            if !data.referenceCompatible { data.note(cut: prompts, to: split, session.say) }
            return (split, prompts)
        }
        func grouped(_ count: Int) -> Int { bestOfN.groups > 1 ? min(bestOfN.groupedPrompts, count) : 0 }
        let total = splits.reduce(0) { $0 + $1.1.count + grouped($1.1.count) * (bestOfN.groups - 1) }
        try session.sinks.handle(.began(stage: "best of \(n)", totalSteps: total))
        var sampler = BestOfN(
            ResponseSampler(
                Generator(policy.model.decoder, ends: ends, validTokens: policy.tokenizer.vocabularySize, maxActive: 128),
                tokenizer: policy.tokenizer, options: sampling.options(reference: data.referenceCompatible)),
            rewardFunction: reward, random: Philox(seed: run.seed).split("best of n"))
        (sampler.reference, sampler.promptsPerPass) = (reference, max(1, 256 / n))
        let all = splits.flatMap(\.1)
        try MemoryPlan.check(
            limit: run.memoryLimit, longest: all.map(\.tokens.count).max() ?? 0,
            advice: "a smaller --num-return-sequences, --max-new-tokens or --max-source-length, or a smaller model",
            note: session.say
        ) { sampler.memory(prompts: all, count: bestOfN.groups > 1 ? n * bestOfN.groups : n) }
        func take(_ rows: [SampleRow], of split: String) throws {
            let (first, best) = progress.take(rows, n: n)
            try session.sinks.handle(.sampled(table: split, rows: first))
            try session.sinks.handle(.sampled(table: "\(split)_best_of_n", rows: best))
            try session.sinks.handle(
                .progressed(step: progress.done, totalSteps: total, tokens: progress.tokens, loss: nil))
        }
        // a pass is finished and saved before the program ends
        session.beginSteps()
        while progress.split < splits.count {
            let (split, prompts) = splits[progress.split]
            let many = grouped(prompts.count)
            while progress.prompts < prompts.count {
                // a pass is what is answered together, so a run that goes on must begin with a whole one
                let isGrouped = progress.prompts < many
                let end = min(isGrouped ? many : prompts.count, progress.prompts + sampler.promptsPerPass)
                try sampler.sample(Array(prompts[progress.prompts..<end]), count: isGrouped ? n * bestOfN.groups : n) {
                    try take($1, of: split)
                }
                progress.prompts = end
                try session.checkpoint(step: progress.done) { try progress.write(to: $0) }
                session.forgetCheckpointRequest()
                if session.shouldStop() { try session.leaveSteps(complete: false, step: progress.done, saving: nil) }
            }
            let count = Double(max(1, prompts.count))
            let (first, best) = (progress.firstMean / count, progress.bestMean / count)
            try session.sinks.handle(
                .measured(
                    step: progress.done, values: ["\(split)_mean_reward": first, "\(split)_best_of_n_reward": best]))
            session.say(
                String(
                    format: "%@: mean reward %.3f, best of %d %.3f (KL at most %.2f)", split, first, n, best,
                    BestOfN.kl(n: n)))
            progress.curves[split] = progress.curve.map { $0 / count }
            progress.beginNextSplit()
        }
        let curves = progress.curves
        try session.folder.writeResult { url in
            let text = "{\"n\": \(n), \"splits\": [\(splits.map { "\"\($0.0)\"" }.joined(separator: ", "))]}\n"
            try text.write(to: url.appendingPathComponent("complete.json"), atomically: false, encoding: .utf8)
            try Self.curveText(curves, n: n).write(
                to: url.appendingPathComponent("curves.csv"), atomically: false, encoding: .utf8)
        }
        try session.end(stage: "best of \(n)")
    }

    /// The mean reward of the best of the first n responses, for all n, with the KL of best-of-n: one line for every n.
    private static func curveText(_ curves: [String: [Double]], n: Int) -> String {
        let splits = curves.keys.sorted()
        var text = "n,kl," + splits.joined(separator: ",") + "\n"
        for place in 0..<n {
            // a split without prompts has no curve
            let rewards = splits.map { split in
                let curve = curves[split] ?? []
                return "\(place < curve.count ? curve[place] : .nan)"
            }
            text += "\(place + 1),\(BestOfN.kl(n: place + 1))," + rewards.joined(separator: ",") + "\n"
        }
        return text
    }
}
