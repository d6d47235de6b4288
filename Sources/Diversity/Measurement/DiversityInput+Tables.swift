public import Data

extension DiversityInput {
    /// From tables of samples: rows are grouped by their input.
    ///
    /// One table may hold several outputs of an input, or each table one. Inputs keep the order of their first row;
    /// outputs the order of tables and rows; the references are gathered, the first one first. Rows with equal inputs are one
    /// group even where the prompts came from different posts.
    ///
    /// - Parameters:
    ///   - tables: the rows of each table.
    ///   - maximumTables: further tables are not looked at.
    ///   - countsSamples: whether a table that holds several samples of an example counts as one table for each of them, as the original
    ///     stores them.
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

    /// The first row of every example, the second row of every example, and so on.
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
