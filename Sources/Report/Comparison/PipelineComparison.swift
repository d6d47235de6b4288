import Data
import Diversity
import Eval
import Formats
import Foundation
import Tensor
import Train
import Runs
public import Study

/// Compares the quality and diversity of SFT, PPO, preference optimisation and best-of-N, from the runs of one pipeline.
public struct PipelineComparison: ReportTask {
    /// The runs to compare.
    public var runs = ComparedRunSettings()
    /// Where runs are stored, and how they are measured.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<PipelineComparison>] { [.init(\.runs), .init(\.measuring)] }

    /// Measures every system, and writes `summary.json`, `summary.md` and `summary.svg`.
    /// - Throws: `InvalidSetting` for a missing run, for samples of another model and for tables without common prompts;
    ///   `RunFolderError`; `FileError`; `ResultError`.
    public func run(_ listener: ReportListener) throws {
        try validate()
        let start = ContinuousClock.now
        let sft = try locate(runs.sftRun, "--sft-run", .supervised)
        let rm = try locate(runs.rmRun, "--rm-run", .rewardModel)
        let sftSamples = try locate(runs.sftSamplesRun, "--sft-samples-run", .bestOfN)
        let ppo = try policy(runs.ppoRun, runs.ppoSamplesRun, "ppo", .policy)
        let preference = try policy(runs.preferenceRun, runs.preferenceSamplesRun, "preference", .preference)
        guard ppo != nil || preference != nil else {
            throw InvalidSetting(
                "a comparison needs a policy: give --ppo-run and --ppo-samples-run, or --preference-run and --preference-samples-run")
        }

        try checkModel(of: sftSamples, "--sft-samples-run", is: sft, "--sft-run", listener.note)
        try ppo.map { try checkModel(of: $0.samples, "--ppo-samples-run", is: $0.run, "--ppo-run", listener.note) }
        try preference.map { try checkModel(of: $0.samples, "--preference-samples-run", is: $0.run, "--preference-run", listener.note) }
        for policy in [ppo, preference].compactMap({ $0 }) {
            try notePrompts(of: policy.samples, sftSamples, listener.note)
            try noteStart(of: policy.run, sft, listener.note)
            try noteReward(of: policy.samples, sftSamples, listener.note)
        }

        let encoder = try runs.embeddingModel.map { try ReportModels.encoder($0, option: "--embedding-model", note: listener.note) }
            .map { RememberingEncoder($0) }
        var notes: [String] = []
        func note(_ text: String) { if !notes.contains(text) { notes.append(text) } }
        func system(_ run: URL, suffix: String = "") throws -> Summary.System {
            let isAnswered = try Self.hasTable("ood_test", inRun: run)
            if !isAnswered {
                note(
                    "\(run.path) has no table ood_test: out-of-distribution scores are left out. To get them, sample with "
                        + "--evaluation-splits test,ood_test from data that has such a split (--ood-test-file, --ood-column or --eval-dataset)"
                )
            }
            return Summary.System(
                id: try scores(of: "test" + suffix, inRun: run, encoder, note),
                ood: isAnswered ? try scores(of: "ood_test" + suffix, inRun: run, encoder, note) : nil)
        }
        let systems = try measuring.computing {
            Summary.Systems(
                sft: try system(sftSamples), ppo: try ppo.map { try system($0.samples) },
                bon: try system(sftSamples, suffix: "_best_of_n"), preference: try preference.map { try system($0.samples) },
                preferenceName: try preference.map { try Self.preferenceName($0.run) },
                ppoName: try ppo.flatMap { try Self.policyName($0.run) })
        }
        notes.forEach(listener.note)
        let supervised = try MetricsFile.read(inRun: sft)
        let reward = try MetricsFile.read(inRun: rm)
        // numbers that were never measured are omitted, with a note that names the split
        func number(_ value: Double?, _ name: String, in run: URL) -> Double? {
            if value == nil { listener.note("\(run.path) has no \(name), so the comparison leaves it out; it needs that split") }
            return value
        }
        func last(_ name: String, _ measurements: [Runs.Measurement], in run: URL) -> Double? {
            number(measurements.last(of: name), name, in: run)
        }
        let configuration = try RunFolder.configuration(at: sft, expecting: [.supervised])
        func seconds(_ run: URL) throws -> Double? { try ReportModels.seconds(of: run, note: listener.note) }
        let drawing = try ([sftSamples] + [ppo, preference].compactMap { $0?.samples }).map(seconds)
        let times = try Summary.Seconds(
            sft: seconds(sft), rm: seconds(rm), ppo: ppo.map { try seconds($0.run) } ?? 0,
            bon: drawing.contains(nil) ? nil : drawing.reduce(0) { $0 + ($1 ?? 0) },
            diversity: start.duration(to: .now) / .seconds(1),
            total: runs.totalSeconds ?? .nan, preference: preference.flatMap { try seconds($0.run) })
        var summary = Summary(
            dataset: Self.dataset(configuration), seconds: times,
            sft: Summary.Supervised(
                firstLoss: supervised.first(of: "validation_loss"), lastLoss: supervised.last(of: "loss"),
                validationLoss: last("validation_loss", supervised, in: sft),
                oodValidationLoss: last("ood_validation_loss", supervised, in: sft)),
            rm: Summary.RewardModel(
                accuracyID: last("validation_accuracy", reward, in: rm), accuracyOOD: last("ood_validation_accuracy", reward, in: rm)),
            systems: systems)
        // an interrupted pipeline knows only the seconds of its last session, and the system clock may jump
        let sum =
            [times.sft, times.rm, times.ppo, times.preference].reduce(times.diversity) { $0 + ($1 ?? 0) }
            + drawing.reduce(0) { $0 + ($1 ?? 0) }
        summary.seconds.total = max(sum, runs.totalSeconds.map { $0.isFinite ? $0 : 0 } ?? 0)
        let folder = URL(fileURLWithPath: runs.summaryDir ?? measuring.outputDir, isDirectory: true)
        try Folder.make(folder)
        try summary.write(to: folder)
        listener.show(summary.terminalText)
    }

