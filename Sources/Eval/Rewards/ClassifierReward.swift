import Data
public import Foundation
import Models

/// The probability that a sequence classifier (BERT or RoBERTa) gives one of its labels on query + response: the original's `sentiment`.
///
/// Query and response are joined as they are; what does not fit loses its beginning.
public struct ClassifierReward: RewardFunction {
    /// The labels that the classifier knows.
    public var labels: [String] { classifier.labels }
    /// What people should know of the files of the tokenizer, a line each.
    public let notes: [String]
    private let classifier: SequenceClassifier
    private let tokenizer: PipelineTokenizer
    private let label: Int
    private let limit: Int

    /// Loads a Hugging Face folder with its tokenizer.
    /// - Parameter label: the label that counts, by name or number; the second one of several unless given, which is the positive one of
    ///   sentiment models.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file or the label.
    public init(_ folder: URL, label: String? = nil) throws {
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
            self.label = min(1, classifier.labels.count - 1)
        }
        self.classifier = classifier
        self.tokenizer = tokenizer
        limit = min(tokenizer.maximumLength ?? .max, encoder.contextLength)
    }

    public func rewards(for requests: [RewardRequest]) throws -> [Double] {
        let inputs = requests.map { request in
            EncoderInput(
                ids: tokenizer.encode(request.query + request.response, maximumLength: limit, keepingEnd: true))
        }
        return try classifier.probabilities(of: inputs).map { $0[label] }
    }
}
