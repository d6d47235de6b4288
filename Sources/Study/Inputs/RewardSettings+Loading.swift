package import Data
package import Eval
import Formats
import Foundation
package import Models
import Runs
import Tensor
import TextGeneration
import Train

extension RewardSettings {
    /// Where a reward model reads its score, from the value of `--score-position`. Default: the padding count in the compatible
    /// mode (`reference`), otherwise the last token.
    /// - Parameter word: the value of the option; nil if it is not given.
    package static func position(_ word: String?, reference: Bool, tokenizer: any Tokenizer) -> ScorePosition {
        let counts = word.map { SettingName.canonical($0) == "padding-count" } ?? reference
        guard counts, let end = tokenizer.endOfSequence else { return .lastToken }
        // as in the original code, a padding token ID of 0 counts as no padding token
        return .paddingCount(padding: tokenizer.padding.flatMap { $0 == 0 ? nil : $0 } ?? end)
    }

    /// Whether a policy's value head applies a tanh; nil uses the value in its config.json.
    var policyUsesTanh: Bool? { valueHeadActivation ? true : nil }

    /// The reward function, if none of its parts needs the policy's tokens or its tokenizer; nil if a reward model is among the
    /// parts.
    /// - Parameters:
    ///   - reference: whether to behave as the original code does (`--reference-compatible`).
    ///   - inTraining: whether the reward is used to train a policy.
    ///   - padding: the token that pads responses, for reward functions that count it.
    package func withoutPolicy(reference: Bool = false, inTraining: Bool = false, padding: Int32? = nil) throws -> (any RewardFunction)? {
        let functions = try parts.map { try withoutPolicy($0.name, reference: reference, inTraining: inTraining, padding: padding) }
        let found = functions.compactMap { $0 }
        return found.count == functions.count ? try weighted(found) : nil
    }

    /// The weighted sum of the parts, or the part itself if there is only one with weight 1.
    private func weighted(_ functions: [any RewardFunction]) throws -> any RewardFunction {
        let parts = try self.parts
        if parts.count == 1, parts[0].weight == 1 { return functions[0] }
        return WeightedReward(zip(parts, functions).map { ($0.weight, $1) }, names: parts.map(\.name))
    }

    private func withoutPolicy(
        _ name: String, reference: Bool, inTraining: Bool, padding: Int32?
    ) throws -> (any RewardFunction)? {
        switch name {
        case "rouge": return ROUGEReward(readsReferenceByCharacter: reference && inTraining)
        case "bleu": return BLEUReward(readsReferenceByCharacter: reference && inTraining)
        case "token-id": return TokenIDReward(threshold: tokenIdRfThreshold, dividesByWidth: reference, padding: padding)
        case "length": return LengthReward(words: rewardWords)
        case "compression": return CompressionReward()
        case "check": return CheckReward()
        case "pattern": return try PatternReward(rewardPattern ?? "")
        case "process": return ScorerProcess(command: scorerCommand ?? "", patience: scorerPatience)
        case "sentiment":
            let folder = URL(fileURLWithPath: rfModelDir ?? "", isDirectory: true)
            return try ClassifierReward(folder, label: rewardLabel, format: format ?? .text)
        default: return nil
        }
    }

    private var format: ClassifierReward.Format? { rewardFormat.flatMap { ClassifierReward.Format(rawValue: SettingName.canonical($0)) } }

    /// Loads the reward function that the options name.
    /// - Parameters:
    ///   - data: the data settings. The compatible mode changes how rewards are computed; options of the reward take precedence.
    ///   - policy: the model that writes the responses. A reward model shares layers with it if they are equal.
    ///   - inTraining: whether the reward is used to train a policy.
    func load(
        _ session: RunSession, data: DataSettings, tokenizer: any Tokenizer, ends: EndTokens,
        sharing policy: (any TransformerDecoder)? = nil,
        inTraining: Bool = false
    ) throws -> any RewardFunction {
        if let own = session.reward { return own }
        let reference = data.referenceCompatible
        let padding = reference && inTraining ? PPOTrainer.padding(tokenizer, ends) : nil
        return try weighted(
            parts.map { part in
                guard let simple = try withoutPolicy(part.name, reference: reference, inTraining: inTraining, padding: padding) else {
                    return try rewardModel(
                        session, data: data, tokenizer: tokenizer, ends: ends, sharing: policy, inTraining: inTraining)
                }
                for line in (simple as? ClassifierReward)?.notes ?? [] { session.say("\(rfModelDir ?? ""): \(line)") }
                return simple
            })
    }

