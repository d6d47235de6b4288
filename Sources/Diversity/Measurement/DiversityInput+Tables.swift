public import Data

extension DiversityInput {
    /// Creates an input from tables of samples; rows are grouped by their input text.
    ///
    /// One table may hold several outputs of an input, or several tables one output each. Inputs keep the order of their first
    /// row, outputs the order of tables and rows, and references the order of first appearance. Rows with equal input text form
    /// one group even if their prompts come from different posts.
    ///
    /// - Parameters:
    ///   - tables: the rows of each table.
    ///   - maximumTables: only the first this many tables are read.
    ///   - countsSamples: whether a table with several samples per example counts as one table per sample, which is how the
    ///     published code stores them.
    public init(tables: [[SampleRow]], maximumTables: Int = 16, countsSamples: Bool = false) {
        let tables = countsSamples ? tables.flatMap(Self.samples) : tables
        var grouping = Grouping()
        for row in tables.prefix(maximumTables).joined() {
            let logProb = Output.mean(ofLogProb: row.numbers["log_prob"], tokens: row.numbers["tokens"])
            grouping.add(
                [Output(row.response, reward: row.reward, meanLogProb: logProb)], input: row.input,
                references: row.reference.map { [$0] } ?? [])
        }
        self.init(grouping.groups)
    }

    /// Splits a table by sample: the first row of every example, the second row of every example, and so on.
    private static func samples(_ table: [SampleRow]) -> [[SampleRow]] {
        var result: [[SampleRow]] = []
        var seen: [[String]: Int] = [:]
        for row in table {
            let sample = seen[[row.id, row.input], default: 0]
            seen[[row.id, row.input]] = sample + 1
            if sample == result.count { result.append([]) }
            result[sample].append(row)
        }
        return result
    }
}
