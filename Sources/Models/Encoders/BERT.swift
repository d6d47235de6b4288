import Synchronization
public import Tensor

/// A BERT-like encoder for inference: every token sees the whole text, norms stand behind the residual sums (Devlin et al. 2019).
///
/// Unchecked: the weights are written when the encoder is made and read from then on.
public final class BERT: @unchecked Sendable {
    /// The weights of one layer.
    fileprivate struct Block {
        var queries: Projection
        var keys: Projection
        var values: Projection
        var output: Projection
        var attentionNorm: LayerNormalisation
        var up: Projection
        var down: Projection
        var outputNorm: LayerNormalisation
    }

    /// The products of one layer, packed for a precision.
    struct FusedBlock {
        /// Queries, keys and values.
        var inputs: FusedLinear
        var output: FusedLinear
        var up: FusedLinear
        var down: FusedLinear

        fileprivate init(_ block: Block, precision: Compute.Precision) {
            func layer(_ projections: Projection...) -> FusedLinear {
                FusedLinear(projections.map { ($0.weight.value, $0.bias?.value) }, precision: precision)
            }
            inputs = layer(block.queries, block.keys, block.values)
            output = layer(block.output)
            up = layer(block.up)
            down = layer(block.down)
        }
    }

    /// The configuration that the encoder was built with.
    public let settings: BERTConfiguration
    private let tokenEmbedding: Parameter
    private let positionEmbedding: Parameter
    private let typeEmbedding: Parameter
    private let embeddingNorm: LayerNormalisation
    private let blocks: [Block]
    /// Made when a precision is first asked for.
    private let fused = Mutex<[Compute.Precision: [FusedBlock]]>([:])

    /// An encoder whose weights come from `source`, under the names of Transformers' `BertModel`.
    /// - Throws: what `source` throws for a weight.
    public init(_ settings: BERTConfiguration, weights source: some WeightSource) throws {
        let hidden = settings.hiddenSize
        func norm(_ name: String) throws -> LayerNormalisation {
            try LayerNormalisation(source, name, width: hidden, epsilon: settings.normEpsilon)
        }
        func projection(_ name: String, _ outputs: Int, _ inputs: Int) throws -> Projection {
            try Projection(source, name, outputs: outputs, inputs: inputs, bias: true)
        }
        self.settings = settings
        tokenEmbedding = try source.parameter("embeddings.word_embeddings.weight", [settings.vocabularySize, hidden])
        positionEmbedding = try source.parameter(
            "embeddings.position_embeddings.weight", [settings.positionCount, hidden])
        typeEmbedding = try source.parameter("embeddings.token_type_embeddings.weight", [settings.typeCount, hidden])
        embeddingNorm = try norm("embeddings.LayerNorm")
        blocks = try (0..<settings.layerCount).map { index in
            let name = "encoder.layer.\(index)"
            return Block(
                queries: try projection("\(name).attention.self.query", hidden, hidden),
                keys: try projection("\(name).attention.self.key", hidden, hidden),
                values: try projection("\(name).attention.self.value", hidden, hidden),
                output: try projection("\(name).attention.output.dense", hidden, hidden),
                attentionNorm: try norm("\(name).attention.output.LayerNorm"),
                up: try projection("\(name).intermediate.dense", settings.feedForwardSize, hidden),
                down: try projection("\(name).output.dense", hidden, settings.feedForwardSize),
                outputNorm: try norm("\(name).output.LayerNorm"))
        }
    }

    /// The last layer's states of all tokens, [T, C], one sequence below the other.
    ///
    /// Every sequence must fit ``check(_:)``, which throws where this traps.
    public func states(of inputs: [EncoderInput]) -> Tensor {
        let positions = inputs.flatMap { self.positions(of: $0.ids) }
        var states =
            tokenEmbedding.value.embedding(of: inputs.flatMap(\.ids))
            + positionEmbedding.value.embedding(of: positions)
            + typeEmbedding.value.embedding(of: inputs.flatMap(\.types))
        states = embeddingNorm(states, on: nil)
        let layout = AttentionLayout(lengths: inputs.map(\.ids.count), isCausal: false)
        for (block, fused) in zip(blocks, fusedBlocks()) {
            let mixed = fused.inputs(states).attendingWithin(layout: layout, heads: settings.heads)  // [T, 3C] → [T, C]
            states = block.attentionNorm(fused.output(mixed, adding: states), on: nil)
            states = block.outputNorm(fused.down(inner(fused.up, states), adding: states), on: nil)
        }
        return states
    }

    /// The first half of a feed-forward layer with its activation, [T, F].
    private func inner(_ up: FusedLinear, _ states: Tensor) -> Tensor {
        switch settings.activation {
        case .relu: up(states, then: .relu)
        case .gelu: up(states, then: .gelu)
        case .geluNew, .geluTanh, .geluFast: up(states, then: .geluTanh)
        case .silu, .swish, .quickGELU: settings.activation(up(states))
        }
    }

    /// The packed products for the precision of the scope.
    func fusedBlocks() -> [FusedBlock] {
        fused.withLock { known in
            let precision = Compute.precision
            if let made = known[precision] { return made }
            let made = blocks.map { FusedBlock($0, precision: precision) }
            known[precision] = made
            return made
        }
    }

    /// Rows of the table of positions. A padding token inside a RoBERTa text has the row of its own id and is not counted.
    private func positions(of ids: [Int32]) -> [Int32] {
        guard settings.family == .roberta else { return Array(0..<Int32(ids.count)) }
        let padding = Int32(settings.paddingToken)
        var next = padding
        return ids.map { id in
            if id == padding { return padding }
            next += 1
            return next
        }
    }

    /// Checks that an input has rows in all tables.
    /// - Throws: ``EncoderError``.
    public func check(_ input: EncoderInput) throws {
        guard !input.ids.isEmpty else { throw EncoderError.noTokens }
        guard input.ids.count <= settings.contextLength else {
            throw EncoderError.tooLong(tokens: input.ids.count, limit: settings.contextLength)
        }
        guard let smallest = input.ids.min(), let largest = input.ids.max(), smallest >= 0,
            Int(largest) < settings.vocabularySize
        else { throw EncoderError.unknownToken(rows: settings.vocabularySize) }
        guard input.types.allSatisfy({ $0 >= 0 && Int($0) < settings.typeCount }) else {
            throw EncoderError.unknownType(rows: settings.typeCount)
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
    /// A text is longer than the table of positions.
    case tooLong(tokens: Int, limit: Int)
    /// A token id is beyond the embedding's rows.
    case unknownToken(rows: Int)
    /// A token type is beyond its table's rows.
    case unknownType(rows: Int)
    /// A file of a sentence encoder that asks for something else than there is.
    case module(file: String, problem: String)
    /// A classifier without a label that is needed.
    case noLabel(String, known: [String])

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
        case .noLabel(let label, let known):
            "the classifier has no label '\(label)' but \(known.joined(separator: ", ")); its config.json must name it in id2label"
        }
    }
}
