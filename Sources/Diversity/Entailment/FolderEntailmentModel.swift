import Data
public import Foundation
import Models

/// A model of natural language inference of a folder on this machine, with its tokenizer: a sequence classifier of any family whose
/// labels are entailment, neutral and contradiction (in any order, beside any other label).
///
/// What it said about a pair is remembered, for up to a million pairs.
public struct FolderEntailmentModel: EntailmentModel {
    public let name: String
    /// What people should know of the files of the tokenizer, a line each.
    public var notes: [String] { tokenizer.notes }
    private let tokenizer: PipelineTokenizer
    private let classifier: SequenceClassifier
    private let places: EntailmentLabels
    private let limit: Int
    private let memory: PairMemory<EntailmentProbabilities>

    /// How many pairs the classifier has read so far.
    package var classifiedPairs: Int { memory.classified }
    /// How many pairs are remembered.
    package var rememberedPairs: Int { memory.count }

    /// Loads a folder such as that of `roberta-large-mnli`.
    ///
    /// - Parameters:
    ///   - labels: what the logits are, in their order, where `id2label` of the folder does not name contradiction, neutral and entailment.
    ///   - capacity: how many pairs are remembered.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file or the label.
    public init(_ folder: URL, labels: [String]? = nil, capacity: Int = 1_000_000) throws {
        name = folder.standardizedFileURL.path
        classifier = try SequenceClassifier.load(folder)
        let file = folder.appendingPathComponent(ModelFolder.configurationName).path
        places = try EntailmentLabels(labels, labels: classifier.labels, file: file)
        guard !classifier.isMultiLabel else {
            throw EncoderError.module(
                file: file, problem: "problem_type is multi_label_classification; the labels of inference must exclude each other")
        }
        tokenizer = try EncoderTokens.tokenizer(classifier.encoder, folder: folder)
        limit = EncoderTokens.limit(tokenizer, classifier.encoder)
        memory = PairMemory(capacity: capacity)
    }

    /// The three probabilities for each pair; pairs that are too long lose the end of the longer text.
    /// - Throws: `EncoderError` for a pair that the model cannot read.
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
