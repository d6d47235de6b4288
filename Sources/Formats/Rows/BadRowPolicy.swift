/// The treatment of rows that violate the format (`--on-bad-row`).
public enum BadRowPolicy: String, Codable, Sendable, CaseIterable {
    /// Stop at the first bad row with an error that names its file and line.
    case fail
    /// Skip bad rows, count them, and record the first ones with their location.
    case skip
}

/// The number of rows that a reader returned and skipped.
public struct RowCounts: Sendable, Equatable, CustomStringConvertible {
    /// The maximum number of skipped rows whose location is recorded. All skipped rows are counted.
    public static let rememberedProblems = 5

    /// The number of rows returned.
    public package(set) var read = 0
    /// The number of rows skipped because they violate the format.
    public package(set) var skipped = 0
    /// The first skipped rows, each as `file:line: what is wrong`.
    public package(set) var problems: [String] = []

    /// Counts of zero.
    public init() {}

    /// The sum of the counts of two files.
    public static func + (left: RowCounts, right: RowCounts) -> RowCounts {
        var sum = left
        sum.read += right.read
        sum.skipped += right.skipped
        sum.problems = Array((left.problems + right.problems).prefix(rememberedProblems))
        return sum
    }

    /// A one-line summary, such as `1,200 rows read, 3 skipped (first: train.jsonl:17: …)`.
    public var description: String {
        guard skipped > 0 else { return "\(Counted(read, "row")) read" }
        return "\(Counted(read, "row")) read, \(Counted.grouped(skipped)) skipped" + (problems.first.map { " (first: \($0))" } ?? "")
    }

    /// Handles a bad row: throws `FormatError.badRow` with the policy `fail`, otherwise counts and records it.
    package mutating func meet(_ problem: RowProblem, at location: RowLocation, policy: BadRowPolicy) throws {
        let error = FormatError.badRow(location, problem)
        guard policy == .skip else { throw error }
        skipped += 1
        if problems.count < Self.rememberedProblems { problems.append(error.description) }
    }
}
