public import Tensor

/// The shares of numbers that a model of some family drops while it is trained (Srivastava et al. 2014), as its config.json names them.
///
/// Nothing is dropped unless a batch brings a generator (``TokenBatch/dropout``): evaluations, sampling and PPO never do.
public struct DropoutRates: Sendable, Equatable {
    /// Of the embeddings, in front of the first layer.
    public var embedding: Double
    /// Of the weights that attention gives to keys.
    public var attention: Double
    /// Of what attention and MLP add to the states.
    public var residual: Double
    /// Of what an adapter reads.
    public var adapter: Double = 0

    /// Rates, each from 0 to below 1.
    public init(embedding: Double = 0, attention: Double = 0, residual: Double = 0) {
        self.embedding = embedding
        self.attention = attention
        self.residual = residual
    }

    /// Whether nothing is ever dropped.
    public var isNone: Bool { embedding == 0 && attention == 0 && residual == 0 && adapter == 0 }

    /// The rates with those of an adapter.
    func with(_ adapter: Adapter?) -> DropoutRates {
        var rates = self
        rates.adapter = adapter?.configuration.dropout ?? 0
        return rates
    }
}

/// What decides which numbers a model drops in a pass of training.
public struct DropoutSource: Sendable, Equatable {
    /// The generator; nothing is drawn from it.
    public var random: Philox
    /// The place of the pass's first row among all rows of an optimiser step: what is dropped does not depend on how a step is cut into
    /// passes.
    public var firstRow: Int

    /// A source of a pass.
    public init(_ random: Philox, firstRow: Int = 0) {
        self.random = random
        self.firstRow = firstRow
    }
}

/// The places of a layer at which numbers are dropped. Each has a stream of its own.
enum DropoutSite: UInt64 {
    case embedding, attentionWeights, attentionOutput, feedForwardOutput
}

extension LayerContext {
    /// The mask of a place, for the wanted rows (for the embedding, all rows are); nil where nothing is dropped.
    func mask(_ site: DropoutSite, layer: Int, rate: Double) -> DropoutMask? {
        guard let dropout, rate > 0 else { return nil }
        let rows = wanted ?? Array(positions.indices)
        return DropoutMask(
            rate: rate, random: dropout.random.split(UInt64(layer)).split(site.rawValue),
            rows: rows.map { $0 + dropout.firstRow })
    }

    /// The mask of what an adapter reads in a projection of some rows, which are the wanted ones or all; nil where nothing is dropped.
    func mask(ofAdapter module: String, rows count: Int, rate: Double) -> DropoutMask? {
        guard let dropout, rate > 0 else { return nil }
        let rows = wanted.flatMap { $0.count == count ? $0 : nil } ?? Array(positions.indices)
        return DropoutMask(
            rate: rate, random: dropout.random.split("adapter").split(module), rows: rows.map { $0 + dropout.firstRow })
    }

    /// What is left of a tensor at a place.
    func dropped(_ x: Tensor, _ site: DropoutSite, layer: Int, rate: Double) -> Tensor {
        mask(site, layer: layer, rate: rate).map(x.dropped) ?? x
    }
}

extension ConfigurationReader {
    /// A share of numbers to drop.
    /// - Throws: ``ModelError/configuration(key:problem:)`` for a number that is negative or not below 1.
    public func dropoutRate(_ key: String, or usual: Double) throws -> Double {
        let rate = try optionalNumber(key) ?? usual
        guard rate >= 0, rate < 1 else {
            throw ModelError.configuration(key: key, problem: "is \(rate); a dropout rate is at least 0 and below 1")
        }
        return rate
    }
}
