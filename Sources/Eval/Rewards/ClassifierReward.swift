import Data
import Formats
public import Foundation
package import Models
import Tensor

/// The output of a sequence classifier of any family for a response: the probability of one of its labels (`sentiment` in the
/// published code), or the logit of a label, as for published reward models.
///
/// Loads folders written by Transformers' `…ForSequenceClassification`, encoders and decoders.
public struct ClassifierReward: RewardFunction {
    /// How a prompt and its response are passed to the classifier.
    public enum Format: String, Sendable, CaseIterable {
        /// Concatenated without a separator; a text that is too long loses its beginning.
        case text
        /// As a pair of texts, as encoded by the tokenizer; if the pair is too long, the longer text loses its end.
        case pair
        /// As messages of a user and an assistant, formatted by the tokenizer's chat template; a text that is too long loses
        /// its beginning.
        case chat
    }

    /// Which output of a label is the reward.
    public enum Value: Sendable {
        /// The probability of the label.
        case probability
        /// The logit of the label.
        case logit
    }

    /// The labels of the classifier.
    public var labels: [String] { classifier.labels }
    /// The label whose output is the reward.
    public var labelName: String { classifier.labels[label] }
    /// How texts are passed to the classifier.
    public let format: Format
    /// Remarks about the tokenizer's files that users should see, one line each.
    public let notes: [String]
    private let classifier: SequenceClassifier
    private let tokenizer: PipelineTokenizer
    private let template: ChatTemplate?
    private let value: Value
    private let label: Int
    private let limit: Int

    /// Loads classifier and tokenizer from a Hugging Face folder.
    /// - Parameters:
    ///   - folder: the folder.
    ///   - label: the label whose output is the reward, by name or index. Default: the only label if there is just one. With
    ///     several labels, probabilities use the second one, which is the positive label of sentiment models, and logits
    ///     require an explicit label.
    ///   - value: which output of the label is the reward.
    ///   - format: how texts are passed to the classifier.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError`, `DataError` or `TokenizerError`, which name the file or the
    ///   label.
    public init(_ folder: URL, label: String? = nil, value: Value = .probability, format: Format = .text) throws {
        let classifier = try SequenceClassifier.load(folder)
        let read = try TokenizerFolder.loadPipeline(from: folder)
        let encoder = classifier.encoder.shape
        guard let tokenizer = read.limited(to: encoder.vocabularySize) else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: read.vocabularySize, rows: encoder.vocabularySize)
        }
        notes = tokenizer.notes
        if let label {
            let number = Int(label).flatMap { classifier.labels.indices.contains($0) ? $0 : nil }
            self.label = try number ?? classifier.index(ofLabel: label)
        } else {
            guard value == .probability || classifier.labels.count == 1 else { throw EncoderError.severalLabels(classifier.labels) }
            self.label = min(1, classifier.labels.count - 1)
        }
        template = format == .chat ? try tokenizer.chatTemplate() : nil
        guard format != .chat || template != nil else {
            throw DataError.chat("\(folder.path): the tokenizer has no chat template, but --reward-format chat requires one")
        }
        self.format = format
        self.value = value
        self.classifier = classifier
        self.tokenizer = tokenizer
        limit = min(tokenizer.maximumLength ?? .max, encoder.contextLength)
    }

    /// The classifier's input for a response.
    /// - Throws: `DataError.chat` for messages that the chat template rejects.
    package func input(of request: RewardRequest) throws -> EncoderInput {
        switch format {
        case .text:
            return EncoderInput(ids: tokenizer.encode(request.query + request.response, maximumLength: limit, keepingEnd: true))
        case .pair:
            func ids(_ text: String) -> [Int32] { tokenizer.encode(text, addingSpecialTokens: false) }
            let pair = tokenizer.pair(ids(request.query), ids(request.response), maximumLength: limit)
            return EncoderInput(ids: pair.ids, types: pair.typeIDs)
        case .chat:
            let asked = request.messages ?? [["role": "user", "content": .string(request.query)]]
            let answer: JSONValue = ["role": "assistant", "content": .string(request.response)]
            let text = try template?.render(asked + [answer]).text ?? ""
            return EncoderInput(ids: tokenizer.encode(text, addingSpecialTokens: false).suffix(limit).map { $0 })
        }
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let inputs = try Compute.map(requests.count) { try input(of: requests[$0]) }
        switch value {
        case .probability: return try classifier.probabilities(of: inputs).map { $0[label] }
        case .logit:
            let (logits, width) = (try classifier.logits(of: inputs).values, classifier.labels.count)
            return inputs.indices.map { Double(logits[$0 * width + label]) }
        }
    }
}
