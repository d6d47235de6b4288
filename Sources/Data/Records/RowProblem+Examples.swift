public import Formats

/// Problems of rows that are well-formed but not valid examples.
extension RowProblem {
    /// A comparison whose `choice` is neither 0 nor 1.
    public static func choiceOutOfRange(_ value: Int) -> RowProblem { .unfit("\"choice\" must be 0 or 1, not \(value)") }

    /// A comparison that does not have exactly two summaries.
    public static func wrongNumberOfSummaries(_ count: Int) -> RowProblem { .unfit("\"summaries\" must hold 2 summaries, not \(count)") }

    /// An ID that an earlier row of the same file, or of another shard of it, already has.
    public static func duplicateID(_ id: String, firstLine: Int, file: String? = nil) -> RowProblem {
        .unfit("the id \(OneLine.quoted(id)) was already used in line \(firstLine)" + (file.map { " of \($0)" } ?? ""))
    }

    /// A numeric column of a table that is not finite or has the name of a fixed column.
    public static func invalidColumn(_ name: String) -> RowProblem {
        .unfit("the numeric column \(OneLine.quoted(name)) is NaN or Inf, or has the name of a fixed column")
    }

    /// A reward outside the range of 32-bit floats.
    public static func rewardOutOfRange(_ value: Double) -> RowProblem {
        .unfit("the reward \(value) is out of range; expected at most ±\(Float.greatestFiniteMagnitude)")
    }
}
