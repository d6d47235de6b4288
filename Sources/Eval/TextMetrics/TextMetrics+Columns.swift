extension TextMetrics {
    /// Names of columns that are not text metrics.
    private static let otherNames: Set<String> = ["reward", "corpus_bleu"]

    /// The values of the built-in metrics for each text.
    static func columns(of texts: [MeasuredText]) -> [String: [Double?]] {
        var columns: [String: [Double?]] = [:]
        for formula in formulas { columns[formula.name] = texts.map(formula.value) }
        return columns
    }

    /// The values of metrics for each text, by metric name; nil for a text without a value.
    /// - Throws: ``TextMetricError`` for empty or duplicate names, and for values that are NaN or Inf; any error that a metric
    ///   throws.
    static func columns(of texts: [MeasuredText], by metrics: [any TextMetric]) throws -> [String: [Double?]] {
        try checkNames(of: metrics)
        var columns: [String: [Double?]] = [:]
        for metric in metrics {
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