    /// Checks that the folder of the reward model exists, if one is named and used. This is done early, so that a run does not
    /// fail after expensive work.
    /// - Throws: the errors of `ModelName.folder`.
    func checkModel(_ session: RunSession) throws {
        guard session.reward == nil, let rfModelDir, try parts.contains(where: { ["summarisation", "sentiment"].contains($0.name) }) else {
            return
        }
        _ = try ModelName.folder(rfModelDir, expecting: [.rewardModel])
    }

    /// Loads the reward model in `--rf-model-dir`.
    private func rewardModel(
        _ session: RunSession, data: DataSettings, tokenizer: any Tokenizer, ends: EndTokens, sharing policy: (any TransformerDecoder)?,
        inTraining: Bool
    ) throws -> any RewardFunction {
        let reference = data.referenceCompatible
        guard let rfModelDir else { throw InvalidSetting("name the reward model with --rf-model-dir") }
        if let classifier = try RewardSource.classifier(rfModelDir, label: rewardLabel, format: format, note: session.say) {
            return classifier
        }
        // in policy training the tanh option is for the policy; the original code applies no tanh to reward models that score
        // responses
        let loaded = try RewardSource.loaded(
            rfModelDir, usesTanh: inTraining || reference ? false : valueHeadActivation ? true : nil, families: session.families,
            note: session.say)
        session.use(judge: loaded.model)
        let own = loaded.tokenizer
        let end = ends.closing
        let position = Self.position(scorePosition, reference: reference, tokenizer: own)
        let readsText = rewardInput.map { SettingName.canonical($0) == "text" } ?? (reference || position != .lastToken)
        // token IDs can be passed on only if both tokenizers assign the same IDs
        let isCommon = own.endOfSequence == end && own.seemsEqual(to: tokenizer)
        if let end, isCommon, !readsText {
            return RewardSource.onTokens(loaded.model, session: session, end: end, ends: ends, sharing: policy)
        }
        guard let end = own.endOfSequence ?? end else {
            throw InvalidSetting("the tokenizer in \(rfModelDir) has no end-of-sequence token (eos_token)")
        }
        session.say(
            isCommon
                ? "the reward model reads texts (\(try data.compatibility.rewardText.rawValue)) rather than the policy's tokens"
                : "the reward model has a different tokenizer and reads texts")
        return RewardTextReward(
            loaded.model, tokenizer: own, endOfSequence: end,
            text: try data.compatibility.rewardText, position: position,
            maximumTokens: data.maxSourceLength + data.maxTargetLength)
    }
}

