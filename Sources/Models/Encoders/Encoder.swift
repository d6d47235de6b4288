public import Tensor

/// An inference model that computes a hidden state for every token of a text: a BERT-like encoder (``EncoderFamily``), or a
/// decoder used as an encoder (``DecoderEncoder``).
public protocol Encoder: AnyObject, Sendable {
    /// The dimensions of the encoder.
    var shape: EncoderShape { get }
    /// Whether several threads may run separate passes at the same time.
    var runsConcurrently: Bool { get }
    /// Computes the final hidden states of all tokens: [T, C], with the texts one after the other.
    ///
    /// Every text must pass ``check(_:)``, which throws an error where this method stops the program.
    func states(of inputs: [EncoderInput]) -> Tensor
    /// Packs the weights in the precision of the scope, so that passes on several threads can use them.
    func prepare()
}

/// The dimensions of an encoder, independent of its model family.
public struct EncoderShape: Sendable, Equatable {
    /// C, the width of the hidden states.
    public var hiddenSize: Int
    /// V, the number of rows of the token embedding.
    public var vocabularySize: Int
    /// The maximum number of tokens of a text.
    public var contextLength: Int
    /// The number of rows of the token type embedding; 0 if the encoder ignores token types.
    public var typeCount: Int

    /// Creates a shape from the values of the properties.
    public init(hiddenSize: Int, vocabularySize: Int, contextLength: Int, typeCount: Int = 0) {
        self.hiddenSize = hiddenSize
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.typeCount = typeCount
    }
}

extension Encoder {
    /// Checks that an input has at least one token, is not too long, and has only known token IDs and types.
    /// - Throws: ``EncoderError``.
    public func check(_ input: EncoderInput) throws {
        guard !input.ids.isEmpty else { throw EncoderError.noTokens }
        guard input.ids.count <= shape.contextLength else {
            throw EncoderError.tooLong(tokens: input.ids.count, limit: shape.contextLength)
        }
        guard let smallest = input.ids.min(), let largest = input.ids.max(), smallest >= 0, Int(largest) < shape.vocabularySize
        else { throw EncoderError.unknownToken(rows: shape.vocabularySize) }
        guard shape.typeCount == 0 || input.types.allSatisfy({ $0 >= 0 && Int($0) < shape.typeCount }) else {
            throw EncoderError.unknownType(rows: shape.typeCount)
        }
    }
}

/// The tokens of one text or of a pair of texts, including special tokens.
public struct EncoderInput: Sendable, Hashable {
    /// The token IDs.
    public var ids: [Int32]
    /// The type (segment) of each token; 0 for a single text.
    public var types: [Int32]

    /// Creates an input. Default: all token types are 0.
    public init(ids: [Int32], types: [Int32]? = nil) {
        self.ids = ids
        self.types = types ?? [Int32](repeating: 0, count: ids.count)
        precondition(self.types.count == ids.count, "\(self.types.count) types for \(ids.count) tokens")
    }
}

/// An error of an encoder's input, configuration or use.
public enum EncoderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text has no tokens, because its tokenizer does not add special tokens.
    case noTokens
    /// The text has more tokens than the encoder supports.
    case tooLong(tokens: Int, limit: Int)
    /// A token ID is outside of the embedding table.
    case unknownToken(rows: Int)
    /// A token type is outside of its embedding table.
    case unknownType(rows: Int)
    /// A file of a sentence encoder requires something that is not supported.
    case module(file: String, problem: String)
    /// The requested number of dimensions is not between 1 and the width of the vectors.
    case dimension(Int, width: Int, folder: String)
    /// The classifier does not have the requested label.
    case noLabel(String, known: [String])
    /// The classifier has several labels, but none was requested.
    case severalLabels([String])

    /// One line that says what is wrong.
    public var description: String {
        switch self {
        case .noTokens: "a text has no tokens; the encoder's tokenizer must put special tokens around every text"
        case .tooLong(let tokens, let limit):
            "a text has \(tokens) tokens, but the encoder reads at most \(limit); shorten it first"
        case .unknownToken(let rows):
            "a text has token ids outside the encoder's \(rows) embedding rows; the tokenizer does not match the model"
        case .unknownType(let rows):
            "a pair has token types outside the encoder's \(rows) embedding rows; the tokenizer does not match the model"
        case .module(let file, let problem): "\(file): \(problem)"
        case .severalLabels(let known):
            "the classifier has \(known.count) labels (\(known.prefix(20).joined(separator: ", "))\(known.count > 20 ? ", …" : "")); "
                + "choose one with --reward-label"
        case .dimension(let count, let width, let folder):
            "\(count) dimensions requested, but the vectors of \(folder) have \(width); request 1 to \(width)"
        case .noLabel(let label, let known):
            "the classifier has no label '\(label)'; the labels in id2label of its config.json are \(known.joined(separator: ", "))"
        }
    }
}