    /// The name of the data set that a run was made with; `unknown` without a configuration.
    static func dataset(_ configuration: RunConfiguration?) -> String {
        guard let configuration else { return "unknown" }
        return RunDataset(configuration).name
    }

    /// The display name of a policy optimisation method other than PPO, from the run's options; nil for PPO.
    static func policyName(_ run: URL) throws -> String? {
        let options = try RunFolder.configuration(at: run, expecting: [.policy])?.options ?? [:]
        if case .string? = options["distil_best_of_n"] { return "distilled best-of-N" }
        guard case .string(let advantage)? = options["advantage"], !["gae", "vtrace"].contains(advantage) else { return nil }
        return advantage == "remax" ? "ReMax" : advantage.uppercased()
    }

    /// The display name of a preference optimisation method, from the run's loss.
    static func preferenceName(_ run: URL) throws -> String {
        let options = try RunFolder.configuration(at: run, expecting: [.preference])?.options ?? [:]
        guard case .string(let loss)? = options["loss"], loss != "sigmoid" else { return "DPO" }
        // abbreviations are written in capitals, other names as in the option
        return ["ipo", "kto", "cpo", "orpo", "exo_pair", "nca_pair", "bco_pair", "apo_zero", "apo_down"].contains(loss)
            ? loss.split(separator: "_").enumerated().map { $0 == 0 ? $1.uppercased() : String($1) }.joined(separator: " ")
            : loss == "simpo" ? "SimPO" : loss
    }

    /// A policy's run and its samples; nil if neither is named.
    private func policy(_ run: String?, _ samples: String?, _ option: String, _ stage: RunStage) throws -> (run: URL, samples: URL)? {
        guard run != nil || samples != nil else { return nil }
        return (try locate(run, "--\(option)-run", stage), try locate(samples, "--\(option)-samples-run", .bestOfN))
    }

