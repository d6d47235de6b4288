public import Data

extension GenerationMetrics {
    /// Measures the responses of a table against its references, with the rewards and other numbers of the rows as
    /// further columns, as far as every row has them.
    ///
    /// A column that has the name of a text metric is passed over. A row without a reference scores 0.
    public static func measure(_ rows: [SampleRow]) -> GenerationMetrics {
        var metrics = measure(rows.map(\.response), references: rows.map { $0.reference.map { [$0] } ?? [] })
        let rewards = rows.compactMap(\.reward)
        if !rows.isEmpty, rewards.count == rows.count { metrics.add(rewards, named: "reward") }
        for name in rows.first?.numbers.keys.sorted() ?? [] where metrics.columns[name] == nil {
            let values = rows.compactMap { $0.numbers[name] }
            if values.count == rows.count { metrics.add(values, named: name) }
        }
        return metrics
    }
}
