import Data
package import Eval
import Formats
import Foundation
public import Study

/// Settings for the questions to a judge, and for reaching a judge behind HTTP.
public struct JudgeSettings: Settings {
    /// The name of the model in requests to `judgeUrl`.
    public var judgeModel: String?
    /// The environment variable that holds the service's API key.
    public var judgeKeyVariable = "OPENAI_API_KEY"
    /// The built-in question: summaries, or instructions (for answers to instructions).
    public var judgePrompt = "summaries"
    /// A file with the question, instead of `judgePrompt`, with the placeholders {input}, {first}, {second}, {label_1} and {label_2}.
    public var judgeTemplate: String?
    /// The labels of the two texts in questions to `judgeUrl`. Default: model_1,model_2, or A,B with log-probs.
    public var judgeLabels: [String] = []
    /// How the verdict of `judgeUrl` is read: answer (from the text), or log-probs (the two labels weighted by their log-probabilities
    /// as the first token).
    public var judgeVerdict = "answer"
    /// Whether the question of `judgePrompt` allows a tie.
    public var judgeTies = false
    /// The sampling temperature of the judge.
    public var judgeTemperature = 0.0
    /// The maximum number of tokens in a judge's answer; 1 with log-probs.
    public var judgeMaxTokens = 64
    /// The number of log-probabilities to request.
    public var judgeTopLogProbs = 5
    /// The maximum number of concurrent requests to `judgeUrl`.
    public var judgeConcurrency = 4
    /// The timeout of a request to `judgeUrl`, in seconds.
    public var judgeTimeout = 120.0
    /// The maximum number of attempts per question.
    public var judgeAttempts = 5
    /// The file that caches the service's answers, so that no question with a verdict is asked twice. Questions whose cached answer
    /// has no verdict are asked again. Default: judge-cache.jsonl in `outputDir`.
    public var judgeCache: String?
    /// The folder of the judge's tokenizer, or its GGUF file. Prompts are then counted in tokens to detect truncation by the service.
    public var judgeTokenizer: String?
    /// Whether the run ends if the service reports fewer tokens for a prompt than the prompt has.
    public var judgeTokenCheck = true
    /// The price of a million prompt tokens.
    public var judgePriceIn: Double?
    /// The price of a million answer tokens.
    public var judgePriceOut: Double?
    /// A JSONL file of {"input", "difficulty"}, for the length-controlled win rates of alpaca_eval that use the difficulty of
    /// instructions.
    public var instructionDifficulties: String?
    /// A JSONL file of alpaca_eval's gamed baseline, {"preference", "std_delta_len", "instruction_difficulty"}, for
    /// length_controlled_v1.
    public var gamedAnnotations: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        func check<Choice: RawRepresentable<String> & CaseIterable>(_ word: String, _ option: String, _: Choice.Type) throws {
            guard Choice(rawValue: word) == nil else { return }
            throw InvalidSetting("\(option) is '\(word)'; it takes \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        try check(judgePrompt, "--judge-prompt", JudgePrompt.Subject.self)
        try check(judgeVerdict, "--judge-verdict", JudgeChat.Reading.self)
        guard judgeTemperature.isFinite, judgeTemperature >= 0 else {
            throw InvalidSetting("--judge-temperature must be a number of at least 0")
        }
        guard judgeMaxTokens > 0, judgeConcurrency > 0, judgeAttempts > 0, judgeTimeout > 0 else {
            throw InvalidSetting("--judge-max-tokens, --judge-concurrency, --judge-attempts and --judge-timeout must be above 0")
        }
        guard judgeConcurrency <= 256 else { throw InvalidSetting("--judge-concurrency is above 256") }
        guard judgeTimeout <= 86_400 else { throw InvalidSetting("--judge-timeout is above 86400 s, a day") }
        guard (2...20).contains(judgeTopLogProbs) else { throw InvalidSetting("--judge-top-log-probs must be from 2 to 20") }
        for (option, price) in [("--judge-price-in", judgePriceIn), ("--judge-price-out", judgePriceOut)] {
            if let price, !(price.isFinite && price >= 0) { throw InvalidSetting("\(option) must be a number of at least 0") }
        }
        // a key given here by mistake must not appear in a run folder or in the error message
        guard Self.isVariable(judgeKeyVariable) else {
            throw InvalidSetting("--judge-key-variable takes the name of an environment variable (letters, digits and _), not a key")
        }
        if judgeTemplate != nil, judgeTies {
            throw InvalidSetting("--judge-ties has no effect on --judge-template; offer a tie in the template itself")
        }
        if judgeTemplate != nil, judgePrompt != Self().judgePrompt {
            throw InvalidSetting("--judge-template replaces --judge-prompt; give one of them")
        }
        switch reading {
        case .answer where judgeTopLogProbs != Self().judgeTopLogProbs:
            throw InvalidSetting("--judge-top-log-probs needs --judge-verdict log-probs")
        case .logProbabilities where judgeMaxTokens != Self().judgeMaxTokens:
            throw InvalidSetting("--judge-max-tokens needs --judge-verdict answer; with log-probs, an answer has one token")
        default: break
        }
        guard judgeTokenizer == nil || judgeTokenCheck else {
            throw InvalidSetting("--judge-tokenizer is used only by --judge-token-check, which is off")
        }
        _ = try labels
        guard gamedAnnotations == nil || instructionDifficulties != nil else {
            throw InvalidSetting("--gamed-annotations needs --instruction-difficulties; the fit uses both")
        }
    }

    private static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 }
    }

    package var reading: JudgeChat.Reading { JudgeChat.Reading(rawValue: judgeVerdict) ?? .answer }

    /// The labels of the texts in questions to the service.
    package var labels: JudgeLabels {
        get throws {
            guard !judgeLabels.isEmpty else { return reading == .answer ? .names : .letters }
            guard judgeLabels.count == 2 else { throw InvalidSetting("--judge-labels takes two words, not \(judgeLabels.count)") }
            do {
                return try JudgeLabels(judgeLabels[0], judgeLabels[1])
            } catch {
                throw InvalidSetting("--judge-labels: \(error)")
            }
        }
    }

    /// The function that writes the text of a question.
    /// - Parameter isForService: whether the question is for `judgeUrl`. Questions for programs and files use fixed labels.
    /// - Throws: `FormatError` for an invalid template; `InvalidSetting` for invalid labels.
    package func prompt(isForService: Bool) throws -> @Sendable (PairwiseQuestion) -> String {
        let labels = isForService ? try labels : .names
        if let judgeTemplate {
            do {
                let template = try JudgeTemplate(contentsOf: URL(fileURLWithPath: judgeTemplate))
                return { template.text(for: $0, labels: labels) }
            } catch let problem as JudgeTemplate.Problem {
                throw FormatError.badFile(path: judgeTemplate, reason: problem.description)
            }
        }
        let subject = JudgePrompt.Subject(rawValue: judgePrompt) ?? .summaries
        let closing: JudgePrompt.Closing = isForService && reading == .logProbabilities ? .word : .list
        let ties = judgeTies
        return { JudgePrompt.text(for: $0, subject, labels: labels, closing: closing, allowsTies: ties) }
    }

    /// The requests to the service: prompts, sampling options and the token check.
    package func chat(seed: UInt64) throws -> JudgeChat {
        var chat = JudgeChat(model: judgeModel ?? "", labels: try labels, reading: reading, prompt: try prompt(isForService: true))
        chat.temperature = judgeTemperature
        // services accept signed 32-bit seeds
        chat.seed = Int(seed % (1 << 31))
        chat.maxTokens = judgeMaxTokens
        chat.topLogProbabilities = judgeTopLogProbs
        chat.check.isOn = judgeTokenCheck
        if let judgeTokenizer {
            let tokenizer = try TokenizerFolder.load(from: URL(fileURLWithPath: judgeTokenizer))
            chat.check.tokens = { tokenizer.encode($0, addingSpecialTokens: false).count }
        }
        return chat
    }

    /// The difficulties of inputs by input; nil if `instructionDifficulties` is not set.
    package func difficulties() throws -> [String: Double]? {
        guard let instructionDifficulties else { return nil }
        struct Row: Codable {
            var input: String
            var difficulty: Double
        }
        var found: [String: Double] = [:]
        try JSONLines<Row>(URL(fileURLWithPath: instructionDifficulties)).readEach { row, _ in
            if let other = found.updateValue(row.difficulty, forKey: row.input), other != row.difficulty {
                throw RowProblem.unfit("the input has two difficulties, \(other) and \(row.difficulty); expected one")
            }
        }
        return found
    }

    /// The comparisons of alpaca_eval's gamed baseline; nil if `gamedAnnotations` is not set.
    package func gamed() throws -> [AlpacaEvalWinRate.GamedComparison]? {
        guard let gamedAnnotations else { return nil }
        struct Row: Codable {
            var preference: Double?
            var std_delta_len: Double
            var instruction_difficulty: Double
        }
        var found: [AlpacaEvalWinRate.GamedComparison] = []
        try JSONLines<Row>(URL(fileURLWithPath: gamedAnnotations)).readEach { row, _ in
            // skip comparisons without a preference
            guard let preference = row.preference else { return }
            guard (0...1).contains(preference) else {
                throw RowProblem.wrongNumber(field: "preference", expected: "a number from 0 to 1", got: "\(preference)")
            }
            found.append(
                .init(outcome: preference, scaledLengthDifference: row.std_delta_len, difficulty: row.instruction_difficulty))
        }
        return found
    }
}
