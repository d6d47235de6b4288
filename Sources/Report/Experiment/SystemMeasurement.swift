import Data
import Diversity
import Eval
import Tensor
import Train

/// The metrics of one system on one split in one run, per prompt where possible.
struct SystemMeasurement {
    /// A value over all prompts together, and the variance that the choice of prompts contributes, with its degrees of freedom.
    struct Across: Codable, Equatable {
        var value: Double
        var variance: Double
        var degrees: Double
        /// The number of prompts, on which most of these metrics depend.
        var inputs: Int
    }

    /// For each metric and prompt, the mean over the prompt's responses.
    var prompts: [Experiment.Metric: [String: Double]] = [:]
    /// Metrics over sets with one response to each prompt.
    var across: [Experiment.Metric: Across] = [:]
    /// For each prompt, the gold scores of its responses.
    private var judged: [String: [Double]] = [:]
    /// For each metric, the number of rows that lack the necessary column.
    var leftOut: [Experiment.Metric: Int] = [:]

    /// The prompts that have responses.
    let inputs: Set<String>

    /// A measured diversity.
    struct Spread: Codable, Equatable {
        /// The diversity of the responses to each prompt, in the order of the prompts' first rows; nil for a prompt with too
        /// few responses.
        var perInput: [Double?]?
        /// The diversity over sets with one response to each prompt.
        var across: Across?
    }

    /// Measures the rows of a table.
    /// - Parameters:
    ///   - rows: the rows.
    ///   - gold: the gold score.
    ///   - seed: the seed of random draws.
    ///   - isOfPolicy: whether the rows are samples of a policy that was trained from the reference model. The KL of selecting among its
    ///     samples is then unknown.
    ///   - embeddings: measures the embedding diversity; returns nil without an encoder.
    init(
        _ rows: [SampleRow], gold: GoldScore, seed: UInt64, isOfPolicy: Bool = false, embeddings: () throws -> Spread? = { nil }
    ) throws {
        let groups = Dictionary(grouping: rows.indices) { rows[$0].input }
        inputs = Set(groups.keys)
        func count(_ metric: Experiment.Metric, _ values: [Double?]) {
            prompts[metric] = groups.compactMapValues { places in Statistics.mean(of: places.compactMap { values[$0] }) }
            let missing = values.count { $0 == nil }
            if missing > 0, missing < values.count { leftOut[metric] = missing }
        }
        let overlaps = Self.overlaps(of: rows)
        count(.reward, rows.map(\.reward))
        count(.rougeL, overlaps)
        let golds = zip(rows, overlaps).map { row, overlap in
            row.reference.flatMap { reference in overlap.map { gold.score(row.response, reference: reference, overlap: $0) } }
        }
        count(.gold, golds)
        judged = groups.mapValues { places in places.compactMap { golds[$0] } }
        count(.lengthTokens, rows.map { $0.numbers["tokens"] })
        count(.eosShare, rows.map { $0.numbers["ended"] })
        count(.kl, rows.map { isOfPolicy && $0.numbers["n"] != nil ? nil : Self.divergence(of: $0) })
        prompts = prompts.filter { !$0.value.isEmpty }

        let input = DiversityInput(tables: [rows])
        add(
            try Self.spread(of: input, "ead_averaged_distinct_ngrams", seed: seed), of: input, .perInputEAD, .acrossInputEAD)
        if let spread = try embeddings() { add(spread, of: input, .perInputEmbedding, .acrossInputEmbedding) }
    }

    /// Stemmed ROUGE-L F1 of every row against its reference; nil without a reference.
    private static func overlaps(of rows: [SampleRow]) -> [Double?] {
        let rouge = ROUGE.Standard(stems: true)
        var overlaps = [Double?](repeating: nil, count: rows.count)
        overlaps.withUnsafeMutableBufferPointer { overlaps in
            nonisolated(unsafe) let places = overlaps
            Compute.forEach(rows.count) { index in
                guard let reference = rows[index].reference else { return }
                places[index] = rouge.score(rows[index].response, reference: reference).rougeL.f
            }
        }
        return overlaps
    }

    /// The contribution of a response to the KL divergence, in nats. For a sampled response it is the `kl` of its row. For a
    /// response selected among n it is the divergence of the selection: log(n·w) for a soft selection with probability w, whose
    /// mean is Σ w log(n·w), and log n − (n − 1)/n for the best of n.
    private static func divergence(of row: SampleRow) -> Double {
        guard let n = row.numbers["n"] else { return row.numbers["kl"] ?? 0 }
        guard let weight = row.numbers["weight"], n >= 1, n.isFinite, weight > 0, weight <= 1 else { return BestOfN.kl(claimed: n) }
        return logarithm(n * weight)
    }

    /// Measures the win rate against a base: the fraction of all pairs of responses to the same prompt in which the gold score
    /// prefers this system. A tie counts half.
    mutating func compare(with base: SystemMeasurement) {
        let rates = judged.reduce(into: [String: Double]()) { rates, prompt in
            let others = base.judged[prompt.key] ?? []
            guard !others.isEmpty, !prompt.value.isEmpty else { return }
            let wins = prompt.value.reduce(0.0) { sum, own in
                others.reduce(sum) { $0 + (own > $1 ? 1 : own == $1 ? 0.5 : 0) }
            }
            rates[prompt.key] = wins / Double(others.count * prompt.value.count)
        }
        prompts[.winRate] = rates.isEmpty ? nil : rates
    }

    /// The maximum number of responses to each prompt that are embedded. A mean over pairs does not depend on the number of
    /// responses.
    static let embeddedOutputs = 8

