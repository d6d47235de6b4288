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
        /// The reward of each text that has one, in the texts' order; empty where none has.
        public var rewards: [Double?]

        /// An input.
        public init(texts: [String], reference: String? = nil, rewards: [Double?] = []) {
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
        /// ``GenerationMetrics/corpusBLEU`` over all texts of inputs with a reference; nil where none has one.
        public var corpusBLEU: Double?
        /// Inputs without a reference: they are left out of every metric but `words`, `characters` and `reward`.
        public var withoutReference = 0
        /// Texts without a reward: they are left out of `reward`.
        public var withoutReward = 0
        /// Statistics over the inputs that have the metric: those of ``GenerationMetrics/names``, and `reward`.
        public var metrics: [String: GroupSummary]
        /// One number for each input by metric; nil where an input has none.
        var values: [String: [Double?]] = [:]

        private enum CodingKeys: String, CodingKey {
            case name, inputs, texts, corpusBLEU, withoutReference, withoutReward, metrics
        }

        /// What was left out of some metrics but not of all, one line each.
        var notes: [String] {
            var notes: [String] = []
            if (1..<max(1, inputs)).contains(withoutReference) {
                notes.append(
                    "\(name): \(withoutReference) of \(inputs) inputs without a reference left out of ROUGE, BLEU and exact match")
            }
            if (1..<max(1, texts)).contains(withoutReward) {
                notes.append("\(name): \(withoutReward) of \(texts) texts without a reward left out of reward")
            }
            return notes
        }
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
        func compared(
            _ chosen: ([Double?], [Double?]) -> ([Double], [Double]), _ difference: ([Double], [Double]) -> Interval
        ) -> [String: Interval] {
            var result: [String: Interval] = [:]
            for (name, values) in first.sorted(by: { $0.key < $1.key }) {
                guard let other = second[name] else { continue }
                let (own, others) = chosen(values, other)
                if !own.isEmpty, !others.isEmpty { result[name] = difference(own, others) }
            }
            return result
        }
        switch comparison {
        case .none: break
        case .gap:
            gap = compared({ ($0.compactMap { $0 }, $1.compactMap { $0 }) }) {
                GroupedMeans.generalisationGap(
                    inDistribution: $0, outOfDistribution: $1, resamples: resamples, using: &generator)
            }
        case .paired:
            precondition(
                measured[0].inputs == measured[1].inputs,
                "a paired difference needs the same inputs, got \(measured[0].inputs) and \(measured[1].inputs)")
            // the inputs that have the metric in both
            pairedDifference = compared({ own, others in
                let pairs = zip(own, others).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
                return (pairs.map(\.0), pairs.map(\.1))
            }) { Bootstrap.pairedDifference($0, $1, resamples: resamples, using: &generator) }
        }
    }

    private static func measure(
        _ name: String, _ inputs: [Input], _ resamples: Int, _ generator: inout some RandomNumberGenerator
    ) -> Group {
        var values: [String: [Double?]] = [:]
        var group = Group(name: name, inputs: inputs.count, texts: inputs.reduce(0) { $0 + $1.texts.count }, metrics: [:])
        for (index, input) in inputs.enumerated() {
            func add(_ numbers: [Double], to name: String) {
                values[name, default: Array(repeating: nil, count: inputs.count)][index] =
                    numbers.reduce(0, +) / Double(numbers.count)
            }
            if input.reference == nil { group.withoutReference += 1 }
            let references = input.texts.map { _ in input.reference.map { [$0] } }
            for (name, column) in GenerationMetrics.measure(input.texts, references: references).columns where !column.isEmpty {
                add(column, to: name)
            }
            let rewards = input.rewards.prefix(input.texts.count).compactMap { $0 }
            group.withoutReward += input.texts.count - rewards.count
            if !rewards.isEmpty { add(rewards, to: "reward") }
        }
        group.values = values
        let known = inputs.flatMap { input in input.reference.map { reference in input.texts.map { ($0, [reference]) } } ?? [] }
        if !known.isEmpty {
            group.corpusBLEU = BLEU.corpus.score(corpus: known.map(\.0), references: known.map(\.1)).score
        }
        for (name, numbers) in values.sorted(by: { $0.key < $1.key }) {
            group.metrics[name] = GroupSummary(of: numbers.compactMap { $0 }, resamples: resamples, using: &generator)
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
                    ([Self.field(group.name), name, "\(summary.count)"] + numbers.map { "\($0)" }).joined(separator: ",")
                )
            }
            if let bleu = group.corpusBLEU {
                lines.append("\(Self.field(group.name)),corpus_bleu,\(group.inputs - group.withoutReference),\(bleu),,,,")
            }
        }
        for (label, differences) in [("gap", gap), ("difference", pairedDifference)] {
            for (name, interval) in (differences ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("\(label),\(name),,\(interval.mean),\(interval.low),\(interval.high),,")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Aligned columns: a metric a line, a group a column, and the difference last; `*` marks intervals without 0. Below, what was left
    /// out.
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
        let lines = rows.map { row in
            row.indices.map { $0 + 1 == row.count ? row[$0] : row[$0].padding(to: widths[$0]) }.joined(separator: "  ")
        }
        return (lines + groups.flatMap(\.notes)).joined(separator: "\n")
    }

    private static func field(_ name: String) -> String {
        name.contains { ",\"\n".contains($0) } ? "\"" + name.replacing("\"", with: "\"\"") + "\"" : name
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
