import Formats

/// Text metrics of groups of inputs (splits, tables, systems): mean with interval, median and standard deviation per group, and
/// the difference between two groups.
///
/// The unit of the statistics is the input: if an input has several texts, their values are averaged first, so that an interval
/// describes the variation between sets of inputs.
public struct TextReport: Codable, Sendable, Equatable {
    /// An input with its texts and optional reference.
    public struct Input: Sendable, Equatable {
        /// The prompt, for metrics that use it; nil if it is unknown.
        public var input: String?
        /// The texts; inputs without texts are skipped.
        public var texts: [String]
        /// The reference text; nil if there is none.
        public var reference: String?
        /// The reward of each text, in the order of the texts; nil for a text without one, empty if no text has one.
        public var rewards: [Double?]

        /// An input with its texts.
        public init(texts: [String], reference: String? = nil, rewards: [Double?] = [], input: String? = nil) {
            self.input = input
            self.texts = texts
            self.reference = reference
            self.rewards = rewards
        }
    }

    /// One group of inputs.
    public struct Group: Codable, Sendable, Equatable {
        /// The name of the group.
        public var name: String
        /// The number of inputs with texts.
        public var inputs: Int
        /// The number of texts.
        public var texts: Int
        /// Corpus BLEU over all texts of inputs with a reference, as in ``GenerationMetrics/corpusBLEU``; nil if no input has a
        /// reference.
        public var corpusBLEU: Double?
        /// The number of inputs without a reference, which are left out of all metrics that need one.
        public var withoutReference = 0
        /// The number of texts without a reward, which are left out of `reward`.
        public var withoutReward = 0
        /// Statistics over the inputs, by metric: the text metrics, and `reward` if there are any.
        public var metrics: [String: GroupSummary]
        /// The value of each input, by metric; nil for an input without a value.
        var values: [String: [Double?]] = [:]

        private enum CodingKeys: String, CodingKey {
            case name, inputs, texts, corpusBLEU, withoutReference, withoutReward, metrics
        }

        /// Notes about what was left out of some metrics, one line each.
        var notes: [String] {
            var notes: [String] = []
            if (1..<max(1, inputs)).contains(withoutReference) {
                notes.append(
                    "\(name): \(withoutReference) of \(Counted(inputs, "input")) without a reference left out of ROUGE, BLEU and exact match"
                )
            }
            if (1..<max(1, texts)).contains(withoutReward) {
                notes.append("\(name): \(withoutReward) of \(Counted(texts, "text")) without a reward left out of reward")
            }
            return notes
        }
    }

    /// The groups, in the given order.
    public var groups: [Group]
    /// The mean of the first group minus the mean of the second, by metric, with the groups resampled independently. This is
    /// the generalisation gap if the first group is in distribution and the second is not. nil unless requested.
    public var gap: [String: Interval]?
    /// The mean difference between the first group and the second on the same inputs, by metric, with a paired bootstrap. This
    /// compares two systems on one set of inputs. nil unless requested.
    public var pairedDifference: [String: Interval]?

    /// How the first two groups are compared.
    public enum Comparison: Sendable {
        /// They are not compared.
        case none
        /// As groups of different inputs; see ``TextReport/gap``.
        case gap
        /// As the same inputs in the same order; see ``TextReport/pairedDifference``.
        case paired
    }

    /// Measures groups with the built-in metrics.
    ///
    /// - Parameters:
    ///   - groups: names and inputs; inputs without texts are skipped.
    ///   - comparison: how the first two groups are compared; `paired` requires equal numbers of inputs.
    ///   - resamples: the number of resamples of every bootstrap.
    ///   - generator: source of randomness for the bootstrap.
    public init(
        _ groups: [(name: String, inputs: [Input])], comparing comparison: Comparison = .none, resamples: Int = 2000,
        using generator: inout some RandomNumberGenerator
    ) {
        let measured = groups.map { group in
            let texts = Self.texts(group.inputs)
            return Self.measured(group.name, group.inputs, texts, TextMetrics.columns(of: texts.flatMap { $0 }))
        }
        precondition(
            comparison != .paired || measured.count < 2 || measured[0].inputs == measured[1].inputs,
            "a paired difference needs the same inputs, got \(measured.map(\.inputs))")
        self.init(measured: measured, comparing: comparison, resamples: resamples, using: &generator)
    }

    /// Measures groups with the given metrics, built-in or custom. The intervals of built-in metrics do not depend on which
    /// custom metrics are added.
    /// - Throws: ``TextMetricError``; any error that a metric throws.
    public init(
        _ groups: [(name: String, inputs: [Input])], metrics: [any TextMetric], comparing comparison: Comparison = .none,
        resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) throws {
        let measured = try groups.map { group in
            let texts = Self.texts(group.inputs)
            return Self.measured(group.name, group.inputs, texts, try TextMetrics.columns(of: texts.flatMap { $0 }, by: metrics))
        }
        if comparison == .paired, measured.count > 1, measured[0].inputs != measured[1].inputs {
            throw TextMetricError.notPaired(measured[0].inputs, measured[1].inputs)
        }
        self.init(measured: measured, comparing: comparison, resamples: resamples, using: &generator)
    }

