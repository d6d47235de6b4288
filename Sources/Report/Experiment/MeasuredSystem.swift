import Eval
import Formats

/// The measurements of one system in all seeds.
struct MeasuredSystem {
    var name: String
    var id, ood: [SystemMeasurement]

    /// Lines about responses that lack a metric, one per seed, distribution and metric.
    func leftOut(seeds: [String]) -> [String] {
        [("id", id), ("ood", ood)].flatMap { data, measured in
            zip(seeds, measured).flatMap { seed, measurement in
                Experiment.Metric.allCases.compactMap { metric in
                    measurement.leftOut[metric].map {
                        "\(name), \(data), seed \(seed): \(Counted($0, "response")) without \(metric.title) left out"
                    }
                }
            }
        }
    }

    /// The estimates of the system, and those of the difference to a base.
    func system(against base: MeasuredSystem?) -> Experiment.System {
        var result = Experiment.System(name: name, id: [:], ood: [:], gap: [:], changeID: [:], changeOOD: [:])
        for metric in Experiment.Metric.allCases {
            let (inside, outside) = (Self.values(id, metric), Self.values(ood, metric))
            let (range, differences) = (metric.range, metric.range.minus(metric.range))
            result.id[metric] = inside?.estimate(in: range)
            result.ood[metric] = outside?.estimate(in: range)
            if let inside, let outside { result.gap[metric] = inside.minus(outside).estimate(in: differences) }
            guard let base else { continue }
            result.changeID[metric] = Self.values(id, metric, minus: base.id)?.estimate(in: differences)
            result.changeOOD[metric] = Self.values(ood, metric, minus: base.ood)?.estimate(in: differences)
        }
        return result
    }

    /// The values of a metric in all seeds, optionally minus those of a base. Nil if a seed lacks the metric.
    static func values(
        _ measured: [SystemMeasurement], _ metric: Experiment.Metric, minus base: [SystemMeasurement]? = nil
    ) -> SeedValues? {
        let cells = measured.compactMap { $0.prompts[metric] }
        if cells.count == measured.count {
            let other = base?.compactMap { $0.prompts[metric] }
            guard other.map({ $0.count == cells.count }) ?? true else { return nil }
            return SeedValues(cells, minus: other)
        }
        let across = measured.compactMap { $0.across[metric] }
        guard across.count == measured.count else { return nil }
        guard let base else { return SeedValues(across) }
        let other = base.compactMap { $0.across[metric] }
        // diversities over different numbers of inputs are not comparable
        guard zip(across, other).allSatisfy({ $0.inputs == $1.inputs }) else { return nil }
        return other.count == across.count ? SeedValues(across).minus(SeedValues(other)) : nil
    }
}
