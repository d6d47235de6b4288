/// Why a response cannot be judged.
public enum RewardError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A reward that compares got an example without a reference.
    case noReference
    /// A regular expression that is none.
    case badPattern(String, reason: String)
    /// An external scorer that does not run, has ended, or answers with something else than scores.
    case scorer(command: String, problem: String)
    /// A text that the reward model has no positions for.
    case tooLong(tokens: Int, limit: Int)

    /// One line: what is wrong and what to do.
    public var description: String {
        switch self {
        case .noReference: "this reward compares with a reference summary, and the example has none"
        case .badPattern(let pattern, let reason): "'\(pattern)' is no regular expression: \(reason)"
        case .scorer(let command, let problem):
            "the scorer '\(command)' \(problem); it must answer every line {\"id\": n, \"query\": …, \"response\": …, \"reference\": …} "
                + "with one line {\"id\": n, \"score\": number}, in any order, and flush it"
        case .tooLong(let tokens, let limit):
            "prompt, response and end have \(tokens) tokens, but the reward model has only \(limit) positions; lower --max-source-length "
                + "or ask for fewer new tokens"
        }
    }
}
