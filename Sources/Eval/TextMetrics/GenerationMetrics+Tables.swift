public import Data

extension GenerationMetrics {
    /// Measures the responses of a table against its references with the built-in metrics, and adds the rewards and other
    /// numbers of the rows as columns.
    ///
    /// A column with the name of a text metric is skipped. Rows without a reference, reward or number are left out of the
    /// columns that need it, and counted in ``leftOut``.
    public static func measure(_ rows: [SampleRow]) -> GenerationMetrics {
        measure(rows.map(MeasuredText.init)).with(rows)
    }

    /// Measures the responses of a table with the given metrics, and adds the rewards and other numbers of the rows as columns.
    /// - Throws: ``TextMetricError``; any error that a metric throws.
    public static func measure(_ rows: [SampleRow], metrics: [any TextMetric]) throws -> GenerationMetrics {
        try measure(rows.map(MeasuredText.init), metrics: metrics).with(rows)
    }

    private func with(_ rows: [SampleRow]) -> GenerationMetrics {
        var metrics = self
        metrics.add(known: rows.map(\.reward), named: "reward")
        for name in Set(rows.flatMap(\.numbers.keys)).sorted() where metrics.columns[name] == nil {
            metrics.add(known: rows.map { $0.numbers[name] }, named: name)
        }
        return metrics
    }
}

extension MeasuredText {
    /// The response of a row, with its reference if there is one.
    public convenience init(_ row: SampleRow) {
        self.init(row.response, input: row.input, references: row.reference.map { [$0] })
    }
}
