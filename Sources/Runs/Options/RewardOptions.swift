internal import Formats
public import ArgumentParser
import Data
package import Eval
import Foundation
import Models
import TextGeneration
import Tensor
import Train

/// What gives a response its reward.
public struct RewardOptions: ProgramOptions {
    @Option(
        help: """
            summarisation (a reward model, --rf-model-dir), sentiment (a BERT or RoBERTa classifier, --rf-model-dir), rouge, bleu, \
            token-id, length, compression, pattern, or process (a program of your own, --scorer-command).
            """)
    public var rewardFunction = "summarisation"
    @Option(help: "The reward model: a model folder or a run folder; for sentiment the classifier's folder.")
    public var rfModelDir: String?
    @Option(
        help:
            "Reward sentiment: the label whose probability counts, by name or number; 1, the positive one, unless given."
    )
    public var sentimentLabel: String?
    @Option(help: "Reward token-id: ids above this count.")
    public var tokenIdRfThreshold: Int32 = 25_000
    @Option(help: "Reward length: the wanted number of words; the more the better unless given.")
    public var rewardWords: Int?
    @Option(help: "Reward pattern: the regular expression that a response should match.")
    public var rewardPattern: String?
    @Option(help: "Reward process: a shell command that reads and writes JSON lines, as Docs/porting.md says.")
    public var scorerCommand: String?
    @Option(help: "Reward process: seconds of silence after which the scorer is started again.")
    public var scorerPatience = 600.0
    @Option(
        help:
            "What a reward model reads: ids (the policy's own tokens), or text (read anew with its own tokenizer), as the original does."
    )
    public var rewardInput: String?
    @Option(help: "Where a reward model's score is read: last-token, or padding-count as the original does.")
    public var scorePosition: String?
    @Option(
        help: .yesNo(
            "Whether the head has a tanh, if its folder does not say so: in train-ppo the policy's value head, in other programs the reward model's."
        ))
    public var valueHeadActivation = false

    public init() {}

    /// The names of the reward functions.
    static let functions = [
        "summarisation", "rouge", "bleu", "token-id", "sentiment", "length", "compression", "pattern", "process",
    ]

    /// Other names of options.
    public static let aliases = ["reward-model": "rf-model-dir"]

    public func validate() throws {
        let name = OptionTable.canonical(rewardFunction)
        guard Self.functions.contains(name) else {
            let nearest = NearestName.find(name, among: Self.functions).map { "; did you mean \($0)?" } ?? ""
            throw ValidationError(
                "--reward-function is '\(rewardFunction)'; it takes \(Self.functions.joined(separator: ", "))\(nearest)"
            )
        }
        switch name {
        case "sentiment" where rfModelDir == nil:
            throw ValidationError("--reward-function sentiment needs a classifier's folder, --rf-model-dir")
        case "pattern" where rewardPattern == nil:
            throw ValidationError("--reward-function pattern needs --reward-pattern")
        case "process" where scorerCommand == nil:
            throw ValidationError("--reward-function process needs --scorer-command")
        default: break
        }
        guard scorerPatience > 0 else { throw ValidationError("--scorer-patience must be above 0") }
        for (option, value, words) in [
            ("--reward-input", rewardInput, ["ids", "text"]),
            ("--score-position", scorePosition, ["last-token", "padding-count"]),
        ] {
            guard let value, !words.contains(OptionTable.canonical(value)) else { continue }
            throw ValidationError("\(option) is '\(value)'; it takes \(words.joined(separator: " or "))")
        }
    }

    /// Where scores are read, by the option or the switch.
    static func position(_ word: String?, reference: Bool, tokenizer: any Tokenizer) -> ScorePosition {
        let counts = word.map { OptionTable.canonical($0) == "padding-count" } ?? reference
        guard counts, let end = tokenizer.endOfSequence else { return .lastToken }
        // as the original, an id of 0 counts as absent
        return .paddingCount(padding: tokenizer.padding.flatMap { $0 == 0 ? nil : $0 } ?? end)
    }

    /// Whether a policy's value head has a tanh; nil where its own config.json is to say so.
    var policyUsesTanh: Bool? { valueHeadActivation ? true : nil }

    /// The reward function, if it needs neither the policy's tokens nor its tokenizer; nil for reward models.
    /// - Parameter padding: what responses are filled up with, where that counts.
    package func withoutPolicy(reference: Bool = false, inTraining: Bool = false, padding: Int32? = nil) throws -> (any RewardFunction)? {
        switch OptionTable.canonical(rewardFunction) {
        case "rouge": return ROUGEReward(readsReferenceByCharacter: reference && inTraining)
        case "bleu": return BLEUReward(readsReferenceByCharacter: reference && inTraining)
        case "token-id": return TokenIDReward(threshold: tokenIdRfThreshold, dividesByWidth: reference, padding: padding)
        case "length": return LengthReward(words: rewardWords)
        case "compression": return CompressionReward()
        case "pattern": return try PatternReward(rewardPattern ?? "")
        case "process": return ScorerProcess(command: scorerCommand ?? "", patience: scorerPatience)
        case "sentiment":
            let folder = URL(fileURLWithPath: rfModelDir ?? "", isDirectory: true)
            return try ClassifierReward(folder, label: sentimentLabel)
        default: return nil
        }
    }

