public import Data

extension DiversityInput {
    /// From tables of samples: rows are grouped by their input.
    ///
    /// One table may hold several outputs of an input, or each table one. Inputs keep the order of their first row;
    /// outputs the order of tables and rows; the reference is the first that appears. Rows with equal inputs are one
    /// group even where the prompts came from different posts.
    ///
    /// - Parameters:
    ///   - tables: the rows of each table.
    ///   - maximumTables: further tables are not looked at.
    public init(tables: [[SampleRow]], maximumTables: Int = 16) {
        var grouping = Grouping()
        for row in tables.prefix(maximumTables).joined() {
            grouping.add([Output(row.response, reward: row.reward)], input: row.input, reference: row.reference)
        }
        self.init(grouping.groups)
    }
}
