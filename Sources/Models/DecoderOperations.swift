import Tensor

/// Counts the operations that the passes of a decoder cannot avoid, from its matrices and which of them are trained.
///
/// - In the last layer, only keys and values are counted for rows that are not wanted.
/// - A trained matrix has a gradient. The gradient of an input is counted where it leads to a trained parameter, so frozen layers below
///   the first trained one have no backward pass.
/// - Attention has two products in the forward and four in the backward pass. They are counted at the causal cost: a query with the
///   keys that it sees.
///
/// Norms, activations, embeddings, the optimiser and the recomputation of anything are not counted, nor are OPT's projections outside
/// of the layers. The matrices of a layer, apart from an adapter, are assumed to be all trained or all frozen.
public struct DecoderOperations: Sendable {
    /// Some matrices of a layer.
    private struct Matrices {
        /// The number of weights.
        var count: Int
        /// Whether they multiply every row, as those of keys and values do, or only the wanted rows.
        var needsAllRows = false
        /// Whether their input is that of the layer, or its norm.
        var readsInput = false
        var isTrained: Bool
    }

    private struct Layer {
        var matrices: [Matrices]
        var window: Int?
        /// Whether a norm may be trained; its gradient needs those of the products that follow.
        var trainsVectors: Bool
    }

    private let layers: [Layer]
    /// NH·D.
    private let attentionWidth: Int
    /// KH·D.
    private let keyWidth: Int
    private let projectionCount: Int
    private let trainsProjection: Bool
    private let trainsEmbeddings: Bool
    private let headWidth: Int
    /// The number of layers, from the first, without a backward pass.
    package let frozenTrunk: Int

    /// Counts for a decoder whose parameters are marked as trainable or frozen.
    public init(_ decoder: any TransformerDecoder) {
        let shape = decoder.shape
        attentionWidth = shape.heads * shape.headDim
        keyWidth = shape.keyHeads * shape.headDim
        headWidth = shape.headWidth
        projectionCount = decoder.projection.value.count
        trainsProjection = decoder.projection.isTrainable
        trainsEmbeddings = decoder.embeddingParameters.contains(where: \.isTrainable)
        frozenTrunk = decoder.frozenTrunk
        let added = Set((decoder.adapter?.parameters ?? []).map(ObjectIdentifier.init))
        layers = (0..<shape.layerCount).map { index in
            let parameters = decoder.parameters(ofLayer: index)
            let own = parameters.filter { !added.contains(ObjectIdentifier($0)) }
            let matrices = own.filter { $0.value.shape.rank == 2 }
            let isTrained = matrices.contains(where: \.isTrainable)
            let keyValues = 2 * shape.hiddenSize * shape.keyHeads * shape.headDim
            let queries = shape.hiddenSize * shape.heads * shape.headDim
            let rest = matrices.reduce(0) { $0 + $1.value.count } - keyValues - queries
            return Layer(
                matrices: [
                    Matrices(count: keyValues, needsAllRows: true, readsInput: true, isTrained: isTrained),
                    Matrices(count: queries, readsInput: true, isTrained: isTrained), Matrices(count: rest, isTrained: isTrained),
                ] + Self.adapterMatrices(parameters.filter { added.contains(ObjectIdentifier($0)) }),
                window: decoder.window(ofLayer: index), trainsVectors: own.contains { $0.value.shape.rank == 1 && $0.isTrainable })
        }
    }

    /// The matrices of an adapter. The names tell which belong to keys, values and queries.
    private static func adapterMatrices(_ parameters: [Parameter]) -> [Matrices] {
        parameters.filter { $0.value.shape.rank == 2 }.map { parameter in
            let parts = parameter.name.split(separator: ".")
            let isKeyOrValue = parts.contains("k_proj") || parts.contains("v_proj")
            return Matrices(
                count: parameter.value.count, needsAllRows: isKeyOrValue,
                readsInput: parts.contains("lora_A") && (isKeyOrValue || parts.contains("q_proj")), isTrained: parameter.isTrainable)
        }
    }

