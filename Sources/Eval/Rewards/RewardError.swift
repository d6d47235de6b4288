internal import Formats

/// Why a response cannot be judged.
public enum RewardError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A reward that compares got prompts without a reference: how many of those that it was asked about, and the first of them.
    case noReference(prompts: Int, of: Int, first: String)
    /// A regular expression that is none.
    case badPattern(String, reason: String)
    /// An external scorer that does not run, has ended, or answers with something else than scores.
    case scorer(command: String, problem: String)
    /// A text that the reward model has no positions for.
    case tooLong(tokens: Int, limit: Int)
    /// A reward that is NaN or beyond the range of 32-bit floats, in which training computes; `response` counts from 0 within the call.
    case outOfRange(Double, response: Int)
    /// A reward that compares a response with other answers to its prompt, and there are none.
    case noSamples(prompt: String)
    /// A reward function that gave more or fewer rewards than there are responses.
    case wrongCount(Int, expected: Int)

    /// One line: what is wrong and what to do.
    public var description: String {
        switch self {
        case .noReference(let prompts, let count, let first):
            "this reward compares with a reference, and \(prompts) of \(count) prompts have none, the first of them \(OneLine.quoted(first, limit: 60)); "
                + "leave them out, or take a reward that needs none"
        case .badPattern(let pattern, let reason): "'\(pattern)' is no regular expression: \(reason)"
        case .scorer(let command, let problem):
            "the scorer '\(command)' \(problem); it must answer every line {\"id\": n, \"query\": …, \"response\": …, \"reference\": …} "
                + "with one line {\"id\": n, \"score\": number}, in any order, and flush it"
        case .tooLong(let tokens, let limit):
            "prompt, response and end have \(tokens) tokens, but the reward model has only \(limit) positions; lower --max-source-length "
                + "or ask for fewer new tokens"
        case .outOfRange(let value, let response):
            "the reward of response \(response) is \(value); rewards must be numbers within ±\(Float.greatestFiniteMagnitude)"
        case .noSamples(let prompt):
            "there are no samples of the prompt \(OneLine.quoted(prompt, limit: 60)) to compare its answers with; every prompt that is trained "
                + "on or evaluated needs some: sample-best-of-n --evaluation-splits train,validation,ood_validation draws them"
        case .wrongCount(let count, let expected): "the reward function gave \(count) rewards for \(expected) responses"
        }
    }
}
