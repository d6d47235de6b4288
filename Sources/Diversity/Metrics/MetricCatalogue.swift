/// Chooses metrics by name out of a catalogue, an array of kinds: ``DiversityMetricKind/builtIn``, with others or without.
public enum MetricCatalogue {
    private static let lengthControlPrefix = "length_controlled_"

    /// The names of the built-in metrics, without the length-controlled variants; each also exists with `length_controlled_` before it.
    public static let names = DiversityMetricKind.builtIn.map(\.name)

    /// The exact names that a list stands for, each once, in the list's order; `all` stands for every kind.
    ///
    /// - Throws: ``DiversityError/unknownMetrics(_:known:)`` that lists what is known; ``DiversityError/nameTaken(_:)`` for two kinds of
    ///   one name.
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
    ///   - known: what is known of the texts, for metrics that need more than texts.
    /// - Returns: the metrics, and the names that `all` left out for want of a model, or of something else that
    ///   ``missing(_:config:models:known:)`` names. Metrics that compare systems are neither.
    /// - Throws: for unknown names, and for metrics asked for by name whose model is missing.
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
                    // of a single system nobody expects to be compared with others
                    if !kind.isBetweenSystems || known.systems > 1 { withoutModel.append(name) }
                    continue
                }
                throw DiversityError.modelMissing(metric: name, model: what)
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

    /// What metrics that were left out need, by their names; the words of those that need a model alone say which option names it.
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

    /// What a kind needs that is not there, as the end of "needs …"; nil where nothing is missing.
    public static func missing(_ kind: DiversityMetricKind, config: DiversityConfig, models: DiversityModels, known: KnownFacts) -> String?
    {
        if let what = kind.missing(config, models, known) { return what }
        if kind.isBetweenSystems { return nil }
        return (try? kind.make(config, models)) == nil ? kind.model ?? "a model" : nil
    }
}

/// What is known of the texts of a measurement, which decides on the metrics that can be measured.
public struct KnownFacts: Sendable, Equatable {
    /// Whether any output has a reward.
    public var hasRewards = false
    /// Whether any output has a log-probability.
    public var hasLogProbs = false
    /// Whether any input has a reference.
    public var hasReferences = false
    /// How many systems are measured together.
    public var systems = 1

    /// Texts alone.
    public init() {}

    /// What is known of texts of one of so many systems.
    public init(_ facts: AnswerFacts, systems: Int = 1) {
        (hasRewards, hasLogProbs, hasReferences) = (facts.hasRewards, facts.hasLogProbs, facts.hasReferences)
        self.systems = systems
    }
}
