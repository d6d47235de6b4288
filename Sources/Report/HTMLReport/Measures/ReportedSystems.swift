package import Eval
package import Foundation
import Formats

/// The systems of a comparison, and the source of their numbers.
package struct ReportedSystems: Sendable {
    /// One system in and out of distribution. Metrics that were not measured are absent; a number without an interval has one
    /// of zero width.
    package struct System: Sendable {
        /// The name of the system.
        package var name: String
        /// The method: systems of one method form one line in pictures. Nil for a system without a method.
        package var method: String?
        /// Metrics in distribution.
        package var id: [Experiment.Metric: Interval] = [:]
        /// Metrics out of distribution.
        package var ood: [Experiment.Metric: Interval] = [:]
        /// The number of prompts that were measured; nil if unknown.
        package var promptsID, promptsOOD: Int?

        /// Creates a system without measurements.
        package init(name: String, method: String? = nil) { (self.name, self.method) = (name, method) }
    }

    /// The data set.
    package var dataset: String
    /// The source of the numbers and the type of the intervals, in one or two sentences.
    package var source: String
    /// The systems; the base, which the others started from, is first.
    package var systems: [System]

    /// Creates a comparison.
    package init(dataset: String, source: String, systems: [System]) {
        (self.dataset, self.source, self.systems) = (dataset, source, systems)
    }
}

/// A type of file with a comparison of systems, stored next to runs.
package struct SystemsFile: Sendable {
    /// The file name.
    package var name: String
    /// Reads the comparison from a folder.
    package var read: @Sendable (URL) throws -> ReportedSystems

    /// All types of files, in order of preference: of a folder with several, the first is used.
    package static let all: [SystemsFile] = [
        SystemsFile(name: "methods.json") { folder in
            let study: MethodStudy = try decoded("methods.json", in: folder)
            let source =
                "Values from methods.json in \(folder.lastPathComponent), over \(Counted(study.seeds.count, "seed")). "
                + "Intervals are 95 % intervals "
                + "over seeds and prompts."
            return ReportedSystems(
                dataset: study.dataset, source: source,
                systems: study.systems.map { system in
                    var result = ReportedSystems.System(
                        name: system.strength.map { "\(system.method), \($0)" } ?? system.method, method: system.method)
                    (result.id, result.ood) = (system.id.mapValues(interval), system.ood.mapValues(interval))
                    return result
                })
        },
        SystemsFile(name: "experiment.json") { folder in
            let experiment: Experiment = try decoded("experiment.json", in: folder)
            let source =
                "Values from experiment.json in \(folder.lastPathComponent), over \(Counted(experiment.seeds.count, "seed")). "
                + "Intervals are 95 % "
                + "intervals over seeds and prompts."
            return ReportedSystems(
                dataset: experiment.dataset, source: source,
                systems: experiment.systems.map { system in
                    var result = ReportedSystems.System(name: system.name)
                    (result.id, result.ood) = (system.id.mapValues(interval), system.ood.mapValues(interval))
                    return result
                })
        },
        SystemsFile(name: "summary.json") { folder in
            let summary = try Summary.read(from: folder)
            return ReportedSystems(
                dataset: summary.dataset,
                source: "Values from summary.json in \(folder.lastPathComponent). Intervals are 95 % bootstrap intervals over prompts.",
                systems: summary.systems.named.map { name, system in
                    var result = ReportedSystems.System(name: name)
                    (result.id, result.ood) = (scores(system.id), system.ood.map(scores) ?? [:])
                    return result
                })
        },
    ]

    private static func interval(_ estimate: Experiment.Estimate) -> Interval {
        Interval(mean: estimate.mean, low: estimate.low, high: estimate.high)
    }

    private static func scores(_ scores: Summary.Scores) -> [Experiment.Metric: Interval] {
        func number(_ value: Double) -> Interval { Interval(mean: value, low: value, high: value) }
        var result: [Experiment.Metric: Interval] = [
            .reward: scores.reward, .kl: number(scores.kl), .lengthTokens: number(scores.lengthTokens), .eosShare: number(scores.eosShare),
        ]
        (result[.rougeL], result[.gold]) = (scores.rougeL, scores.gold)
        (result[.perInputEAD], result[.acrossInputEAD]) = (scores.perInputEAD, scores.acrossInputEAD)
        result[.perInputEmbedding] = scores.perInputEmbedding
        result[.acrossInputEmbedding] = scores.acrossInputEmbedding
        return result
    }

    private static func decoded<Value: Decodable>(_ name: String, in folder: URL) throws -> Value {
        let url = folder.appendingPathComponent(name)
        let content = Foundation.Data(try Descriptor.content(of: url.path, limit: 256 << 20))
        do {
            return try JSONDecoder().decode(Value.self, from: content)
        } catch {
            throw FileError.damaged(path: url.path, problem: "it does not have the format that rlhf-report writes")
        }
    }
}