    /// The embedding diversity of a table's rows.
    static func embeddingSpread(of rows: [SampleRow], by encoder: any TextEncoder, seed: UInt64) throws -> Spread {
        try spread(
            of: DiversityInput(tables: [rows]), "sent_bert_from_sim", seed: seed, limit: embeddedOutputs,
            models: DiversityModels(encoder: encoder))
    }

    private static func spread(
        of input: DiversityInput, _ name: String, seed: UInt64, limit: Int? = nil, models: DiversityModels = DiversityModels()
    ) throws -> Spread {
        var config = DiversityConfig()
        config.metrics = [name]
        config.plan.overall = false
        config.limitOutputs = limit
        config.resamples = 1
        config.seed = seed
        let values = try DiversityMeasurement.run(input, config: config, models: models)[name]?.values
        var spread = Spread(perInput: values?.perInput?.values, across: nil)
        if let found = values?.acrossInputs {
            // jackknife variance over groups of prompts
            let groups = Double(found.leaveOutChanges.count)
            let deviation = Statistics.standardDeviation(of: found.leaveOutChanges) ?? 0
            var part = Across(
                value: found.mean, variance: deviation * deviation * max(0, groups - 1), degrees: max(0, groups - 1),
                inputs: input.groups.count)
            // with few prompts the jackknife underestimates the variance between draws, which is therefore a lower bound
            if let draws = found.drawValues, let deviation = Statistics.sampleStandardDeviation(of: draws), groups > 1 {
                let chance = deviation * deviation / Double(draws.count)
                if chance > part.variance { (part.variance, part.degrees) = (chance, Double(draws.count - 1)) }
            }
            spread.across = part
        }
        return spread
    }

    private mutating func add(
        _ spread: Spread, of input: DiversityInput, _ perInput: Experiment.Metric, _ acrossInputs: Experiment.Metric
    ) {
        if let found = spread.perInput, found.count == input.groups.count {
            var byPrompt: [String: Double] = [:]
            for (group, value) in zip(input.groups, found) { byPrompt[group.input] = value }
            if !byPrompt.isEmpty { prompts[perInput] = byPrompt }
        }
        if let found = spread.across { across[acrossInputs] = found }
    }
}

/// A quantity in several seeds, which can be compared with another before it is reported as an estimate.
struct SeedValues {
    /// One value per seed.
    var seeds: [Double]
    /// The contribution of the choice of prompts to the variance of the mean.
    var variance = 0.0
    /// The degrees of freedom of that variance.
    var degrees = 0.0

    /// The mean with its interval, clamped to the range of the metric.
    func estimate(in range: MetricRange) -> Experiment.Estimate {
        let interval = CrossedMean.interval(of: seeds, unitVariance: variance, unitDegrees: degrees)
        return .init(range.clamp(interval), seeds: seeds)
    }

    /// The difference to an independent quantity in the same seeds. The degrees of freedom follow Satterthwaite.
    func minus(_ other: SeedValues) -> SeedValues {
        let sum = variance + other.variance
        func share(_ part: SeedValues) -> Double {
            part.degrees > 0 ? part.variance * part.variance / part.degrees : 0
        }
        let shares = share(self) + share(other)
        return SeedValues(
            seeds: zip(seeds, other.seeds).map { $0 - $1 }, variance: sum, degrees: shares > 0 ? sum * sum / shares : 0)
    }

    /// Creates the means over prompts of values per seed and prompt, optionally minus those of a base on the same prompts. The
    /// means are over the prompts that all seeds have in common; if there are none, each seed's mean is over its own prompts.
    /// Nil if a seed has no values.
    init?(_ measured: [[String: Double]], minus base: [[String: Double]]? = nil) {
        var cells = measured
        if let base {
            cells = zip(measured, base).map { own, base in
                own.reduce(into: [:]) { result, cell in
                    if let other = base[cell.key] { result[cell.key] = cell.value - other }
                }
            }
        }
        guard let first = cells.first, cells.allSatisfy({ !$0.isEmpty }) else { return nil }
        let common = first.keys.filter { key in cells.allSatisfy { $0[key] != nil } }.sorted()
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        guard !common.isEmpty else {
            seeds = cells.map { cell in mean(cell.keys.sorted().compactMap { cell[$0] }) }
            return
        }
        seeds = cells.map { cell in mean(common.compactMap { cell[$0] }) }
        let units = common.map { key in mean(cells.compactMap { $0[key] }) }
        let spread = Statistics.sampleStandardDeviation(of: units) ?? 0
        (variance, degrees) = (spread * spread / Double(common.count), Double(common.count - 1))
    }

    /// The quantity multiplied by a factor.
    func times(_ factor: Double) -> SeedValues {
        SeedValues(seeds: seeds.map { $0 * factor }, variance: variance * factor * factor, degrees: degrees)
    }

    /// The mean over the seeds.
    var mean: Double { seeds.reduce(0, +) / Double(max(1, seeds.count)) }

    /// Creates the value from numbers over all prompts together. The seeds share their prompts, so the variance from prompts
    /// does not average out.
    init(_ measured: [SystemMeasurement.Across]) {
        seeds = measured.map(\.value)
        variance = measured.reduce(0) { $0 + $1.variance } / Double(max(1, measured.count))
        degrees = measured.map(\.degrees).min() ?? 0
    }

    init(seeds: [Double], variance: Double = 0, degrees: Double = 0) {
        (self.seeds, self.variance, self.degrees) = (seeds, variance, degrees)
    }
}