    /// A forward pass through some layers. Default: all layers.
    /// - Parameters:
    ///   - texts: the tokens that are read.
    ///   - wanted: the rows whose output of the last layer is needed.
    ///   - range: the indices of the layers.
    public func forward(
        _ texts: [PromptLengths], wanted: PromptLengths.Wanted, layers range: Range<Int>? = nil
    ) -> OperationCount {
        (range ?? 0..<layers.count).reduce(.zero) { sum, index in
            let (layer, rows) = (layers[index], Rows(texts, index == layers.count - 1 ? wanted : .all, window: layers[index].window))
            let products = layer.matrices.reduce(0) { $0 + 2 * $1.count * rows.count(all: $1.needsAllRows) }
            return sum + OperationCount(products: products, attention: 4 * attentionWidth * rows.keys)
        }
    }

    /// A backward pass through the layers that need one, after a forward pass.
    /// - Parameters:
    ///   - texts: the tokens that were read.
    ///   - wanted: the rows whose output of the last layer was needed.
    public func backward(_ texts: [PromptLengths], wanted: PromptLengths.Wanted) -> OperationCount {
        (frozenTrunk..<layers.count).reduce(.zero) { sum, index in
            let (layer, rows) = (layers[index], Rows(texts, index == layers.count - 1 ? wanted : .all, window: layers[index].window))
            let reachesInput = trainsEmbeddings || index > frozenTrunk || layer.trainsVectors
            let products = layer.matrices.reduce(0) { sum, matrices in
                let gradients = (matrices.isTrained ? 1 : 0) + (reachesInput || !matrices.readsInput ? 1 : 0)
                return sum + gradients * 2 * matrices.count * rows.count(all: matrices.needsAllRows)
            }
            return sum + OperationCount(products: products, attention: 8 * attentionWidth * rows.keys)
        }
    }

    /// The output projection of some rows.
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - isDifferentiated: whether a backward pass follows.
    public func projection(rows: Int, isDifferentiated: Bool = false) -> OperationCount {
        OperationCount(products: 2 * projectionCount * rows * (isDifferentiated ? trainsProjection ? 3 : 2 : 1))
    }

    /// A head with one number for each of some rows.
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - isDifferentiated: whether a backward pass follows, in which the head is trained.
    public func head(rows: Int, isDifferentiated: Bool = false) -> OperationCount {
        OperationCount(products: 2 * headWidth * rows * (isDifferentiated ? 3 : 1))
    }

    /// The numbers that decoding answers token by token cannot avoid to read from memory, if all answers advance together: every weight
    /// once for each token but the first, and the keys and values that each answer sees. Those of a common prompt are read once for all
    /// its answers.
    /// - Parameter texts: the tokens of prompts and sampled answers.
    public func decodingReads(_ texts: [PromptLengths]) -> DecodingReads {
        let steps = max(1, texts.flatMap(\.continuations).max() ?? 0) - 1
        let weights = layers.reduce(projectionCount) { $0 + $1.matrices.reduce(0) { $0 + $1.count } }
        var rows = 0
        for layer in layers {
            for text in texts {
                for step in 1..<max(1, text.continuations.max() ?? 0) {
                    let visible = min(text.prompt + step, layer.window ?? .max)
                    let own = min(step, visible)
                    rows += visible - own + text.continuations.count { $0 > step } * own
                }
            }
        }
        return DecodingReads(weights: steps * weights, keysAndValues: 2 * keyWidth * rows)
    }

    /// The number of layers.
    package var layerCount: Int { layers.count }

    /// The rows of a pass through a layer.
    private struct Rows {
        private let all: Int
        private let wanted: Int
        /// The number of keys that the wanted rows see.
        let keys: Int

        init(_ texts: [PromptLengths], _ wanted: PromptLengths.Wanted, window: Int?) {
            all = texts.reduce(0) { $0 + $1.rows(.all) }
            self.wanted = texts.reduce(0) { $0 + $1.rows(wanted) }
            keys = texts.reduce(0) { $0 + $1.keys(wanted, window: window) }
        }

        func count(all isAll: Bool) -> Int { isAll ? all : wanted }
    }
}
