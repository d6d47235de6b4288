/// All text metrics of generated texts against references, one number per text, ready for means and intervals.
public struct GenerationMetrics: Codable, Sendable, Equatable {
    /// One number per text by metric name; a list is shorter by the texts that ``leftOut`` counts.
    public private(set) var columns: [String: [Double]]
    /// How many texts lack what a column is made of, by what they lack: `reference`, or the name of a further column. The rest counts.
    public private(set) var leftOut: [String: Int] = [:]
    /// Corpus BLEU in `sacrebleu`'s default form, 0…100; nil without texts.
    public var corpusBLEU: Double?

    /// The metrics that ``measure(_:references:)`` computes, see ``TextMetrics/builtIn``.
    public static let names = TextMetrics.formulas.map(\.name)

    /// Measures texts by the built-in metrics.
    ///
    /// - Parameters:
    ///   - texts: what was generated.
    ///   - references: for each text its references; a text without any scores 0.
    public static func measure(_ texts: [String], references: [[String]]) -> GenerationMetrics {
        precondition(
            texts.count == references.count, "\(texts.count) texts but \(references.count) lists of references")
        return measure(zip(texts, references).map { MeasuredText($0, references: $1) })
    }

    /// The same where texts may have no references: those are left out of the metrics that need one, and counted.
    static func measure(_ texts: [MeasuredText]) -> GenerationMetrics {
        GenerationMetrics(texts, TextMetrics.columns(of: texts))
    }

    /// Measures texts by the given metrics. Texts for which a metric has no number are left out of its column, and counted.
    /// - Throws: ``TextMetricError``, and what a metric throws.
    public static func measure(_ texts: [MeasuredText], metrics: [any TextMetric]) throws -> GenerationMetrics {
        GenerationMetrics(texts, try TextMetrics.columns(of: texts, by: metrics))
    }

    private init(_ texts: [MeasuredText], _ values: [String: [Double?]]) {
        columns = values.mapValues { $0.compactMap { $0 } }
        let known = texts.compactMap { text in text.references.map { (text.text, $0) } }
        corpusBLEU = known.isEmpty ? nil : BLEU.corpus.score(corpus: known.map(\.0), references: known.map(\.1)).score
        if known.count < texts.count { leftOut["reference"] = texts.count - known.count }
        for (name, column) in columns where !Self.names.contains(name) && column.count < texts.count {
            leftOut[name] = texts.count - column.count
        }
    }

    /// Adds a column of numbers about the same texts: rewards, token counts, divergences.
    public mutating func add(_ values: [Double], named name: String) {
        let count = columns["words"]?.count ?? values.count
        precondition(values.count == count, "column \(name) has \(values.count) values for \(count) texts")
        columns[name] = values
    }

    /// Adds a column of numbers that some texts do not have; those are left out and counted. Nothing is added where no text has one.
    mutating func add(known values: [Double?], named name: String) {
        let known = values.compactMap { $0 }
        guard !known.isEmpty else { return }
        columns[name] = known
        if known.count < values.count { leftOut[name] = values.count - known.count }
    }

    /// Mean with interval, median and spread of every column; columns are summarised in the order of their names.
    public func summaries(
        resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> [String: GroupSummary] {
        var summaries: [String: GroupSummary] = [:]
        for (name, values) in columns.sorted(by: { $0.key < $1.key }) {
            summaries[name] = GroupSummary(of: values, resamples: resamples, using: &generator)
        }
        return summaries
    }

    /// The original's flat form: `average_` and `median_` of every column, means of text metrics (``names``) rounded to four decimals; and
    /// `without_` before what some texts lack, how many.
    public var averagesAndMedians: [String: Double] {
        var flat: [String: Double] = [:]
        for (name, values) in columns {
            flat["average_" + name] = Statistics.mean(of: values).map {
                Self.names.contains(name) ? ($0 * 10000).rounded(.toNearestOrEven) / 10000 : $0
            }
            flat["median_" + name] = Statistics.median(of: values)
        }
        for (name, count) in leftOut { flat["without_" + name] = Double(count) }
        return flat
    }
}