    private func locate(_ name: String?, _ option: String, _ stage: RunStage) throws -> URL {
        guard let name else { throw InvalidSetting("a comparison needs \(option)") }
        let url = try RunFolder.run(
            named: name, in: URL(fileURLWithPath: measuring.outputDir, isDirectory: true), expecting: [stage])
        guard try RunFolder.isFinished(url) else { throw RunFolderError.unfinished(path: url.path) }
        return url
    }

    /// Checks that samples come from the expected run. Adds a note if that cannot be determined.
    /// - Throws: `InvalidSetting` if the samples are known to come from another run.
    private func checkModel(
        of samples: URL, _ samplesOption: String, is run: URL, _ option: String, _ note: (String) -> Void
    ) throws {
        guard let model = try SampledModel(ofSamples: samples) else { return }
        switch try model.isResult(of: run) {
        case true?: return
        case false? where try model.isRun:
            throw InvalidSetting(
                "\(samples.path) has samples of \(model.folder?.path ?? model.named), not of \(run.path); \(samplesOption) needs samples of "
                    + "\(option)")
        default: note("\(samples.path) has samples of \(model.named); cannot check whether that model is \(run.path) (\(option))")
        }
    }

    /// Adds a note if the policy and the supervised model answered different prompts.
    /// - Throws: `InvalidSetting` if they have no prompt in common.
    private func notePrompts(of samples: URL, _ base: URL, _ note: (String) -> Void) throws {
        for table in ["test", "ood_test"] {
            guard try table == "test" || Self.hasTable(table, inRun: samples) && Self.hasTable(table, inRun: base) else { continue }
            let (own, other) = (
                Set(try Tables.read(table, inRun: samples).map(\.input)), Set(try Tables.read(table, inRun: base).map(\.input))
            )
            guard own != other else { continue }
            let (file, baseFile) = (Tables.file(of: table, inRun: samples).path, Tables.file(of: table, inRun: base).path)
            let common = own.intersection(other).count
            // a table without rows is reported as an error later
            guard common > 0 || own.isEmpty || other.isEmpty else {
                throw InvalidSetting(
                    "\(file) has none of the \(Counted(other.count, "prompt")) of \(baseFile); a comparison needs answers to the same prompts"
                )
            }
            note("\(file) has \(common) of the \(Counted(other.count, "prompt")) of \(baseFile)")
        }
    }

    /// Adds a note if a policy was trained from another model than the supervised one that it is compared with.
    private func noteStart(of policy: URL, _ sft: URL, _ note: (String) -> Void) throws {
        guard let model = try SampledModel(ofSamples: policy), try model.isResult(of: sft) == false else { return }
        note("\(policy.path) was trained from \(model.named), not from \(sft.path) (--sft-run)")
    }

    /// Warns where two runs of samples were scored by different rewards.
    private func noteReward(of samples: URL, _ base: URL, _ note: (String) -> Void) throws {
        guard let own = try SampleReward(ofSamples: samples), let other = try SampleReward(ofSamples: base), try own.differs(from: other)
        else { return }
        note(
            "\(samples.path) was scored by \(own), \(base.path) by \(other): their rewards are on different scales and must not be compared; "
                + "score both by one reward model (rlhf-report score, or --rf-model-dir of sample-best-of-n)")
    }

    /// Whether a run has sampled a table. False only if the run itself does not claim to have it: a table that was lost is an error later.
    private static func hasTable(_ table: String, inRun run: URL) throws -> Bool {
        struct Complete: Decodable { var splits: [String] }
        if try Tables.names(inRun: run).contains(table) { return true }
        let file = run.appendingPathComponent("final/complete.json")
        guard try FileStatus.of(file) != nil else { return false }
        return try JSONDecoder().decode(Complete.self, from: Foundation.Data(contentsOf: file)).splits.contains(table)
    }

