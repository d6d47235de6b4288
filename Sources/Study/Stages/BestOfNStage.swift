import Data
import Eval
public import Foundation
import Models
public import Runs
import Tensor
import Train

/// Best-of-N sampling. It writes two tables for every split: `<split>` holds the N responses of the first group, and
/// `<split>_best_of_n` the chosen response of every group. Responses are sampled, or read from a finished run. A sweep makes one
/// run for each combination of settings.
public struct BestOfNStage: TrackedStage {
    /// The model, the number of samples and the selection.
    public var bestOfN = BestOfNSettings()
    /// The reward of responses.
    public var reward = RewardSettings()
    /// The data set and its tokenisation.
    public var data = DataSettings()
    /// How responses are sampled.
    public var sampling = SamplingSettings()
    /// The base model of an adapter.
    public var adapterBase = AdapterBaseSettings()
    /// The logs of metrics and texts.
    public var tracking = TrackingSettings()
    /// The run folder, seed, threads and checkpoints.
    public var run = RunSettings()

    /// The defaults.
    public init() {}

    /// The kind of run that is recorded in the run folder.
    public static let kind = RunStage.bestOfN
    /// The name of the command-line program.
    public static let program = "sample-best-of-n"
    /// Yes.
    public static let usesRanks = true
    /// All groups of settings.
    public static var groups: [SettingsGroup<BestOfNStage>] {
        [.init(\.bestOfN), .init(\.reward), .init(\.data), .init(\.sampling), .init(\.adapterBase), .init(\.tracking), .init(\.run)]
    }

    /// The tables whose texts are logged: those of the chosen responses, which grow prompt by prompt.
    public static var loggedTables: LoggedTables? { LoggedTables(areWhole: false) { $0.hasSuffix(chosenSuffix) } }

    /// Checks every group, and the settings of every point of a sweep.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        try validateGroups()
        try run.refuseTrainedFormats()
        guard bestOfN.samplesFrom == nil || run.frozenFormat == .f32 else {
            throw InvalidSetting("--frozen-dtype \(run.frozenDtype) has no effect with --samples-from, which needs no model; remove it")
        }
        _ = try sweepPoints()
    }

    /// Samples responses and writes the tables, or makes the runs of a sweep.
    public func work(in folder: URL, _ environment: StageEnvironment) throws {
        let points = try sweepPoints()
        guard points.isEmpty else { return try sweep(over: points, in: folder, environment) }
        let session = try RunSession(self, in: folder, environment)
        if try session.folder.isFinished { return try session.sayFinished() }
        if bestOfN.samplesFrom == nil { try reward.checkModel(session) }
        let n = bestOfN.numReturnSequences
        var progress = try session.restore().map { try BestOfNProgress.read(from: $0.url, n: n) } ?? BestOfNProgress()
        let source = try bestOfN.samplesFrom.map { try storedSamples($0, session) } ?? drawnSamples(session)
        func grouped(_ count: Int) -> Int { bestOfN.groups > 1 ? min(bestOfN.groupedPrompts, count) : 0 }
        let total = source.splits.reduce(0) { $0 + $1.prompts + grouped($1.prompts) * (bestOfN.groups - 1) }
        try source.check()
        // progress counts responses: n for each group
        try session.report(
            .began(stage: label, totalSteps: n * total, unit: "response", step: n * progress.done, tokens: progress.tokens))
        let choices = Philox(seed: run.seed).split("selection")
        // the source calls it in the same way on all ranks, and tells them if it fails on one
        func take(_ rows: [SampleRow], of split: String) throws {
            let (first, best) = progress.take(rows, n: n, by: bestOfN.choice, using: choices)
            try session.sinks.handle(.sampled(table: split, rows: first))
            try session.sinks.handle(.sampled(table: split + Self.chosenSuffix, rows: best))
            try session.sinks.handle(
                .progressed(step: n * progress.done, totalSteps: n * total, tokens: progress.tokens, figure: nil))
        }
        // a pass is finished and saved before the program stops
        session.beginSteps()
        while progress.split < source.splits.count {
            let (split, count) = source.splits[progress.split]
            let many = grouped(count)
            while progress.prompts < count {
                // prompts of a pass are answered together, so a resumed run must start at a pass boundary; every rank takes a pass
                let isGrouped = progress.prompts < many
                let end = min(isGrouped ? many : count, progress.prompts + source.promptsPerPass * session.collective.size)
                try source.sample(progress.split, progress.prompts..<end, isGrouped ? n * bestOfN.groups : n) { try take($0, of: split) }
                progress.prompts = end
                try session.checkpoint(step: progress.done) { try progress.write(to: $0) }
                session.forgetCheckpointRequest()
                if try session.anyShouldStop() { try session.leaveSteps(complete: false, step: progress.done, saving: nil) }
            }
            try finish(split, prompts: Double(max(1, count)), &progress, session)
        }
        try session.folder.writeResult { url in
            let names = source.splits.map { "\"\($0.name)\"" }.joined(separator: ", ")
            let text = "{\"n\": \(n), \"splits\": [\(names)]}\n"
            try text.write(to: url.appendingPathComponent("complete.json"), atomically: false, encoding: .utf8)
            try Self.curveText(progress, n: n).write(
                to: url.appendingPathComponent("curves.csv"), atomically: false, encoding: .utf8)
        }
        try session.end(stage: label)
    }

    /// The end of the name of a table of chosen responses.
    static let chosenSuffix = "_best_of_n"

    /// The label of progress lines.
    private var label: String { "best of \(bestOfN.numReturnSequences)" }

    /// Reports the results of a finished split and starts the next one.
    private func finish(_ split: String, prompts: Double, _ progress: inout BestOfNProgress, _ session: RunSession) throws {
        let n = bestOfN.numReturnSequences
        let (first, best) = (progress.firstMean / prompts, progress.bestMean / prompts)
        var values = ["\(split)_mean_reward": first, "\(split)_best_of_n_reward": best]
        var text = String(
            format: "%@: mean reward %.3f, best of %d %.3f (KL from the samples at most %.2f)", split, first, n, best, BestOfN.kl(n: n))
        let (expected, kl) = ((progress.curve.last ?? 0) / prompts, (progress.klCurve?.last ?? 0) / prompts)
        if bestOfN.choice != .best {
            values["\(split)_best_of_n_expected_reward"] = expected
            values["\(split)_best_of_n_kl_bound"] = kl
            text = String(
                format: "%@: mean reward %.3f, soft best of %d %.3f, expected %.3f (KL from the samples at most %.2f)", split, first, n,
                best, expected, kl)
        }
        try session.report(.measured(step: progress.done, values: values))
        session.say(text)
        progress.finish(split: split, prompts: prompts)
    }

    /// The table of curves.csv: for every n, the mean reward of the best of the first n responses and the KL of best-of-n. For a
    /// soft choice, the expected reward and the upper bound of its KL.
    private static func curveText(_ progress: BestOfNProgress, n: Int) -> String {
        let splits = progress.curves.keys.sorted()
        let bounds = progress.klCurves ?? [:]
        var text = "n,kl," + (splits + splits.filter { bounds[$0] != nil }.map { $0 + "_kl" }).joined(separator: ",") + "\n"
        for place in 0..<n {
            // the curve of a split without prompts is empty
            let columns = (splits.map { progress.curves[$0] ?? [] } + splits.compactMap { bounds[$0] }).map { curve in
                "\(place < curve.count ? curve[place] : .nan)"
            }
            text += "\(place + 1),\(BestOfN.kl(n: place + 1))," + columns.joined(separator: ",") + "\n"
        }
        return text
    }
}