    private init(
        measured: [Group], comparing comparison: Comparison, resamples: Int, using generator: inout some RandomNumberGenerator
    ) {
        groups = measured
        if groups.count > 1 {
            gap = comparison == .gap ? [:] : nil
            pairedDifference = comparison == .paired ? [:] : nil
        }
        // each interval takes a number from the generator: built-in metrics come first, so custom metrics do not change their
        // intervals
        let names = Set(measured.flatMap(\.values.keys)).sorted()
        let builtIn = Set(GenerationMetrics.names + ["reward"])
        for part in [names.filter(builtIn.contains), names.filter { !builtIn.contains($0) }] where !part.isEmpty {
            for index in groups.indices {
                for name in part {
                    guard let numbers = measured[index].values[name] else { continue }
                    groups[index].metrics[name] = GroupSummary(
                        of: numbers.compactMap { $0 }, resamples: resamples, using: &generator)
                }
            }
            compare(part, comparison, resamples, &generator)
        }
    }

    private mutating func compare(
        _ names: [String], _ comparison: Comparison, _ resamples: Int, _ generator: inout some RandomNumberGenerator
    ) {
        guard groups.count > 1, comparison != .none else { return }
        for name in names {
            guard let own = groups[0].values[name], let others = groups[1].values[name] else { continue }
            if comparison == .gap {
                let (inside, outside) = (own.compactMap { $0 }, others.compactMap { $0 })
                guard !inside.isEmpty, !outside.isEmpty else { continue }
                gap?[name] = GroupedMeans.generalisationGap(
                    inDistribution: inside, outOfDistribution: outside, resamples: resamples, using: &generator)
            } else {
                // only inputs with a value in both groups
                let pairs = zip(own, others).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
                guard !pairs.isEmpty else { continue }
                pairedDifference?[name] = Bootstrap.pairedDifference(
                    pairs.map(\.0), pairs.map(\.1), resamples: resamples, using: &generator)
            }
        }
    }

    /// The texts of each input that has at least one text.
    private static func texts(_ inputs: [Input]) -> [[MeasuredText]] {
        inputs.filter { !$0.texts.isEmpty }.map { input in
            let references = input.reference.map { [$0] }
            return input.texts.map { MeasuredText($0, input: input.input, references: references) }
        }
    }

    /// Collects the values of a group, without statistics.
    /// - Parameters:
    ///   - name: the name of the group.
    ///   - inputs: the inputs of the group.
    ///   - texts: the texts of each input that has texts.
    ///   - columns: the values of all texts by metric, input by input.
    private static func measured(
        _ name: String, _ inputs: [Input], _ texts: [[MeasuredText]], _ columns: [String: [Double?]]
    ) -> Group {
        let inputs = inputs.filter { !$0.texts.isEmpty }
        var group = Group(name: name, inputs: inputs.count, texts: inputs.reduce(0) { $0 + $1.texts.count }, metrics: [:])
        var first = 0
        for (index, input) in inputs.enumerated() {
            let own = first..<first + texts[index].count
            first = own.upperBound
            func add(_ numbers: [Double], to name: String) {
                guard !numbers.isEmpty else { return }
                group.values[name, default: Array(repeating: nil, count: inputs.count)][index] =
                    numbers.reduce(0, +) / Double(numbers.count)
            }
            if input.reference == nil { group.withoutReference += 1 }
            for (name, column) in columns { add(column[own].compactMap { $0 }, to: name) }
            let rewards = input.rewards.prefix(input.texts.count).compactMap { $0 }
            group.withoutReward += input.texts.count - rewards.count
            add(rewards, to: "reward")
        }
        let known = inputs.flatMap { input in input.reference.map { reference in input.texts.map { ($0, [reference]) } } ?? [] }
        if !known.isEmpty {
            group.corpusBLEU = BLEU.corpus.score(corpus: known.map(\.0), references: known.map(\.1)).score
        }
        return group
    }
}

extension TextReport {
    /// Comma-separated values: a line of column names, then one line per group and metric. Differences are listed under the
    /// group name `gap` or `difference`.
    public var csv: String {
        var lines = ["group,metric,inputs,mean,low,high,median,std"]
        for group in groups {
            for (name, summary) in group.metrics.sorted(by: { $0.key < $1.key }) {
                let numbers = [
                    summary.mean.mean, summary.mean.low, summary.mean.high, summary.median, summary.standardDeviation,
                ]
                lines.append(
                    ([CSVField.text(group.name), CSVField.text(name), "\(summary.count)"] + numbers.map { "\($0)" }).joined(separator: ",")
                )
            }
            if let bleu = group.corpusBLEU {
                lines.append("\(CSVField.text(group.name)),corpus_bleu,\(group.inputs - group.withoutReference),\(bleu),,,,")
            }
        }
        for (label, differences) in [("gap", gap), ("difference", pairedDifference)] {
            for (name, interval) in (differences ?? [:]).sorted(by: { $0.key < $1.key }) {
                lines.append("\(label),\(CSVField.text(name)),,\(interval.mean),\(interval.low),\(interval.high),,")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Aligned columns: one line per metric, one column per group, and the difference in the last column; `*` marks intervals
    /// that do not contain 0. Followed by notes about what was left out.
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
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
