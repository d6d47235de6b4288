import Data
public import Foundation
import Models

/// A natural language inference model loaded from a local folder, with its tokenizer: a sequence classifier of any family whose
/// labels include entailment, neutral and contradiction, in any order.
///
/// Results are cached for up to a million pairs by default.
public struct FolderEntailmentModel: EntailmentModel {
    public let name: String
    /// Remarks about the tokenizer's files that users should see, one line each.
    public var notes: [String] { tokenizer.notes }
    private let tokenizer: PipelineTokenizer
    private let classifier: SequenceClassifier
    private let places: EntailmentLabels
    private let limit: Int
    private let memory: PairMemory<EntailmentProbabilities>

    /// The number of pairs that the classifier has processed so far.
    package var classifiedPairs: Int { memory.classified }
    /// The number of cached pairs.
    package var rememberedPairs: Int { memory.count }

    /// Loads classifier and tokenizer from a folder such as that of `roberta-large-mnli`.
    ///
    /// - Parameters:
    ///   - folder: the folder with the model and its tokenizer.
    ///   - labels: the names of the logits in order; needed if `id2label` in the folder does not name contradiction, neutral
    ///     and entailment.
    ///   - capacity: the maximum number of cached pairs.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, which name the file or the label.
    public init(_ folder: URL, labels: [String]? = nil, capacity: Int = 1_000_000) throws {
        name = folder.standardizedFileURL.path
        classifier = try SequenceClassifier.load(folder)
        let file = folder.appendingPathComponent(ModelFolder.configurationName).path
        places = try EntailmentLabels(labels, labels: classifier.labels, file: file)
        guard !classifier.isMultiLabel else {
            throw EncoderError.module(
                file: file, problem: "problem_type is multi_label_classification; the labels must be mutually exclusive")
        }
        tokenizer = try EncoderTokens.tokenizer(classifier.encoder, folder: folder)
        limit = EncoderTokens.limit(tokenizer, classifier.encoder)
        memory = PairMemory(capacity: capacity)
    }

    /// The three probabilities for each pair; a pair that is too long is truncated at the end of its longer text.
    /// - Throws: `EncoderError` for a pair that the model cannot process.
    public func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
        try memory.answers(to: pairs, tokenise: { tokenizer.encode($0, addingSpecialTokens: false) }) { missing in
            let inputs = missing.map { pair in
                let encoded = tokenizer.pair(pair.premise, pair.hypothesis, maximumLength: limit)
                return EncoderInput(ids: encoded.ids, types: encoded.typeIDs)
            }
            return try classifier.probabilities(of: inputs).map {
                EntailmentProbabilities(
                    contradiction: $0[places.contradiction], neutral: $0[places.neutral], entailment: $0[places.entailment])
            }
        }
    }
}
