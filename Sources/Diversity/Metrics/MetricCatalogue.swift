/// Chooses metrics by name out of a catalogue, an array of kinds: ``DiversityMetricKind/builtIn``, with others or without.
public enum MetricCatalogue {
    private static let lengthControlPrefix = "length_controlled_"

    /// The names of the built-in metrics, without the length-controlled variants; each also exists with `length_controlled_` before it.
    public static let names = DiversityMetricKind.builtIn.map(\.name)

    /// The exact names that a list stands for, each once, in the list's order; `all` stands for every kind.
    ///
    /// - Throws: ``DiversityError/unknownMetrics(_:known:)`` that lists what is known; ``DiversityError/nameTaken(_:)`` for two kinds of one
    ///   name.
    public static func names(
        chosenBy list: [String], from kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn
    ) throws -> [String] {
        let names = kinds.map(\.name)
        var known: Set<String> = ["all", ""]
        for name in names + names.map({ lengthControlPrefix + $0 }) where !known.insert(name).inserted {
            throw DiversityError.nameTaken(name)
        }
        let unknown = list.filter { $0.isEmpty || !known.contains($0) }
        guard unknown.isEmpty else { throw DiversityError.unknownMetrics(unknown, known: ["all"] + names) }
        guard !list.isEmpty else { throw DiversityError.unknownMetrics(["(none)"], known: ["all"] + names) }
        var seen: Set<String> = []
        return list.flatMap { $0 == "all" ? names : [$0] }.filter { seen.insert($0).inserted }
    }

    /// The metrics a configuration chooses.
    ///
    /// - Parameters:
    ///   - commonLength: the length in words for the length-controlled metrics.
    ///   - kinds: what there is to choose from.
    /// - Returns: the metrics, and the names that `all` left out for want of a model.
    /// - Throws: for unknown names, and for metrics asked for by name whose model is missing.
    public static func metrics(
        _ config: DiversityConfig, models: DiversityModels, commonLength: Int,
        from kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn
    ) throws -> (metrics: [any DiversityMetric], withoutModel: [String]) {
        let byName = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
        var chosen: [any DiversityMetric] = []
        var withoutModel: [String] = []
        for name in try names(chosenBy: config.metrics, from: kinds) {
            let isControlled = byName[name] == nil
            guard let kind = byName[isControlled ? String(name.dropFirst(lengthControlPrefix.count)) : name] else { continue }
            guard let base = try kind.make(config, models) else {
                guard config.metrics.contains(name) else {
                    withoutModel.append(name)
                    continue
                }
                throw DiversityError.modelMissing(metric: name, model: kind.model ?? "a model")
            }
            guard base.name == kind.name else {
                throw DiversityError.metricFailed(name: name, reason: "its kind makes a metric of another name, \(base.name)")
            }
            if !isControlled { chosen.append(base) }
            let both = config.lengthControl && !config.metrics.contains(lengthControlPrefix + name)
            if isControlled || both { chosen.append(LengthControlledMetric(base, words: commonLength)) }
        }
        return (chosen, withoutModel)
    }
}
