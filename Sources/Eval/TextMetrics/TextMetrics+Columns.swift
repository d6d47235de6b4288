extension TextMetrics {
    /// Names of columns that are no metrics.
    private static let otherNames: Set<String> = ["reward", "corpus_bleu"]

    /// The numbers of texts by the built-in metrics.
    static func columns(of texts: [MeasuredText]) -> [String: [Double?]] {
        var columns: [String: [Double?]] = [:]
        for formula in formulas { columns[formula.name] = texts.map(formula.value) }
        return columns
    }

    /// The numbers of texts by metric: one for each text, nil where it has none.
    /// - Throws: ``TextMetricError`` for names that do not tell columns apart, and for numbers that are none; what a metric throws.
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

    /// - Throws: ``TextMetricError`` for names that do not tell columns apart.
    private static func checkNames(of metrics: [any TextMetric]) throws {
        var seen = otherNames
        for metric in metrics {
            if metric.name.isEmpty { throw TextMetricError.nameless }
            if !seen.insert(metric.name).inserted { throw TextMetricError.nameTaken(metric.name) }
        }
    }
}
