/// The result of a diversity measurement, as `diversity.json` stores it.
public struct DiversityReport: Codable, Sendable, Equatable {
    /// What was asked for.
    public var config: DiversityConfig
    /// Number of inputs with outputs.
    public var inputs: Int
    /// Number of outputs.
    public var outputs: Int
    /// A fingerprint of the inputs in their order: two reports with one fingerprint are about the same inputs.
    public var inputFingerprint: String
    /// The length in words to which length-controlled metrics cut.
    public var commonLength: Int
    /// Metrics that `all` left out because their model, or something else that they need, is not there.
    public var withoutModel: [String]
    /// What each of them needs; nil in reports of earlier versions.
    public var needs: [String: String]?
    /// The metrics in the order they were chosen.
    public var metrics: [Entry]

    /// One metric.
    public struct Entry: Codable, Sendable, Equatable {
        /// Its exact name.
        public var name: String
        /// Whether larger is more diverse.
        public var higherIsMoreDiverse: Bool
        /// Texts left out of every set.
        public var excludedTexts: Int
        /// What a reader has to know to understand its numbers: a threshold, what counts as equal.
        public var note: String?
        /// Its values.
        public var values: DiversityAggregate
    }

    /// What was missing, each with the metrics that need it, in the order of the metrics.
    var unmeasured: [(what: String, names: [String])] {
        grouped(withoutModel.map { (needs?[$0] ?? "a model", $0) })
    }

    /// The notes, each with its metrics.
    var notes: [(what: String, names: [String])] {
        grouped(metrics.compactMap { entry in entry.note.map { ($0, entry.name) } })
    }

    /// The metrics that no input has a value of, by how many inputs there are.
    var withoutPerInput: [(what: String, names: [String])] {
        grouped(metrics.compactMap { entry in entry.values.withoutPerInput.map { ("\($0)", entry.name) } })
    }

    private func grouped(_ pairs: [(String, String)]) -> [(what: String, names: [String])] {
        var result: [(what: String, names: [String])] = []
        for (what, name) in pairs {
            if let place = result.firstIndex(where: { $0.what == what }) {
                result[place].names.append(name)
            } else {
                result.append((what, [name]))
            }
        }
        return result
    }

    /// The entry of a metric.
    public subscript(name: String) -> Entry? {
        metrics.first { $0.name == name }
    }

    /// The values under flat names: `mean_per_input_`, `std_per_input_`, `mean_per_input_exact_`, `mean_across_input_`,
    /// `std_across_input_`,
    /// `overall_`, `overall_single_output_` before the metric's name.
    public var flatValues: [String: Double] {
        var flat: [String: Double] = [:]
        for entry in metrics {
            flat["mean_per_input_" + entry.name] = entry.values.perInput?.mean.mean
            flat["std_per_input_" + entry.name] = entry.values.perInput?.standardDeviation
            flat["mean_per_input_exact_" + entry.name] = entry.values.perInputExact?.mean.mean
            flat["mean_across_input_" + entry.name] = entry.values.acrossInputs?.mean
            flat["std_across_input_" + entry.name] = entry.values.acrossInputs?.standardDeviation
            flat["overall_" + entry.name] = entry.values.overall
            flat["overall_single_output_" + entry.name] = entry.values.overallSingleOutput
        }
        return flat
    }
}
