import Data
import Diversity
import Eval
import Foundation
import Tensor
import Train

extension ReportedSystems {
    /// Measures what can be measured quickly from samples: reward, KL, length, the fraction with an end-of-sequence token, and
    /// EAD diversity.
    /// - Parameters:
    ///   - samples: tables of several systems, in the order of the systems.
    ///   - dataset: the name of the data set.
    ///   - seed: the seed of bootstrap resampling.
    ///   - note: receives notes on what could not be measured.
    package init(measuring samples: [ReportContent.Sample], dataset: String, seed: UInt64, note: (String) -> Void) {
        self.init(
            dataset: dataset,
            source: "Measured from the tables of samples. Intervals are 95 % bootstrap intervals over prompts.", systems: [])
        for sample in samples {
            if !systems.contains(where: { $0.name == sample.system }) { systems.append(System(name: sample.system)) }
            guard let place = systems.firstIndex(where: { $0.name == sample.system }) else { continue }
            // of several splits the last one is kept: test follows validation
            let values = Self.values(of: sample, seed: seed, note: note)
            let prompts = Set(sample.rows.map(\.id)).count
            if sample.isOutOfDistribution {
                (systems[place].ood, systems[place].promptsOOD) = (values, prompts)
            } else {
                (systems[place].id, systems[place].promptsID) = (values, prompts)
            }
        }
    }

    private static func values(
        of sample: ReportContent.Sample, seed: UInt64, note: (String) -> Void
    ) -> [Experiment.Metric: Interval] {
        var groups: [String: [SampleRow]] = [:]
        for row in sample.rows { groups[row.id, default: []].append(row) }
        let prompts = groups.sorted { $0.key < $1.key }.map(\.value)
        var random = Philox(seed: seed).split("report")
        func interval(_ value: (SampleRow) -> Double?) -> Interval? {
            let values = prompts.map { $0.compactMap(value).filter(\.isFinite) }
            guard values.contains(where: { !$0.isEmpty }) else { return nil }
            return Bootstrap.meanOfMeans(of: values, using: &random)
        }
        var result: [Experiment.Metric: Interval] = [:]
        result[.reward] = interval(\.reward)
        result[.lengthTokens] = interval { $0.numbers["tokens"] }
        result[.eosShare] = interval { $0.numbers["ended"] }
        // for best-of-N, the KL of selecting among N samples; it is relative to the sampled model, so that for the best samples of
        // another model the KL from the reference model is unknown
        result[.kl] = interval { row in
            guard let n = row.numbers["n"] else { return row.numbers["kl"] }
            return sample.isOfReference && n >= 1 ? BestOfN.kl(claimed: n) : nil
        }
        // the base itself has a KL of 0
        if result[.kl] == nil, sample.isBase { result[.kl] = Interval(mean: 0, low: 0, high: 0) }
        guard prompts.contains(where: { $0.count > 1 }) else { return result }
        do {
            var config = DiversityConfig()
            config.metrics = ["ead_averaged_distinct_ngrams"]
            config.plan.overall = false
            config.seed = seed
            let report = try DiversityMeasurement.run(DiversityInput(tables: [sample.rows]), config: config)
            let measured = report["ead_averaged_distinct_ngrams"]?.values
            result[.perInputEAD] = measured?.perInput?.mean
            if let across = measured?.acrossInputs {
                result[.acrossInputEAD] = across.interval ?? Interval(mean: across.mean, low: across.mean, high: across.mean)
            }
        } catch {
            note("\(sample.system), \(sample.split): diversity cannot be measured: \(error)")
        }
        return result
    }
}

extension ReportContent.Sample {
    /// Whether the prompts are out of distribution, judged by the name of the split.
    package var isOutOfDistribution: Bool { split.contains("ood_") || split.hasPrefix("ood") }
}
