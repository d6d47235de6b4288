public import Data
import Formats
public import Foundation
public import Models

/// What a sequence classifier of any family says of a response: the probability of one of its labels (the original's `sentiment`), or the
/// logit of a label, as published reward models are used.
///
/// Loads what Transformers' `…ForSequenceClassification` writes, encoders and decoders.
public struct ClassifierReward: RewardFunction {
    /// How a prompt and its response are put to the classifier.
    public enum Format: String, Sendable, CaseIterable {
        /// Joined as they are; what does not fit loses its beginning.
        case text
        /// As the pair of texts that its tokenizer makes; of what does not fit the longer text loses its end.
        case pair
        /// As messages of a user and of the assistant, by the chat template of its tokenizer; what does not fit loses its beginning.
        case chat
    }

    /// Which number of a label counts.
    public enum Value: Sendable {
        /// Its probability.
        case probability
        /// Its logit.
        case logit
    }

    /// The labels that the classifier knows.
    public var labels: [String] { classifier.labels }
    /// The label that counts.
    public var labelName: String { classifier.labels[label] }
    /// How texts are put to the classifier.
    public let format: Format
    /// What people should know of the files of the tokenizer, a line each.
    public let notes: [String]
    private let classifier: SequenceClassifier
    private let tokenizer: PipelineTokenizer
    private let template: ChatTemplate?
    private let value: Value
    private let label: Int
    private let limit: Int

    /// Loads a Hugging Face folder with its tokenizer.
    /// - Parameters:
    ///   - label: the label that counts, by name or number. Unless given: of a single one, that; of several the second one, which is the
    ///     positive one of sentiment models, for probabilities, and an error for logits.
    ///   - value: which number of the label counts.
    ///   - format: how texts are put to the classifier.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError`, `DataError` or `TokenizerError`, naming the file or the label.
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
            throw DataError.chat("\(folder.path): the tokenizer has no chat template, which --reward-format chat needs")
        }
        self.format = format
        self.value = value
        self.classifier = classifier
        self.tokenizer = tokenizer
        limit = min(tokenizer.maximumLength ?? .max, encoder.contextLength)
    }

    /// What the classifier reads of a response.
    /// - Throws: `DataError.chat` for messages that the template refuses.
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
        let inputs = try requests.map(input)
        switch value {
        case .probability: return try classifier.probabilities(of: inputs).map { $0[label] }
        case .logit:
            let (logits, width) = (try classifier.logits(of: inputs).values, classifier.labels.count)
            return inputs.indices.map { Double(logits[$0 * width + label]) }
        }
    }
}
