/// What a reader does with a row that breaks the format (`--on-bad-row`).
public enum BadRowPolicy: String, Codable, Sendable, CaseIterable {
    /// Stop at the first one and name its file and line.
    case fail
    /// Leave it out, count it, and keep its place for the report.
    case skip
}

/// What a reader met: how many rows it gave out and which it left out.
public struct RowCounts: Sendable, Equatable, CustomStringConvertible {
    /// At most this many skipped rows are remembered with their places; all are counted.
    public static let rememberedProblems = 5

    /// Rows handed out.
    public package(set) var read = 0
    /// Rows left out because they break the format.
    public package(set) var skipped = 0
    /// The first few rows that were left out, each as `file:line: what is wrong`.
    public package(set) var problems: [String] = []

    /// Nothing has been read yet.
    public init() {}

    /// The sum of two files' counts.
    public static func + (left: RowCounts, right: RowCounts) -> RowCounts {
        var sum = left
        sum.read += right.read
        sum.skipped += right.skipped
        sum.problems = Array((left.problems + right.problems).prefix(rememberedProblems))
        return sum
    }

    /// One line for people, such as `1200 rows read, 3 skipped (first: train.jsonl:17: …)`.
    public var description: String {
        guard skipped > 0 else { return "\(read) rows read" }
        return "\(read) rows read, \(skipped) skipped" + (problems.first.map { " (first: \($0))" } ?? "")
    }

    /// Notes a bad row under `policy`: throws it or counts it.
    package mutating func meet(_ problem: RowProblem, at location: RowLocation, policy: BadRowPolicy) throws {
        let error = FormatError.badRow(location, problem)
        guard policy == .skip else { throw error }
        skipped += 1
        if problems.count < Self.rememberedProblems { problems.append(error.description) }
    }
}
