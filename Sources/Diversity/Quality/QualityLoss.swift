public import Eval

/// A loss of diversity from a reference system to another one, in two parts: what quality control alone would lose, and the rest.
///
/// Quality control is rejection: of the reference system's answers those with a reward below the threshold are left out. What diversity
/// that takes is no fault of a method that brings rewards up; the rest is. Per input, with D the diversity, R the reference's answers, G
/// those of them that are good enough and S the system's: loss = D(R) − D(S), quality control = D(R) − D(G), rest = D(G) − D(S).
///
/// Most metrics depend on the number of texts, and G is smaller than R. All three are measured on sets of one size then, the smallest of
/// the three: the mean over draws of so many texts. Means over pairs of texts do not depend on it and are measured on all.
public struct QualityLoss: Codable, Sendable, Equatable {
    /// One metric; all differences are positive where diversity was lost.
    public struct Entry: Codable, Sendable, Equatable {
        /// The metric's name.
        public var name: String
        /// Whether a larger value of it is more diverse.
        public var higherIsMoreDiverse: Bool
        /// Mean over inputs of the loss, with its interval over inputs.
        public var loss: Interval
        /// What quality control alone would lose.
        public var qualityControl: Interval
        /// The loss beyond that.
        public var rest: Interval
        /// How many inputs have all three.
        public var inputs: Int
        /// How many inputs were left out: too few good answers of the reference system, mostly.
        public var leftOut: Int
    }

    /// The least reward that is good enough.
    public var threshold: Double
    /// The system from which diversity is lost.
    public var reference: String
    /// The system that lost it.
    public var system: String
    /// The share of the reference system's answers that are good enough, of those with a reward.
    public var passing: Double
    /// The metrics that are measured per input and do not look at rewards themselves.
    public var metrics: [Entry]

