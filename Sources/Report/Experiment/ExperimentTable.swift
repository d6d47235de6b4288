import Diversity
import Eval
internal import Formats
package import Foundation
import Runs
public import Study

/// Makes the table of an experiment, from the run folders of its seeds.
///
///     DIR/seed-…/sft                 the supervised run
///     DIR/seed-…/rm                  the reward model's run
///     DIR/seed-…/bon                 the best-of-N run on the supervised model; its single samples measure the model itself
///     DIR/seed-…/samples-LABEL       samples of a policy; any number of them, with the same labels in each seed
public struct ExperimentTable: ReportTask {
    /// The experiment, and how it is measured.
    public var experiment = ExperimentSettings()
    /// The seed and the number of threads for measuring.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<ExperimentTable>] { [.init(\.experiment), .init(\.measuring)] }

    /// Measures every system, and writes `experiment.json` and `experiment.md` into the experiment's folder.
    /// - Throws: `InvalidSetting` for seeds that differ in their policies or are copies; `RunFolderError`; `FileError`;
    ///   `ResultError`.
    public func run(_ listener: ReportListener) throws {
        try validate()
        let folder = URL(fileURLWithPath: experiment.experimentDir, isDirectory: true)
        try measuring.computing {
            let found = try read(folder, listener)
            try found.write(to: folder)
            listener.show(found.terminalText)
        }
    }

    private static let policyPrefix = "samples-"

    /// Measures the experiment in a folder.
    package func read(_ folder: URL, _ listener: ReportListener = ReportListener()) throws -> Experiment {
        let seeds = try Self.folders(in: folder, prefix: "seed-")
        guard let first = seeds.first else {
            throw InvalidSetting(
                "\(folder.path) has no folders seed-…; --experiment-dir must be a folder that Examples/Experiment wrote"
            )
        }
        func runs(_ seed: String) -> URL { folder.appendingPathComponent(seed, isDirectory: true) }
        let labels = try Self.folders(in: runs(first), prefix: Self.policyPrefix)
        for seed in seeds {
            let other = try Self.folders(in: runs(seed), prefix: Self.policyPrefix)
            guard other == labels else {
                throw InvalidSetting(
                    "\(first) has the policies \(labels.joined(separator: ", ")), but \(seed) has "
                        + "\(other.joined(separator: ", ")); run the experiment again to complete it")
            }
        }
        let copies = try SeedCopies.find(
            seeds.map { ($0.replacing("seed-", with: ""), runs($0).appendingPathComponent("bon")) }, ["test", "ood_test"])
        if let (seed, copy) = copies.min(by: { $0.key < $1.key }) {
            throw InvalidSetting(
                "seed-\(seed) is a copy of seed-\(copy.original): \(copy.reason); remove the copy, which would count as another seed")
        }
        func finished(_ name: String, _ stage: RunStage) throws -> [URL] {
            try seeds.map { seed in
                let url = try RunFolder.run(named: name, in: runs(seed), expecting: [stage])
                guard try RunFolder.isFinished(url) else { throw RunFolderError.unfinished(path: url.path) }
                if stage == .bestOfN, let model = try SampledModel(ofSamples: url), let other = try model.foreignSeed(than: runs(seed)) {
                    throw InvalidSetting(
                        "\(url.path) has samples of \(model.named), which is a run of \(other); draw samples from the same seed's model")
                }
                return url
            }
        }
        let (supervised, rewards) = (try finished("sft", .supervised), try finished("rm", .rewardModel))
        let samples = try finished("bon", .bestOfN)
        let policies = try labels.map { (label: $0, runs: try finished($0, .bestOfN)) }

        let encoder = try experiment.embeddingModel.map { try ReportModels.encoder($0, option: "--embedding-model", note: listener.note) }
            .map { RememberingEncoder($0) }
        func system(_ name: String, _ runs: [URL], _ table: (String) -> String) throws -> MeasuredSystem {
            func split(_ split: String) throws -> [SystemMeasurement] {
                try runs.map { run in
                    let rows = try MeasuredTable.rows(table(split), inRun: run)
                    return try SystemMeasurement(rows, gold: GoldScore(lengthWeight: experiment.lengthWeight), seed: measuring.seed) {
                        try encoder.map { try SystemMeasurement.embeddingSpread(of: rows, by: $0, seed: measuring.seed) }
                    }
                }
            }
            listener.note("measuring \(name)")
            return MeasuredSystem(name: name, id: try split("test"), ood: try split("ood_test"))
        }
        let base = try system("SFT", samples) { $0 }
        var systems = [base, try system("best-of-N", samples) { "\($0)_best_of_n" }]
        for (label, runs) in policies {
            let name = label.dropFirst(Self.policyPrefix.count).split(separator: "-").joined(separator: " ")
            systems.append(try system("PPO \(name)", runs) { $0 })
        }
        let configuration = try RunFolder.configuration(at: supervised[0], expecting: [.supervised])
        let everything = try seeds.flatMap { seed in
            try Self.folders(in: runs(seed), prefix: "").map { runs(seed).appendingPathComponent($0) }
        }
        var result = Experiment(
            dataset: PipelineComparison.dataset(configuration), seeds: seeds.map { String($0.dropFirst("seed-".count)) },
            seconds: try everything.reduce(0) { try $0 + (ReportModels.seconds(of: $1, note: listener.note) ?? 0) },
            supervisedLoss: try Self.pair("validation_loss", "ood_validation_loss", supervised, in: .notNegative),
            rewardModelAccuracy: try Self.pair("validation_accuracy", "ood_validation_accuracy", rewards, in: .share),
            systems: systems.map { $0.system(against: $0.name == base.name ? nil : base) })
        let leftOut = systems.flatMap { $0.leftOut(seeds: result.seeds) }
        result.leftOut = leftOut.isEmpty ? nil : leftOut
        return result
    }

    /// The names of the folders with a prefix, sorted by the number at the end of the name and then by name.
    static func folders(in folder: URL, prefix: String) throws -> [String] {
        func number(_ name: String) -> Double { name.split(separator: "-").last.flatMap { Double($0) } ?? .infinity }
        return try Folder.names(in: folder.path).filter { name in
            guard name.hasPrefix(prefix), !name.hasPrefix(".") else { return false }
            return try FileStatus.of(folder.appendingPathComponent(name))?.kind == .folder
        }.sorted { (number($0), $0) < (number($1), $1) }
    }

    /// The last values of two metrics in the runs of all seeds, and their difference. The interval is based on the variation
    /// between seeds. Nil if a run lacks a metric.
    static func pair(_ id: String, _ ood: String, _ runs: [URL], in range: MetricRange) throws -> Experiment.Pair? {
        func values(_ name: String) throws -> SeedValues? {
            let found = try runs.compactMap { try MetricsFile.read(inRun: $0).last(of: name) }
            return found.count == runs.count ? SeedValues(seeds: found) : nil
        }
        guard !runs.isEmpty, let inside = try values(id), let outside = try values(ood) else { return nil }
        return .init(
            id: inside.estimate(in: range), ood: outside.estimate(in: range),
            gap: inside.minus(outside).estimate(in: range.minus(range)))
    }
}