    /// The reward function that the options name.
    /// - Parameters:
    ///   - compatibility: which way data are treated; nil-able options above win over it.
    ///   - policy: the model that writes the responses, for sharing, with its tokenizer.
    func load(
        _ session: RunSession, data: DataOptions, tokenizer: any Tokenizer, ends: EndTokens,
        sharing policy: (any TransformerDecoder)? = nil,
        inTraining: Bool = false
    ) throws -> any RewardFunction {
        let reference = data.referenceCompatible
        let padding = reference && inTraining ? PPOTrainer.padding(tokenizer, ends) : nil
        if let simple = try withoutPolicy(reference: reference, inTraining: inTraining, padding: padding) {
            for line in (simple as? ClassifierReward)?.notes ?? [] { session.say("\(rfModelDir ?? ""): \(line)") }
            return simple
        }
        guard let rfModelDir else { throw CommandLineError.invalid("name the reward model with --rf-model-dir") }
        // in policy training the tanh is the policy's; the original knows none on a reward model that gives rewards
        let loaded = try RewardSource.loaded(
            rfModelDir, usesTanh: inTraining || reference ? false : valueHeadActivation ? true : nil, note: session.say)
        let own = loaded.tokenizer
        let end = ends.closing
        let position = Self.position(scorePosition, reference: reference, tokenizer: own)
        let readsText = rewardInput.map { OptionTable.canonical($0) == "text" } ?? (reference || position != .lastToken)
        // ids mean the same texts only where both tokenizers give the same ones
        let isCommon = own.endOfSequence == end && own.seemsEqual(to: tokenizer)
        if let end, isCommon, !readsText {
            return RewardSource.onTokens(loaded.model, session: session, end: end, ends: ends, sharing: policy)
        }
        guard let end = own.endOfSequence ?? end else {
            throw CommandLineError.invalid("the tokenizer in \(rfModelDir) names no end-of-sequence token (eos_token)")
        }
        session.say(
            isCommon
                ? "the reward model reads texts (\(try data.compatibility.rewardText.rawValue)) rather than the policy's tokens"
                : "the reward model has a tokenizer of its own and reads texts")
        return RewardTextReward(
            loaded.model, tokenizer: own, endOfSequence: end,
            text: try data.compatibility.rewardText, position: position,
            maximumTokens: data.maxSourceLength + data.maxTargetLength)
    }
}

/// The reward model that a run scores with.
enum RewardSource {
    /// Loads a reward model with its tokenizer. A run folder stands for its normalised model, when it has one.
    static func loaded(
        _ path: String, usesTanh: Bool? = nil, note: (String) -> Void
    ) throws -> (model: RewardModel, tokenizer: any Tokenizer) {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        var folder = try RunFolder.model(at: url, expecting: [.rewardModel])
        let normalised = url.appendingPathComponent(RewardJob.normalisedName, isDirectory: true)
        if folder.standardizedFileURL != url.standardizedFileURL,
            try FileStatus.of(normalised)?.kind == .folder
        {
            folder = normalised
        }
        let model = try ModelError.naming(folder.path) { try LanguageModel.loadRewardModel(folder, usesTanh: usesTanh) }
        model.decoder.parameters.forEach { $0.isTrainable = false }
        let tokenizer = try TokenizerFolder.load(from: folder).fitted(to: model.decoder, in: folder, note: note)
        return (model, tokenizer)
    }

    /// A reward on the policy's own tokens. Layers that both have in common are shared, and their outputs are computed once.
    static func onTokens(
        _ model: RewardModel, session: RunSession, end: Int32, ends: EndTokens, sharing policy: (any TransformerDecoder)?
    ) -> RewardModelReward {
        var layers = 0
        if let policy {
            let frozen = policy.frozenTrunk
            let shared = Trunk.share(policy, with: model.decoder, atMost: frozen)
            // trunk states are taken behind all frozen layers of the policy, so all of them must be common
            layers = shared.layers == frozen ? frozen : 0
            session.say(
                layers > 0
                    ? "the reward model shares \(layers) layers with the policy (\(shared.bytesFreed / 1_048_576) MiB saved)"
                    : "the reward model shares no frozen layers with the policy and runs in full")
        }
        return RewardModelReward(model, endOfSequence: end, ends: ends, sharedTrunkLayers: layers)
    }
}