    /// One line for each metric after a line of column names.
    public var csv: String {
        let columns = [
            "metric", "more_diverse_is", "loss", "loss_low", "loss_high", "quality_control", "quality_control_low", "quality_control_high",
            "rest",
            "rest_low", "rest_high", "inputs", "left_out",
        ]
        let lines = metrics.map { entry in
            let numbers = [entry.loss, entry.qualityControl, entry.rest].flatMap { [$0.mean, $0.low, $0.high] }.map { "\($0)" }
            return
                ([CSVField.text(entry.name), entry.higherIsMoreDiverse ? "higher" : "lower"] + numbers + [
                    "\(entry.inputs)", "\(entry.leftOut)",
                ])
                .joined(separator: ",")
        }
        return ([columns.joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
    }

    /// The table for people; `*` marks intervals without 0.
    public var text: String {
        func cell(_ interval: Interval) -> String { "\(interval)" + (interval.contains(0) ? "" : " *") }
        let rows = metrics.map { [$0.name, cell($0.loss), cell($0.qualityControl), cell($0.rest), "\($0.inputs)"] }
        let share = Statistics.text(passing)
        return
            "diversity lost from \(reference) to \(system); with a reward of at least \(Statistics.text(threshold)): \(share) of the former's\n"
            + DiversityTable.aligned([["metric", "lost [95 %]", "by quality control [95 %]", "the rest [95 %]", "inputs"]] + rows)
    }
}

/// One part of a measurement with what it was made of.
struct MeasuredPart {
    var report: DiversityReport
    var plan: DiversityPlan
    var collection: TextCollection
    var metrics: [any DiversityMetric]
}

extension QualityLoss {
    /// The loss from `reference` to `system`, two measurements of the same inputs; nil where the reference system has no rewards or
    /// nothing was measured per input.
    init?(of system: (name: String, part: MeasuredPart), from reference: (name: String, part: MeasuredPart), config: DiversityConfig) throws
    {
        guard let threshold = config.answers.qualityThreshold, reference.part.collection.facts.hasRewards else { return nil }
        let facts = reference.part.collection.facts
        let rewarded = reference.part.plan.perInput.map { $0.filter { facts.reward(of: $0) != nil } }
        let good = rewarded.map { $0.filter { facts.reward(of: $0).map { $0 >= threshold } ?? false } }
        let all = rewarded.reduce(0) { $0 + $1.count }
        guard all > 0 else { return nil }
        self.threshold = threshold
        self.reference = reference.name
        self.system = system.name
        passing = Double(good.reduce(0) { $0 + $1.count }) / Double(all)
        metrics = try reference.part.metrics.compactMap { metric in
            guard metric.sets.contains(.perInput), !metric.looksAtRewards,
                let own = system.part.metrics.first(where: { $0.name == metric.name })
            else { return nil }
            let sign: Double = metric.higherIsMoreDiverse ? 1 : -1
            var parts: [(loss: Double, control: Double, rest: Double)] = []
            var values: [Double] = []
            for (input, set) in system.part.plan.perInput.enumerated() where input < rewarded.count {
                // texts without a reward are in neither: what quality control would do with them is not known
                let sets = [rewarded[input], good[input], set]
                let size = metric.isMeanOverPairs ? nil : sets.map(\.count).min()
                func value(_ place: Int) throws -> Double? {
                    try Self.mean(
                        place == 2 ? own : metric, of: sets[place], size: size,
                        in: place == 2 ? system.part.collection : reference.part.collection,
                        draws: config.plan.draws, seed: SplitMix64.mixed(config.seed &+ UInt64(3 * input + place)))
                }
                guard let before = try value(0), let kept = try value(1), let after = try value(2) else { continue }
                values += [before, kept, after]
                parts.append((sign * (before - after), sign * (before - kept), sign * (kept - after)))
            }
            guard !parts.isEmpty else { return nil }
            func interval(_ number: ((loss: Double, control: Double, rest: Double)) -> Double) -> Interval {
                var generator = SplitMix64(seed: config.seed)
                return Bootstrap.mean(of: parts.map(number), resamples: config.resamples, using: &generator).withoutRounding(of: values)
            }
            return Entry(
                name: metric.name, higherIsMoreDiverse: metric.higherIsMoreDiverse, loss: interval(\.loss),
                qualityControl: interval(\.control),
                rest: interval(\.rest), inputs: parts.count, leftOut: system.part.plan.perInput.count - parts.count)
        }
        if metrics.isEmpty { return nil }
    }

    /// Why there is no loss of a comparison of two systems, as a line; nil where nobody asked for one.
    static func absence(of system: String, from reference: (name: String, part: MeasuredPart), config: DiversityConfig) -> String? {
        guard let threshold = config.answers.qualityThreshold else { return nil }
        let rewards = reference.part.plan.perInput.joined().compactMap { reference.part.collection.facts.reward(of: $0) }
        let reason =
            if !config.plan.perInput {
                "nothing was measured per input"
            } else if rewards.isEmpty {
                "\(reference.name) has no rewards"
            } else if !rewards.contains(where: { $0 >= threshold }) {
                "no reward of \(reference.name) is at least \(Statistics.text(threshold)); the greatest is \(Statistics.text(rewards.max() ?? 0))"
            } else {
                "no metric of texts has a value of all answers, of the good ones and of the other system for any input"
            }
        return "diversity lost from \(reference.name) to \(system) was not parted by quality: \(reason)"
    }

    /// The value of a set, or the mean value of draws of `size` texts from it.
    private static func mean(
        _ metric: any DiversityMetric, of set: [Int], size: Int?, in collection: TextCollection, draws: Int, seed: UInt64
    ) throws -> Double? {
        guard let size, size < set.count else { return try metric.value(of: set, in: collection) }
        var random = SplitMix64(seed: seed)
        var sum = 0.0
        for _ in 0..<draws {
            // in the order of the set: some metrics look at the first texts
            let drawn = random.distinctIndices(size, below: set.count).sorted().map { set[$0] }
            guard let value = try metric.value(of: drawn, in: collection) else { return nil }
            sum += value
        }
        return sum / Double(draws)
    }
}
