public import Tensor

/// A model that gives a state for every token of a text, for inference: BERT and its relatives (``EncoderFamily``), or a decoder that is
/// used as one (``DecoderEncoder``).
public protocol Encoder: AnyObject, Sendable {
    /// The numbers that do not depend on its family.
    var shape: EncoderShape { get }
    /// Whether several threads may run passes of their own at a time.
    var runsConcurrently: Bool { get }
    /// The last layer's states of all tokens, [T, C], one text below the other.
    ///
    /// Every text must fit ``check(_:)``, which throws where this traps.
    func states(of inputs: [EncoderInput]) -> Tensor
    /// Packs the weights for the precision of the scope, so that passes on several threads find them.
    func prepare()
}

/// The numbers of an encoder that do not depend on its family.
public struct EncoderShape: Sendable, Equatable {
    /// The width of the hidden states.
    public var hiddenSize: Int
    /// Rows of the token embedding.
    public var vocabularySize: Int
    /// The most tokens of a text.
    public var contextLength: Int
    /// Rows of the table of token types; 0 where types are not looked at.
    public var typeCount: Int

    /// A shape; see the properties.
    public init(hiddenSize: Int, vocabularySize: Int, contextLength: Int, typeCount: Int = 0) {
        self.hiddenSize = hiddenSize
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.typeCount = typeCount
    }
}

extension Encoder {
    /// Checks that an input has rows in all tables.
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

/// The tokens of one text or pair of texts, special tokens included.
public struct EncoderInput: Sendable, Hashable {
    /// The tokens.
    public var ids: [Int32]
    /// The type of each token; 0 for those of a single text.
    public var types: [Int32]

    /// A text, or a pair with the types that its tokenizer gives.
    public init(ids: [Int32], types: [Int32]? = nil) {
        self.ids = ids
        self.types = types ?? [Int32](repeating: 0, count: ids.count)
        precondition(self.types.count == ids.count, "\(self.types.count) types for \(ids.count) tokens")
    }
}

/// What an encoder cannot read.
public enum EncoderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A text without a token: its tokenizer adds no special ones.
    case noTokens
    /// A text is longer than the encoder reads.
    case tooLong(tokens: Int, limit: Int)
    /// A token id is beyond the embedding's rows.
    case unknownToken(rows: Int)
    /// A token type is beyond its table's rows.
    case unknownType(rows: Int)
    /// A file of a sentence encoder that asks for something else than there is.
    case module(file: String, problem: String)
    /// More channels are asked for than vectors have, or none.
    case dimension(Int, width: Int, folder: String)
    /// A classifier without a label that is needed.
    case noLabel(String, known: [String])
    /// A classifier with several labels, of which none was named.
    case severalLabels([String])

    public var description: String {
        switch self {
        case .noTokens: "a text has no tokens; the encoder's tokenizer must put special tokens around every text"
        case .tooLong(let tokens, let limit):
            "a text has \(tokens) tokens, the encoder reads at most \(limit); cut it first"
        case .unknownToken(let rows):
            "a text has tokens outside of the encoder's \(rows) rows; tokenizer and model do not belong together"
        case .unknownType(let rows):
            "a pair has token types outside of the encoder's \(rows) rows; tokenizer and model do not belong together"
        case .module(let file, let problem): "\(file): \(problem)"
        case .severalLabels(let known):
            "the classifier has \(known.count) labels (\(known.prefix(20).joined(separator: ", "))\(known.count > 20 ? ", …" : "")); "
                + "name the one that counts with --reward-label"
        case .dimension(let count, let width, let folder):
            "\(count) channels of a vector are asked for, but those of \(folder) have \(width); ask for 1 to \(width)"
        case .noLabel(let label, let known):
            "the classifier has no label '\(label)' but \(known.joined(separator: ", ")); its config.json must name it in id2label"
        }
    }
}