    /// The scores of one system on one split, from a table of a run. Every prompt has the same weight, however often it was
    /// answered, and the bootstrap resamples prompts.
    /// - Parameter note: receives a line about each score that the table does not allow.
    private func scores(
        of table: String, inRun folder: URL, _ encoder: (any TextEncoder)?, _ note: (String) -> Void
    ) throws -> Summary.Scores {
        let rows = try MeasuredTable.rows(table, inRun: folder)
        var order: [String] = []
        var groups: [String: [SampleRow]] = [:]
        for row in rows {
            if groups[row.id] == nil { order.append(row.id) }
            groups[row.id, default: []].append(row)
        }
        let prompts = order.compactMap { groups[$0] }
        var random = Philox(seed: measuring.seed).split("comparison")
        var leftOut: [String: Int] = [:]
        func interval(_ column: String, _ value: (SampleRow) -> Double?) throws -> Interval {
            let values = prompts.map { $0.compactMap(value) }
            let missing = rows.count - values.reduce(0) { $0 + $1.count }
            if missing > 0 { leftOut[column] = missing }
            guard values.contains(where: { !$0.isEmpty }) else {
                throw ResultError.missingColumn(column, table: table, path: folder.path)
            }
            return Bootstrap.meanOfMeans(of: values, using: &random)
        }
        let gold = GoldScore(lengthWeight: runs.lengthWeight)
        let rouge = ROUGE.Standard(stems: true)
        var config = DiversityConfig()
        config.metrics = ["ead_averaged_distinct_ngrams"]
        config.plan.overall = false
        config.seed = measuring.seed
        let report = try DiversityMeasurement.run(DiversityInput(tables: [rows]), config: config)
        let embedding = try encoder.flatMap { encoder -> DiversityAggregate? in
            // a mean over pairs does not depend on the number of outputs, so 16 per input suffice; encoding all would take
            // minutes
            config.metrics = ["sent_bert_from_sim"]
            config.limitOutputs = 16
            return try DiversityMeasurement.run(
                DiversityInput(tables: [rows]), config: config, models: DiversityModels(encoder: encoder)
            )["sent_bert_from_sim"]?.values
        }
        let ead = report["ead_averaged_distinct_ngrams"]?.values
        if ead?.perInput == nil {
            note(
                "the table \(table) of \(folder.path) has one response to each input: its per-input diversity is left out. To get it, sample "
                    + "with --groups 2 or more" + (table.hasSuffix("_best_of_n") ? "" : ", or --num-return-sequences 2 or more"))
        }
        let hasReferences = rows.contains { $0.reference != nil }
        if !hasReferences { note("\(folder.path) has no references: ROUGE-L and gold score are left out") }
        var scores = Summary.Scores(
            reward: try interval("reward", \.reward),
            rougeL: hasReferences
                ? try interval("reference") { row in row.reference.map { rouge.score(row.response, reference: $0).rougeL.f } } : nil,
            gold: hasReferences
                ? try interval("reference") { row in row.reference.map { gold.score(row.response, reference: $0) } } : nil,
            lengthTokens: try interval("tokens") { $0.numbers["tokens"] }.mean,
            eosShare: try interval("ended") { $0.numbers["ended"] }.mean,
            // for best-of-N of the supervised model, the KL bound of selecting among N samples, whatever reference model the samples
            // were measured against
            kl: try rows.first?.numbers["n"].map { BestOfN.kl(claimed: $0) }
                ?? (rows.contains { $0.numbers["kl"] != nil } ? interval("kl") { $0.numbers["kl"] }.mean : 0),
            perInputEAD: ead?.perInput?.mean,
            acrossInputEAD: ead?.acrossInputs?.intervalOrPoint,
            perInputEmbedding: embedding?.perInput?.mean,
            acrossInputEmbedding: embedding?.acrossInputs?.intervalOrPoint)
        scores.leftOut = leftOut.isEmpty ? nil : leftOut
        return scores
    }
}

extension DiversityAggregate.AcrossInputs {
    /// The interval; with too few inputs for an interval, the mean as its own bounds.
    fileprivate var intervalOrPoint: Interval { interval ?? Interval(mean: mean, low: mean, high: mean) }
}
