/// Checks answers to the instructions of ``GeneratedInstructions``. It needs only the text of the prompt.
public struct InstructionCheck: Sendable, Equatable {
    private let tasks: [InstructionTask]

    /// Creates a check for the last instruction in a prompt, which must be on its own line.
    /// - Returns: nil for a prompt without an instruction.
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

    /// The score of an answer, from 0 to 1: 1 if every task is fulfilled and there is nothing else; otherwise the mean
    /// over the tasks (or over the given answers, if there are more) of at most 0.5 each.
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
