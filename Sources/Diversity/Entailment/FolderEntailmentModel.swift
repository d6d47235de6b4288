import Data
public import Foundation
import Models

/// A model of natural language inference of a folder on this machine, with its tokenizer: a BERT or RoBERTa classifier whose
/// `id2label` names entailment, neutral and contradiction (in any order, beside any other label).
public struct FolderEntailmentModel: EntailmentModel {
    public let name: String
    /// What people should know of the files of the tokenizer, a line each.
    public var notes: [String] { tokenizer.notes }
    private let tokenizer: PipelineTokenizer
    private let classifier: SequenceClassifier
    private let contradiction: Int
    private let neutral: Int
    private let entailment: Int
    private let limit: Int

    /// Loads a folder such as that of `roberta-large-mnli`.
    ///
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, naming the file or the label.
    public init(_ folder: URL) throws {
        name = folder.standardizedFileURL.path
        classifier = try SequenceClassifier.load(folder)
        contradiction = try classifier.index(ofLabel: "contradiction")
        neutral = try classifier.index(ofLabel: "neutral")
        entailment = try classifier.index(ofLabel: "entailment")
        tokenizer = try EncoderTokens.tokenizer(classifier.encoder, folder: folder)
        limit = EncoderTokens.limit(tokenizer, classifier.encoder)
    }

    /// The three probabilities for each pair; pairs that are too long lose the end of the longer text.
    /// - Throws: `EncoderError` for a pair that the model cannot read.
    public func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
        // a text stands in many pairs: it is tokenised once
        var known: [[UInt8]: [Int32]] = [:]
        func tokens(_ text: String) -> [Int32] {
            let key = Array(text.utf8)
            if let ids = known[key] { return ids }
            let ids = tokenizer.encode(text, addingSpecialTokens: false)
            known[key] = ids
            return ids
        }
        let inputs = pairs.map { pair in
            let encoded = tokenizer.pair(tokens(pair.premise), tokens(pair.hypothesis), maximumLength: limit)
            return EncoderInput(ids: encoded.ids, types: encoded.typeIDs)
        }
        return try classifier.probabilities(of: inputs).map {
            EntailmentProbabilities(
                contradiction: $0[contradiction], neutral: $0[neutral], entailment: $0[entailment])
        }
    }
}
