/// Chooses metrics by name from a catalogue: ``DiversityMetricKind/builtIn``, or any other array of kinds.
public enum MetricCatalogue {
    private static let lengthControlPrefix = "length_controlled_"

    /// The names of the built-in metrics. Each also exists in a length-controlled variant, with the prefix
    /// `length_controlled_`.
    public static let names = DiversityMetricKind.builtIn.map(\.name)

    /// Expands a list of metric names: each name once, in the order of the list, with `all` replaced by the names of all kinds.
    ///
    /// - Throws: ``DiversityError/unknownMetrics(_:known:)``, which lists the known names, for an unknown name or an empty
    ///   list; ``DiversityError/nameTaken(_:)`` if a kind's name is empty, reserved or used twice.
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

    /// Creates the metrics that a configuration chooses.
    ///
    /// - Parameters:
    ///   - config: the names and options of the metrics.
    ///   - models: the available models.
    ///   - commonLength: the length in words for length-controlled metrics.
    ///   - known: what is known about the texts, for metrics that need more than texts.
    ///   - kinds: the catalogue to choose from.
    /// - Returns: the metrics, and the names that `all` left out because something they need is missing (see
    ///   ``missing(_:config:models:known:)``). A metric that compares systems is never among the metrics, and is among the
    ///   names only if there are several systems.
    /// - Throws: ``DiversityError`` for an unknown name, and for a metric requested by name whose requirements are not met.
    public static func metrics(
        _ config: DiversityConfig, models: DiversityModels, commonLength: Int, known: KnownFacts = KnownFacts(),
        from kinds: [DiversityMetricKind] = DiversityMetricKind.builtIn
    ) throws -> (metrics: [any DiversityMetric], withoutModel: [String]) {
        let byName = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
        var chosen: [any DiversityMetric] = []
        var withoutModel: [String] = []
        for name in try names(chosenBy: config.metrics, from: kinds) {
            let isControlled = byName[name] == nil
            guard let kind = byName[isControlled ? String(name.dropFirst(lengthControlPrefix.count)) : name] else { continue }
            guard kind.missing(config, models, known) == nil, let base = try kind.make(config, models) else {
                guard let what = missing(kind, config: config, models: models, known: known) else { continue }
                guard config.metrics.contains(name) else {
                    // metrics between systems are not reported as left out when only one system is measured
                    if !kind.isBetweenSystems || known.systems > 1 { withoutModel.append(name) }
                    continue
                }
                throw DiversityError.modelMissing(metric: name, model: what)
            }
            guard base.name == kind.name else {
                throw DiversityError.metricFailed(name: name, reason: "its kind created the metric \(base.name)")
            }
            if !isControlled { chosen.append(base) }
            let both = config.lengthControl && !config.metrics.contains(lengthControlPrefix + name)
            if isControlled || both { chosen.append(LengthControlledMetric(base, words: commonLength)) }
        }
        return (chosen, withoutModel)
    }

    /// What each left-out metric needs, by metric name; for a missing model, the text also names the option that provides it.
    static func needs(
        _ names: [String], config: DiversityConfig, models: DiversityModels, known: KnownFacts, from kinds: [DiversityMetricKind]
    ) -> [String: String]? {
        let options = [
            "a sentence encoder": "--embedding-model", "an embedding service": "--embedding-service-url",
            "a natural language inference model": "--nli-model",
        ]
        var needs: [String: String] = [:]
        for name in names {
            let base = name.hasPrefix(lengthControlPrefix) ? String(name.dropFirst(lengthControlPrefix.count)) : name
            guard let kind = kinds.first(where: { $0.name == name || $0.name == base }) else { continue }
            let what = missing(kind, config: config, models: models, known: known)
            needs[name] = what.map { what in options[what].map { "\(what) (\($0))" } ?? what }
        }
        return needs.isEmpty ? nil : needs
    }

    /// What a kind needs that is not available, worded as the end of "needs …"; nil if nothing is missing.
    public static func missing(_ kind: DiversityMetricKind, config: DiversityConfig, models: DiversityModels, known: KnownFacts) -> String?
    {
        if let what = kind.missing(config, models, known) { return what }
        if kind.isBetweenSystems { return nil }
        return (try? kind.make(config, models)) == nil ? kind.model ?? "a model" : nil
    }
}

/// What is known about the texts of a measurement, which determines the metrics that can be measured.
public struct KnownFacts: Sendable, Equatable {
    /// Whether any output has a reward.
    public var hasRewards = false
    /// Whether any output has a log-probability.
    public var hasLogProbs = false
    /// Whether any input has a reference.
    public var hasReferences = false
    /// The number of systems measured together.
    public var systems = 1

    /// Texts without rewards, log-probabilities or references, of a single system.
    public init() {}

    /// Summarises the facts about one system's texts when `systems` systems are measured.
    public init(_ facts: AnswerFacts, systems: Int = 1) {
        (hasRewards, hasLogProbs, hasReferences) = (facts.hasRewards, facts.hasLogProbs, facts.hasReferences)
        self.systems = systems
    }
}
