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
            "this reward needs references, but \(prompts) of \(Counted(count, "prompt")) \(Counted.form(prompts, "has", "have")) none "
                + "(first: \(OneLine.quoted(first, limit: 60))); "
                + "remove these prompts or use a reward without references"
        case .badPattern(let pattern, let reason): "'\(pattern)' is not a valid regular expression: \(reason)"
        case .scorer(let command, let problem):
            "the scorer '\(command)' \(problem); it must answer every line {\"id\": n, \"query\": …, \"response\": …, \"reference\": …} "
                + "with one line {\"id\": n, \"score\": number}, in any order, and flush it"
        case .tooLong(let tokens, let limit):
            "prompt, response and end-of-sequence token have \(Counted(tokens, "token")), but the reward model's context is \(limit); lower "
                + "--max-source-length or the number of new tokens"
        case .outOfRange(let value, let response):
            "the reward of response \(response) is \(value); rewards must be finite and within ±\(Float.greatestFiniteMagnitude)"
        case .noSamples(let prompt):
            "there are no samples for the prompt \(OneLine.quoted(prompt, limit: 60)); every training and evaluation prompt needs some; "
                + "create them with sample-best-of-n --evaluation-splits train,validation,ood_validation"
        case .wrongCount(let count, let expected):
            "the reward function returned \(Counted(count, "reward")) for \(Counted(expected, "response"))"
        }
    }
}
