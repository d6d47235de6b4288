import Data
public import Foundation
import Models

/// A classifier loaded from a local folder that decides whether two answers say the same thing, such as NoveltyBench's
/// `deberta-v3-large-generation-similarity` with the tokenizer of `deberta-v3-large` in the same folder.
///
/// It has two labels, and the second one means "the same". Results are cached for up to a million pairs by default.
public struct FolderSimilarityModel: SimilarityModel {
    public let name: String
    /// Remarks about the tokenizer's files that users should see, one line each.
    public var notes: [String] { tokenizer.notes }
    /// The maximum number of tokens read from each text, as in NoveltyBench.
    public static let tokensPerText = 128
    private let tokenizer: PipelineTokenizer
    private let classifier: SequenceClassifier
    private let room: Int
    private let memory: PairMemory<Double>

    /// The number of pairs that the classifier has processed so far.
    package var classifiedPairs: Int { memory.classified }

    /// Loads classifier and tokenizer from a folder.
    /// - Parameters:
    ///   - folder: the folder with the model and its tokenizer.
    ///   - capacity: the maximum number of cached pairs.
    /// - Throws: `CheckpointError`, `ModelError`, `EncoderError` or `TokenizerError`, which name the file.
    public init(_ folder: URL, capacity: Int = 1_000_000) throws {
        name = folder.standardizedFileURL.path
        classifier = try SequenceClassifier.load(folder)
        let file = folder.appendingPathComponent(ModelFolder.configurationName).path
        guard classifier.labels.count == 2, !classifier.isMultiLabel else {
            throw EncoderError.module(
                file: file,
                problem: "a classifier for equivalent answers needs two mutually exclusive labels, but this one has "
                    + "\(classifier.labels.count)\(classifier.isMultiLabel ? " independent ones" : "")")
        }
        tokenizer = try EncoderTokens.tokenizer(classifier.encoder, folder: folder)
        // the special tokens around two texts also take positions
        let special = tokenizer.pair([0], [0], maximumLength: .max / 2).ids.count - 2
        room = min(Self.tokensPerText, (classifier.encoder.shape.contextLength - special) / 2)
        guard room > 0 else {
            throw EncoderError.module(file: file, problem: "the context length is too short for two texts")
        }
        memory = PairMemory(capacity: capacity)
    }

    /// The probability of the second label for each pair; at most 128 tokens of each text are read.
    /// - Throws: `EncoderError` for a pair that the model cannot process.
    public func probabilities(of pairs: [(first: String, second: String)]) throws -> [Double] {
        let room = room
        return try memory.answers(
            to: pairs.map { EntailmentPair(premise: $0.first, hypothesis: $0.second) },
            tokenise: { Array(tokenizer.encode($0, addingSpecialTokens: false).prefix(room)) },
            classify: { missing in
                try classifier.probabilities(of: missing.map { input($0.premise, $0.hypothesis) }).map { $0[1] }
            })
    }

    /// Both texts with the special tokens that the tokenizer puts around a pair. An empty second text also gets them; the
    /// tokenizer would otherwise treat it as absent.
    private func input(_ first: [Int32], _ second: [Int32]) -> EncoderInput {
        let mark: Int32 = -1
        var pair = tokenizer.pair(first, second.isEmpty ? [mark] : second, maximumLength: .max / 2)
        if let place = pair.ids.firstIndex(of: mark) {
            pair.ids.remove(at: place)
            pair.typeIDs.remove(at: place)
        }
        return EncoderInput(ids: pair.ids, types: pair.typeIDs)
    }
}
