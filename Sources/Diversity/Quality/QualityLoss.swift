public import Eval

/// The loss of diversity from a reference system to another system, split into two parts: the loss that quality control alone
/// would cause, and the rest.
///
/// Quality control means rejection: answers of the reference system with a reward below the threshold are removed. Diversity
/// that is lost in this way is a consequence of better answers; the rest is not. Per input, with D the diversity, R the
/// reference system's answers, G those of R that are good enough, and S the other system's answers: loss = D(R) − D(S), quality
/// control = D(R) − D(G), rest = D(G) − D(S).
///
/// Most metrics depend on the number of texts, and G is smaller than R. Such metrics are measured on sets of equal size, that
/// of the smallest of the three sets, as the mean over random draws of that many texts. Means over pairs of texts do not depend
/// on the set size and are measured on all texts.
public struct QualityLoss: Codable, Sendable, Equatable {
    /// One metric. All differences are positive if diversity was lost, also for metrics whose smaller values are more diverse.
    public struct Entry: Codable, Sendable, Equatable {
        /// The metric's name.
        public var name: String
        /// Whether a larger value of the metric means more diverse texts.
        public var higherIsMoreDiverse: Bool
        /// The loss: mean over inputs with its bootstrap interval over inputs.
        public var loss: Interval
        /// The part of the loss that quality control alone would cause.
        public var qualityControl: Interval
        /// The rest of the loss.
        public var rest: Interval
        /// The number of inputs that have a value for all three sets.
        public var inputs: Int
        /// The number of inputs left out, usually because the reference system has too few good answers.
        public var leftOut: Int
    }

    /// The minimum reward of an answer that is good enough.
    public var threshold: Double
    /// The name of the system relative to which diversity is lost.
    public var reference: String
    /// The name of the system whose diversity is compared with the reference system's.
    public var system: String
    /// The fraction of the reference system's answers that are good enough, among those with a reward.
    public var passing: Double
    /// The metrics that are measured per input and do not use rewards.
    public var metrics: [Entry]

    /// Comma-separated values: a line of column names, then one line per metric.
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

    /// The table with aligned columns; `*` marks intervals that do not contain 0.
    public var text: String {
        func cell(_ interval: Interval) -> String { "\(interval)" + (interval.contains(0) ? "" : " *") }
        let rows = metrics.map { [$0.name, cell($0.loss), cell($0.qualityControl), cell($0.rest), "\($0.inputs)"] }
        let share = Statistics.text(passing)
        return
            "diversity lost from \(reference) to \(system); with a reward of at least \(Statistics.text(threshold)): \(share) of the former's\n"
            + DiversityTable.aligned([["metric", "lost [95 %]", "by quality control [95 %]", "the rest [95 %]", "inputs"]] + rows)
    }
}

/// One part of a measurement with the plan, texts and metrics behind its report.
struct MeasuredPart {
    var report: DiversityReport
    var plan: DiversityPlan
    var collection: TextCollection
    var metrics: [any DiversityMetric]
}

extension QualityLoss {
    /// The loss from `reference` to `system`, two measurements of the same inputs; nil without a quality threshold, if the
    /// reference system has no rewards, or if no metric has values per input.
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
                // texts of the reference system without a reward are in neither set, since quality control could not judge them
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

    /// A line that explains why a comparison of two systems has no quality loss; nil if no quality threshold is set.
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
                "for no input does a text metric have values for all answers, the good answers and the other system's answers"
            }
        return "diversity lost from \(reference.name) to \(system) was not split by quality: \(reason)"
    }

    /// The value of a set; if `size` is smaller than the set, the mean value over draws of `size` texts from it.
    private static func mean(
        _ metric: any DiversityMetric, of set: [Int], size: Int?, in collection: TextCollection, draws: Int, seed: UInt64
    ) throws -> Double? {
        guard let size, size < set.count else { return try metric.value(of: set, in: collection) }
        var random = SplitMix64(seed: seed)
        var sum = 0.0
        for _ in 0..<draws {
            // keeps the order of the set, since some metrics use the first texts only
            let drawn = random.distinctIndices(size, below: set.count).sorted().map { set[$0] }
            guard let value = try metric.value(of: drawn, in: collection) else { return nil }
            sum += value
        }
        return sum / Double(draws)
    }
}
