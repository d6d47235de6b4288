extension TextMetrics {
    /// Names of columns that are no metrics.
    private static let otherNames: Set<String> = ["reward", "corpus_bleu"]

    /// The numbers of texts by the built-in metrics.
    static func columns(of texts: [MeasuredText]) -> [String: [Double?]] {
        columns(of: texts, formulas.map { formula in (name: formula.name, value: { formula.value(of: $0) }) })
    }

    /// The numbers of texts by metric: one for each text, nil where it has none.
    /// - Throws: ``TextMetricError`` for names that do not tell columns apart, and for numbers that are none; what a metric throws.
    static func columns(of texts: [MeasuredText], by metrics: [any TextMetric]) throws -> [String: [Double?]] {
        try checkNames(of: metrics)
        return try columns(
            of: texts,
            metrics.map { metric in
                let name = metric.name
                return (
                    name: name,
                    value: { text in
                        let value = try metric.value(of: text)
                        if let value, !value.isFinite { throw TextMetricError.notFinite(metric: name, value: value) }
                        return value
                    }
                )
            })
    }

    /// - Throws: ``TextMetricError`` for names that do not tell columns apart.
    private static func checkNames(of metrics: [any TextMetric]) throws {
        var seen = otherNames
        for metric in metrics {
            if metric.name.isEmpty { throw TextMetricError.nameless }
            if !seen.insert(metric.name).inserted { throw TextMetricError.nameTaken(metric.name) }
        }
    }

    private static func columns<Failure: Error>(
        of texts: [MeasuredText], _ metrics: [(name: String, value: (MeasuredText) throws(Failure) -> Double?)]
    ) throws(Failure) -> [String: [Double?]] {
        var columns: [String: [Double?]] = [:]
        for metric in metrics {
            var column: [Double?] = []
            column.reserveCapacity(texts.count)
            for text in texts { column.append(try metric.value(text)) }
            columns[metric.name] = column
        }
        return columns
    }
}
