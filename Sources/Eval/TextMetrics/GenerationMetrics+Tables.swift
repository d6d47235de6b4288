public import Data

extension GenerationMetrics {
    /// Measures the responses of a table against its references, with the rewards and other numbers of the rows as further columns.
    ///
    /// A column that has the name of a text metric is passed over. Rows that lack a reference, a reward or a number are left out of what
    /// is made of it, and counted in ``leftOut``.
    public static func measure(_ rows: [SampleRow]) -> GenerationMetrics {
        measure(rows.map(MeasuredText.init)).with(rows)
    }

    /// The same by the given metrics.
    /// - Throws: ``TextMetricError``, and what a metric throws.
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
    /// The response of a row, with its reference where it has one.
    public convenience init(_ row: SampleRow) {
        self.init(row.response, input: row.input, references: row.reference.map { [$0] })
    }
}
