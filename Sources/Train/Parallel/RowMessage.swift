package import Data

/// The row of a table as ranks send it. Unlike a row of a file, it may hold NaN and Inf.
package struct RowMessage: Codable {
    private var id: String
    private var input: String
    private var response: String
    private var reference: String?
    private var reward: Double?
    private var numbers: [String: Double]
    private var tokens: [Int32]?

    /// The message of a row.
    package init(_ row: SampleRow) {
        (id, input, response, reference) = (row.id, row.input, row.response, row.reference)
        (reward, numbers, tokens) = (row.reward, row.numbers, row.tokens)
    }

    /// The row of the message.
    package var row: SampleRow {
        SampleRow(id: id, input: input, response: response, reference: reference, reward: reward, numbers: numbers, tokens: tokens)
    }
}
