internal import Formats

/// The reason why a response has no valid reward.
public enum RewardError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A reward that needs references received prompts without one: the number of such prompts, the number of all prompts, and
    /// the first such prompt.
    case noReference(prompts: Int, of: Int, first: String)
    /// A pattern is not a valid regular expression.
    case badPattern(String, reason: String)
    /// An external scorer does not run, has ended, or gives invalid answers.
    case scorer(command: String, problem: String)
    /// A text has more tokens than the reward model has positions.
    case tooLong(tokens: Int, limit: Int)
    /// A reward is NaN or outside the range of 32-bit floats, which training uses; `response` counts from 0 within the call.
    case outOfRange(Double, response: Int)
    /// A reward that compares a response with other answers to its prompt has none for this prompt.
    case noSamples(prompt: String)
    /// A reward function returned a different number of rewards than responses.
    case wrongCount(Int, expected: Int)

    /// One line that says what is wrong and how to fix it.
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
