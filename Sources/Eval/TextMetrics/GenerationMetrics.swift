/// Text metrics of generated texts against references: one number per text and metric, from which means and intervals are
/// computed.
public struct GenerationMetrics: Codable, Sendable, Equatable {
    /// One number per text, by metric name. Texts counted in ``leftOut`` are missing from a column.
    public private(set) var columns: [String: [Double]]
    /// The number of texts that were left out, by what they lack: `reference`, or the name of an additional column.
    public private(set) var leftOut: [String: Int] = [:]
    /// Corpus BLEU in `sacrebleu`'s default form, 0…100; nil if no text has references.
    public var corpusBLEU: Double?

    /// The names of the metrics that ``measure(_:references:)`` computes; see ``TextMetrics/builtIn``.
    public static let names = TextMetrics.formulas.map(\.name)

    /// Measures texts with the built-in metrics.
    ///
    /// - Parameters:
    ///   - texts: the generated texts.
    ///   - references: the references of each text; a text with an empty list scores 0.
    public static func measure(_ texts: [String], references: [[String]]) -> GenerationMetrics {
        precondition(
            texts.count == references.count, "\(texts.count) texts but \(references.count) lists of references")
        return measure(zip(texts, references).map { MeasuredText($0, references: $1) })
    }

    /// Measures texts with the built-in metrics. Texts without references are left out of the metrics that need one, and
    /// counted.
    static func measure(_ texts: [MeasuredText]) -> GenerationMetrics {
        GenerationMetrics(texts, TextMetrics.columns(of: texts))
    }

    /// Measures texts with the given metrics. Texts for which a metric has no value are left out of its column, and counted.
    /// - Throws: ``TextMetricError``; any error that a metric throws.
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

    /// Adds a column of further numbers about the same texts, such as rewards, token counts or divergences.
    public mutating func add(_ values: [Double], named name: String) {
        let count = columns["words"]?.count ?? values.count
        precondition(values.count == count, "column \(name) has \(values.count) values for \(count) texts")
        columns[name] = values
    }

    /// Adds a column of numbers that some texts may lack; those texts are left out and counted. Nothing is added if all texts
    /// lack the number.
    mutating func add(known values: [Double?], named name: String) {
        let known = values.compactMap { $0 }
        guard !known.isEmpty else { return }
        columns[name] = known
        if known.count < values.count { leftOut[name] = values.count - known.count }
    }

    /// Count, mean with interval, median and standard deviation of every column. Columns are processed in alphabetical order,
    /// so the intervals are reproducible.
    public func summaries(
        resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> [String: GroupSummary] {
        var summaries: [String: GroupSummary] = [:]
        for (name, values) in columns.sorted(by: { $0.key < $1.key }) {
            summaries[name] = GroupSummary(of: values, resamples: resamples, using: &generator)
        }
        return summaries
    }

    /// The values in the flat form of the published code: `average_` and `median_` of every column, with means of text metrics
    /// (``names``) rounded to four decimals; and the counts of ``leftOut`` with the prefix `without_`.
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
