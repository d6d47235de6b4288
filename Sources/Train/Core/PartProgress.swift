/// The progress of a part of a stage that is not one of its steps: the scores for a normalisation, or the texts of an evaluation.
public struct PartProgress: Equatable, Sendable {
    /// The label of progress lines.
    public var name: String
    /// What is counted, in the singular: `pair`, `response`.
    public var unit: String
    /// The number of items that are done: 0 at the beginning, ``total`` at the end. With several ranks, it is estimated between
    /// these from the share of one rank.
    public var done: Int
    /// The number of all items.
    public var total: Int
    /// The number of tokens that were processed, estimated in the same way; 0 if they are not counted.
    public var tokens: Int

    /// The progress of a part; see the properties.
    public init(_ name: String, unit: String, done: Int, total: Int, tokens: Int = 0) {
        (self.name, self.unit, self.done, self.total, self.tokens) = (name, unit, done, total, tokens)
    }
}

/// Receives the numbers of items done and of tokens processed in a part of a stage.
public typealias PartProgressHandler = (_ done: Int, _ tokens: Int) throws -> Void

extension Collective {
    /// Does a part of a stage, and reports its beginning, its progress and its end.
    /// - Parameters:
    ///   - name: the label of progress lines.
    ///   - total: the number of items. Nothing is reported if it is 0.
    ///   - unit: what is counted, in the singular.
    ///   - handler: receives the events. It may throw on one rank.
    ///   - work: the part, with the closure that it calls on the way, only where an error of one rank reaches the others
    ///     (``together(_:)``).
    package func reporting<Result>(
        _ name: String, _ total: Int, unit: String, to handler: @escaping TrainingEventHandler,
        _ work: (PartProgressHandler) throws -> Result
    ) throws -> Result {
        guard total > 0 else { return try work { _, _ in } }
        var last = PartProgress(name, unit: unit, done: 0, total: total)
        try together { try handler(.part(last)) }
        let result = try work { done, tokens in
            last = PartProgress(name, unit: unit, done: max(1, done), total: total, tokens: tokens)
            // the end is reported when every rank has finished
            if done < total { try handler(.part(last)) }
        }
        last.done = total
        try together { try handler(.part(last)) }
        return result
    }

    /// The handler for a rank's share of some items, which estimates the progress of all ranks. The shares are about equal.
    func estimating(_ share: Int, of total: Int, _ progress: PartProgressHandler, _ done: Int, _ tokens: Int) throws {
        guard size > 1, share > 0 else { return try progress(done, tokens) }
        let scale = Double(total) / Double(share)
        try progress(min(total, Int(Double(done) * scale)), Int(Double(tokens) * scale))
    }
}
