/// Checks answers to the instructions of ``GeneratedInstructions``, of which it needs the text alone.
public struct InstructionCheck: Sendable, Equatable {
    private let tasks: [InstructionTask]

    /// The check of the last instruction in a prompt, which stands in a line of its own.
    /// - Returns: nil for a prompt without one.
    public init?(prompt: String) {
        for line in prompt.split(separator: "\n").reversed() {
            let parts = InstructionSequence.parts(of: line)
            let tasks = parts.compactMap(InstructionWording.task)
            guard !tasks.isEmpty, tasks.count == parts.count else { continue }
            self.tasks = tasks
            return
        }
        return nil
    }

    /// How right an answer is: 1 where all that is asked for is fulfilled and nothing else is said, otherwise the mean over what is asked for of up to
    /// a half each.
    public func score(_ answer: String) -> Double {
        let parts = answer.split(separator: ";", omittingEmptySubsequences: false).map(Self.words)
        let scores = tasks.indices.map { parts.indices.contains($0) ? tasks[$0].score(parts[$0]) : 0 }
        if parts.count == tasks.count, scores.allSatisfy({ $0 == 1 }) { return 1 }
        return scores.reduce(0) { $0 + min($1, 0.5) } / Double(max(parts.count, tasks.count))
    }

    private static func words(_ text: Substring) -> [String] {
        text.lowercased().split { $0.isWhitespace || $0 == "," || $0 == "." }.map(String.init)
    }
}
