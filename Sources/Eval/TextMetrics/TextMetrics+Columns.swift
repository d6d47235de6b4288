import Tensor

extension TextMetrics {
    /// Names of columns that are not text metrics.
    private static let otherNames: Set<String> = ["reward", "corpus_bleu"]

    /// The values of the built-in metrics for each text.
    static func columns(of texts: [MeasuredText]) -> [String: [Double?]] { columns(of: texts, by: formulas) }

    /// The values of formulas for each text, computed on all threads.
    private static func columns(of texts: [MeasuredText], by formulas: [TextFormula]) -> [String: [Double?]] {
        // a text belongs to one thread at a time, because it keeps intermediate results
        let areDistinct = Set(texts.map(ObjectIdentifier.init)).count == texts.count
        let rows = Compute.$threads.withValue(areDistinct ? Compute.threads : 1) {
            Compute.map(texts.count) { index in formulas.map { $0.value(of: texts[index]) } }
        }
        var columns: [String: [Double?]] = [:]
        for (place, formula) in formulas.enumerated() { columns[formula.name] = rows.map { $0[place] } }
        return columns
    }

    /// The values of metrics for each text, by metric name; nil for a text without a value. Built-in metrics are computed on all
    /// threads, the others on the calling one.
    /// - Throws: ``TextMetricError`` for empty or duplicate names, and for values that are NaN or Inf; any error that a metric
    ///   throws.
    static func columns(of texts: [MeasuredText], by metrics: [any TextMetric]) throws -> [String: [Double?]] {
        try checkNames(of: metrics)
        var columns = columns(of: texts, by: metrics.compactMap { $0 as? TextFormula })
        for metric in metrics where !(metric is TextFormula) {
            columns[metric.name] = try texts.map { text in
                let value = try metric.value(of: text)
                if let value, !value.isFinite { throw TextMetricError.notFinite(metric: metric.name, value: value) }
                return value
            }
        }
        return columns
    }

    /// Checks that the names are not empty and distinguish all columns.
    /// - Throws: ``TextMetricError``.
    private static func checkNames(of metrics: [any TextMetric]) throws {
        var seen = otherNames
        for metric in metrics {
            if metric.name.isEmpty { throw TextMetricError.nameless }
            if !seen.insert(metric.name).inserted { throw TextMetricError.nameTaken(metric.name) }
        }
    }
}
