public import Data

extension GenerationMetrics {
    /// Measures the responses of a table against its references, with the rewards and other numbers of the rows as further columns.
    ///
    /// A column that has the name of a text metric is passed over. Rows that lack a reference, a reward or a number are left out of what
    /// is made of it, and counted in ``leftOut``.
    public static func measure(_ rows: [SampleRow]) -> GenerationMetrics {
        var metrics = measure(rows.map(\.response), references: rows.map { $0.reference.map { [$0] } })
        metrics.add(known: rows.map(\.reward), named: "reward")
        for name in Set(rows.flatMap(\.numbers.keys)).sorted() where metrics.columns[name] == nil {
            metrics.add(known: rows.map { $0.numbers[name] }, named: name)
        }
        return metrics
    }
}
