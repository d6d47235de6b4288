import Data
package import Eval
import Formats
import Foundation
public import Study

/// What a judge is asked, and how one behind HTTP is reached.
public struct JudgeSettings: Settings {
    /// The model that `judgeUrl` is asked for.
    public var judgeModel: String?
    /// The variable of the environment that the service's key is read from.
    public var judgeKeyVariable = "OPENAI_API_KEY"
    /// What the texts are, in the questions: summaries or instructions (answers to them).
    public var judgePrompt = "summaries"
    /// In place of `judgePrompt`: a file with the question, and places for the texts: {input}, {first}, {second}, {label_1},
    /// {label_2}.
    public var judgeTemplate: String?
    /// What both texts are called in questions to `judgeUrl`; model_1,model_2 unless given, A,B with log-probs.
    public var judgeLabels: [String] = []
    /// Where the verdict of `judgeUrl` is found: answer (the text), or log-probs (the two labels weighted by their log-probabilities as
    /// the first token).
    public var judgeVerdict = "answer"
    /// Whether the questions of `judgePrompt` offer a tie.
    public var judgeTies = false
    /// The temperature of the judge's sampling.
    public var judgeTemperature = 0.0
    /// Tokens of a judge's answer at most; with log-probs it is 1.
    public var judgeMaxTokens = 64
    /// How many log-probabilities are asked for.
    public var judgeTopLogProbs = 5
    /// Questions to `judgeUrl` that are under way at once.
    public var judgeConcurrency = 4
    /// Seconds until a request to `judgeUrl` counts as failed.
    public var judgeTimeout = 120.0
    /// How often a request is tried before its question counts as failed.
    public var judgeAttempts = 5
    /// The file that keeps the service's answers, so that the same question is asked once; judge-cache.jsonl in `outputDir` unless given.
    public var judgeCache: String?
    /// A folder with the judge's tokenizer, or its GGUF file: prompts are then counted in tokens to find those that the service has cut.
    public var judgeTokenizer: String?
    /// Whether a prompt of which the service counts fewer tokens than it has ends the run.
    public var judgeTokenCheck = true
    /// The price of a million tokens of prompts.
    public var judgePriceIn: Double?
    /// The price of a million tokens of answers.
    public var judgePriceOut: Double?
    /// A JSONL file of {"input", "difficulty"}, for the length-controlled win rates of alpaca_eval that know the difficulty of
    /// instructions.
    public var instructionDifficulties: String?
    /// A JSONL file of alpaca_eval's gamed baseline, {"preference", "std_delta_len", "instruction_difficulty"}, for its
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
        guard (2...20).contains(judgeTopLogProbs) else { throw InvalidSetting("--judge-top-log-probs is a number from 2 to 20") }
        for (option, price) in [("--judge-price-in", judgePriceIn), ("--judge-price-out", judgePriceOut)] {
            if let price, !(price.isFinite && price >= 0) { throw InvalidSetting("\(option) must be a number of at least 0") }
        }
        // whoever gives the key itself must not find it in a run folder, or in this line
        guard Self.isVariable(judgeKeyVariable) else {
            throw InvalidSetting("--judge-key-variable takes the name of a variable of the environment (letters, digits and _), not a key")
        }
        if judgeTemplate != nil, judgeTies {
            throw InvalidSetting("--judge-ties changes --judge-prompt; a template says itself what may be answered")
        }
        if judgeTemplate != nil, judgePrompt != Self().judgePrompt {
            throw InvalidSetting("--judge-template takes the place of --judge-prompt; give one of them")
        }
        switch reading {
        case .answer where judgeTopLogProbs != Self().judgeTopLogProbs:
            throw InvalidSetting("--judge-top-log-probs is about --judge-verdict log-probs")
        case .logProbabilities where judgeMaxTokens != Self().judgeMaxTokens:
            throw InvalidSetting("--judge-max-tokens is about --judge-verdict answer; with log-probs an answer has one token")
        default: break
        }
        guard judgeTokenizer == nil || judgeTokenCheck else {
            throw InvalidSetting("--judge-tokenizer counts for --judge-token-check, which is off")
        }
        _ = try labels
        guard gamedAnnotations == nil || instructionDifficulties != nil else {
            throw InvalidSetting("--gamed-annotations needs --instruction-difficulties, for the fit has both")
        }
    }

    private static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 }
    }

    package var reading: JudgeChat.Reading { JudgeChat.Reading(rawValue: judgeVerdict) ?? .answer }

    /// What the texts are called in questions to the service.
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

    /// Makes the text of a question.
    /// - Parameter isForService: whether it goes to `judgeUrl`; else it is for programs and files, whose answers are read by fixed names.
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

    /// The conversation with the service.
    package func chat(seed: UInt64) throws -> JudgeChat {
        var chat = JudgeChat(model: judgeModel ?? "", labels: try labels, reading: reading, prompt: try prompt(isForService: true))
        chat.temperature = judgeTemperature
        // services take 32 bits with a sign
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

    /// The difficulty of each input that is known.
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

    /// alpaca_eval's gamed baseline.
    package func gamed() throws -> [AlpacaEvalWinRate.GamedComparison]? {
        guard let gamedAnnotations else { return nil }
        struct Row: Codable {
            var preference: Double?
            var std_delta_len: Double
            var instruction_difficulty: Double
        }
        var found: [AlpacaEvalWinRate.GamedComparison] = []
        try JSONLines<Row>(URL(fileURLWithPath: gamedAnnotations)).readEach { row, _ in
            // nobody has judged it
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
