public import Tensor

/// The dropout rates of a model in training (Srivastava et al. 2014), as its config.json specifies them.
///
/// Dropout is active only if a batch has a generator (``TokenBatch/dropout``). Evaluation, sampling and PPO never use it.
public struct DropoutRates: Sendable, Equatable {
    /// The rate for embeddings, before the first layer.
    public var embedding: Double
    /// The rate for attention weights.
    public var attention: Double
    /// The rate for the outputs of attention and MLP, before they are added to the residual stream.
    public var residual: Double
    /// The rate for the inputs of an adapter.
    public var adapter: Double = 0

    /// Creates dropout rates, each in [0, 1).
    public init(embedding: Double = 0, attention: Double = 0, residual: Double = 0) {
        self.embedding = embedding
        self.attention = attention
        self.residual = residual
    }

    /// Whether all rates are 0.
    public var isNone: Bool { embedding == 0 && attention == 0 && residual == 0 && adapter == 0 }

    /// These rates together with that of an adapter.
    func with(_ adapter: Adapter?) -> DropoutRates {
        var rates = self
        rates.adapter = adapter?.configuration.dropout ?? 0
        return rates
    }
}

/// The source of random numbers for dropout in a training pass.
public struct DropoutSource: Sendable, Equatable {
    /// The generator of the masks. Its state does not change.
    public var random: Philox
    /// The index of the pass's first row among all rows of an optimiser step, so that dropout does not depend on how a step is
    /// split into micro-batches.
    public var firstRow: Int

    /// Creates the dropout source of a pass.
    public init(_ random: Philox, firstRow: Int = 0) {
        self.random = random
        self.firstRow = firstRow
    }
}

/// The positions in a model at which dropout applies. Each has a separate random stream.
public enum DropoutSite: UInt64, Sendable {
    /// After the embedding; after softmax; after the projections out of attention and of the MLP.
    case embedding, attentionWeights, attentionOutput, feedForwardOutput
}

extension LayerContext {
    /// The dropout mask at one site, for the wanted rows (all rows for the embedding); nil for no dropout.
    func mask(_ site: DropoutSite, layer: Int, rate: Double) -> DropoutMask? {
        guard let dropout, rate > 0 else { return nil }
        let rows = wanted ?? Array(positions.indices)
        return DropoutMask(
            rate: rate, random: dropout.random.split(UInt64(layer)).split(site.rawValue),
            rows: rows.map { $0 + dropout.firstRow })
    }

    /// The dropout mask of an adapter's input in one projection, with `count` rows: the wanted rows or all. Nil for no dropout.
    func mask(ofAdapter module: String, rows count: Int, rate: Double) -> DropoutMask? {
        guard let dropout, rate > 0 else { return nil }
        let rows = wanted.flatMap { $0.count == count ? $0 : nil } ?? Array(positions.indices)
        return DropoutMask(
            rate: rate, random: dropout.random.split("adapter").split(module), rows: rows.map { $0 + dropout.firstRow })
    }

    /// Applies dropout at one site of a layer, for a decoder that is written from scratch. Without a source of masks, and at rate 0, x is returned
    /// as it is. Masks depend on the step's generator, the layer, the site and the row alone.
    public func dropped(_ x: Tensor, _ site: DropoutSite, layer: Int, rate: Double) -> Tensor {
        mask(site, layer: layer, rate: rate).map(x.dropped) ?? x
    }
}

extension ConfigurationReader {
    /// A dropout rate; `usual` if the key is missing or null.
    /// - Throws: ``ModelError/configuration(key:problem:)`` unless the rate is in [0, 1).
    public func dropoutRate(_ key: String, or usual: Double) throws -> Double {
        let rate = try optionalNumber(key) ?? usual
        guard rate >= 0, rate < 1 else {
            throw ModelError.configuration(key: key, problem: "is \(rate); a dropout rate must be at least 0 and below 1")
        }
        return rate
    }
}