/// Loads the reward model that a run scores responses with.
package enum RewardSource {
    /// Loads a reward model with its tokenizer. For a run folder, this is the run's normalised model, if it has one.
    /// - Parameter usesTanh: whether the value head applies a tanh; nil uses the value in its config.json.
    package static func loaded(
        _ path: String, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn, note: (String) -> Void
    ) throws -> (model: RewardModel, tokenizer: any Tokenizer) {
        let url = URL(fileURLWithPath: path, isDirectory: true)
        var folder = try ModelName.folder(path, expecting: [.rewardModel])
        let normalised = url.appendingPathComponent(RewardModelStage.normalisedName, isDirectory: true)
        if folder.standardizedFileURL != url.standardizedFileURL,
            try FileStatus.of(normalised)?.kind == .folder
        {
            folder = normalised
        }
        let model = try ModelError.naming(folder.path) { try LanguageModel.loadRewardModel(folder, usesTanh: usesTanh, families: families) }
        model.decoder.parameters.forEach { $0.isTrainable = false }
        let tokenizer = try TokenizerFolder.load(from: ModelFolder(folder).tokenizerFolder()).fitted(
            to: model.decoder, in: folder, note: note)
        return (model, tokenizer)
    }

    /// The reward of a sequence classifier that needs its own input format: an encoder, a classifier with several labels, or one
    /// with a chat template. nil for a reward model that reads a text as a decoder does.
    /// - Parameter format: how prompt and response are presented to the classifier. Default: a pair of texts for encoders, the
    ///   chat template if there is one, otherwise one text.
    package static func classifier(
        _ path: String, label: String?, format: ClassifierReward.Format?, note: (String) -> Void
    ) throws -> ClassifierReward? {
        let folder = try ModelName.folder(path, expecting: [.rewardModel])
        let model = ModelFolder(folder)
        let configuration = try model.configuration()
        let isEncoder = EncoderFamily.builtIn.contains { $0.modelType == configuration["model_type"]?.string }
        let usual: ClassifierReward.Format
        if isEncoder {
            usual = .pair
        } else {
            // a value head of this package, or a classifier that train-reward-model saved
            let names = try model.weights().names
            guard names.contains("score.weight"), !names.contains(where: { $0.hasPrefix("v_head.") }) else {
                guard format == nil || format == .text, label == nil else {
                    throw InvalidSetting(
                        "\(path) is a reward model of train-reward-model, which reads one text and returns one score; "
                            + "remove --reward-format and --reward-label")
                }
                return nil
            }
            let hasTemplate = try configuration["score_offset"] == nil && TokenizerFolder.load(from: folder).chatTemplate() != nil
            usual = hasTemplate ? .chat : .text
            let labels = configuration["id2label"]?.members?.count ?? configuration["num_labels"]?.int ?? 2
            // such a classifier is read like this package's reward models: with the end-of-sequence token, and on the policy's
            // tokens if the token IDs agree
            if labels == 1, format == nil, label == nil, usual == .text {
                note(
                    "\(path) is a classifier with one label and no chat template: its input is that of train-reward-model's reward models, "
                        + "with an end-of-sequence token after the response; for the plain texts use --reward-format text")
                return nil
            }
        }
        let reward = try ClassifierReward(folder, label: label, value: .logit, format: format ?? usual)
        for line in reward.notes { note("\(path): \(line)") }
        let way =
            switch reward.format {
            case .text: "prompt and response as one text"
            case .pair: "prompt and response as a pair of texts"
            case .chat: "prompt and response as messages in its chat template"
            }
        note(
            "the reward is the logit '\(OneLine.escaped(reward.labelName.prefix(60)))' of \(path), which reads \(way)"
                + (format == nil ? " (--reward-format \(reward.format.rawValue))" : ""))
        return reward
    }

    /// A reward that reads the policy's own tokens. Layers that the policy and the reward model have in common are stored once,
    /// and their outputs are computed once.
    static func onTokens(
        _ model: RewardModel, session: RunSession, end: Int32, ends: EndTokens, sharing policy: (any TransformerDecoder)?
    ) -> RewardModelReward {
        var layers = 0
        if let policy {
            let frozen = policy.frozenTrunk
            let shared = Trunk.share(policy, with: model.decoder, atMost: frozen)
            // the shared trunk states are those after all frozen layers of the policy, so all of these layers must be common
            layers = shared.layers == frozen ? frozen : 0
            session.say(
                layers > 0
                    ? "the reward model shares \(Counted(layers, "layer")) with the policy (\(ByteCount(bytes: shared.bytesFreed)) saved)"
                    : "the reward model shares no frozen layers with the policy and runs in full")
        }
        return RewardModelReward(model, endOfSequence: end, ends: ends, sharedTrunkLayers: layers)
    }
}
