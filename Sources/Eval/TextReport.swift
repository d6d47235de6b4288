/// Text metrics of groups of inputs (splits, tables, systems): mean, interval, median and spread of each group, and the differences
/// between two of them.
///
/// An input with several texts is one unit: its texts' numbers are averaged first, so that an interval says what another set of inputs
/// would give.
public struct TextReport: Codable, Sendable, Equatable {
    /// An input: what was written for it and what it is compared with.
    public struct Input: Sendable, Equatable {
        /// The texts, at least one.
        public var texts: [String]
        /// The human-written text.
        public var reference: String?
        /// The reward of each text, if all have one.
        public var rewards: [Double]?

        /// An input.
        public init(texts: [String], reference: String? = nil, rewards: [Double]? = nil) {
            self.texts = texts
            self.reference = reference
            self.rewards = rewards
        }
    }

    /// One group of inputs.
    public struct Group: Codable, Sendable, Equatable {
        /// The group's name.
        public var name: String
        /// Number of inputs.
        public var inputs: Int
        /// Number of texts.
        public var texts: Int
        /// ``GenerationMetrics/corpusBLEU`` over all texts; nil where an input has no reference.
        public var corpusBLEU: Double?
        /// Statistics over inputs by metric; those of ``GenerationMetrics/names``, of which inputs without references leave `words` and
        /// `characters`, and `reward`.
        public var metrics: [String: GroupSummary]
        /// One number for each input by metric.
        var values: [String: [Double]] = [:]

        private enum CodingKeys: String, CodingKey { case name, inputs, texts, corpusBLEU, metrics }
    }

    /// The groups in the order given.
    public var groups: [Group]
    /// Mean of the first group minus mean of the second by metric, the groups resampled independently: the generalisation gap, where the
    /// first is in distribution and the second is not.
    public var gap: [String: Interval]?
    /// Mean of the first group's inputs minus the same inputs of the second by metric, resampled in pairs: two systems on one set of
    /// inputs.
    public var pairedDifference: [String: Interval]?

    /// How the first two groups are compared.
    public enum Comparison: Sendable {
        /// Not at all.
        case none
        /// As different inputs.
        case gap
        /// As the same inputs in the same order.
        case paired
    }

    /// Measures groups.
    ///
    /// - Parameters:
    ///   - groups: names and inputs; inputs without texts are passed over.
    ///   - comparison: what the first two groups are to each other; `paired` needs equally many inputs.
    ///   - resamples: resamples of every bootstrap.
    public init(
        _ groups: [(name: String, inputs: [Input])], comparing comparison: Comparison = .none, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) {
        let measured = groups.map {
            Self.measure($0.name, $0.inputs.filter { !$0.texts.isEmpty }, resamples, &generator)
        }
        self.groups = measured
        guard measured.count > 1 else { return }
        let (first, second) = (measured[0].values, measured[1].values)
        func compared(_ difference: ([Double], [Double]) -> Interval) -> [String: Interval] {
            var result: [String: Interval] = [:]
            for (name, values) in first.sorted(by: { $0.key < $1.key }) {
                guard let other = second[name], !values.isEmpty, !other.isEmpty else { continue }
                result[name] = difference(values, other)
            }
            return result
        }
        switch comparison {
        case .none: break
        case .gap:
            gap = compared {
                GroupedMeans.generalisationGap(
                    inDistribution: $0, outOfDistribution: $1, resamples: resamples, using: &generator)
            }
        case .paired:
            precondition(
                measured[0].inputs == measured[1].inputs,
                "a paired difference needs the same inputs, got \(measured[0].inputs) and \(measured[1].inputs)")
            pairedDifference = compared { Bootstrap.pairedDifference($0, $1, resamples: resamples, using: &generator) }
        }
    }

    private static func measure(
        _ name: String, _ inputs: [Input], _ resamples: Int, _ generator: inout some RandomNumberGenerator
    ) -> Group {
        let hasReferences = inputs.allSatisfy { $0.reference != nil }
        let hasRewards = inputs.allSatisfy { $0.rewards?.count == $0.texts.count }
        var values: [String: [Double]] = [:]
        func add(_ numbers: [Double], to name: String) {
            values[name, default: []].append(numbers.reduce(0, +) / Double(numbers.count))
        }
        for input in inputs {
            if hasReferences, let reference = input.reference {
                let metrics = GenerationMetrics.measure(input.texts, references: input.texts.map { _ in [reference] })
                for (name, column) in metrics.columns { add(column, to: name) }
            } else {
                add(input.texts.map { Double(Lengths.words(in: $0)) }, to: "words")
                add(input.texts.map { Double(Lengths.scalars(in: $0)) }, to: "characters")
            }
            if hasRewards, let rewards = input.rewards { add(rewards, to: "reward") }
        }
        let texts = inputs.flatMap(\.texts)
        var group = Group(name: name, inputs: inputs.count, texts: texts.count, metrics: [:], values: values)
        if hasReferences, !texts.isEmpty {
            let references = inputs.flatMap { input in input.texts.map { _ in [input.reference ?? ""] } }
            group.corpusBLEU = BLEU.corpus.score(corpus: texts, references: references).score
        }
        for (name, numbers) in values.sorted(by: { $0.key < $1.key }) {
            group.metrics[name] = GroupSummary(of: numbers, resamples: resamples, using: &generator)
        }
        return group
    }
}

extension TextReport {
    /// One line per group and metric after a line of column names; differences have the group `gap` or `difference`.
    public var csv: String {
        var lines = ["group,metric,inputs,mean,low,high,median,std"]
        for group in groups {
            for (name, summary) in group.metrics.sorted(by: { $0.key < $1.key }) {
                let numbers = [
                    summary.mean.mean, summary.mean.low, summary.mean.high, summary.median, summary.standardDeviation,
                ]
                lines.append(
                    ([Self.field(group.name), name, "\(group.inputs)"] + numbers.map { "\($0)" }).joined(separator: ",")
                )
            }
            if let bleu = group.corpusBLEU {
                lines.append("\(Self.field(group.name)),corpus_bleu,\(group.inputs),\(bleu),,,,")
            }
        }
        for (label, differences) in [("gap", gap), ("difference", pairedDifference)] {
            for (name, interval) in (differences ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("\(label),\(name),,\(interval.mean),\(interval.low),\(interval.high),,")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Aligned columns: a metric a line, a group a column, and the difference last; `*` marks intervals without 0.
    public var text: String {
        let names = Set(groups.flatMap(\.metrics.keys)).sorted()
        let difference = gap ?? pairedDifference
        var rows = [["metric"] + groups.map(\.name) + (difference == nil ? [] : [gap == nil ? "difference" : "gap"])]
        for name in names {
            var row = [name] + groups.map { group in group.metrics[name].map { "\($0.mean)" } ?? "–" }
            if let difference {
                row.append(difference[name].map { "\($0)" + ($0.contains(0) ? "" : " *") } ?? "–")
            }
            rows.append(row)
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { $0 + 1 == row.count ? row[$0] : row[$0].padding(to: widths[$0]) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func field(_ name: String) -> String {
        name.contains { ",\"\n".contains($0) } ? "\"" + name.replacing("\"", with: "\"\"") + "\"" : name
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
