/// The configuration of a low-rank adapter (LoRA, Hu et al. 2022): which projections it adapts, and the rank of its matrices.
///
/// A projection W x + b becomes W x + b + s · B A x, with A [rank, inputs], B [outputs, rank] and s = alpha / rank. Names and
/// meanings of the properties follow PEFT's `LoraConfig`.
public struct AdapterConfiguration: Codable, Sendable, Equatable {
    /// A selection of projections.
    public enum Targets: Codable, Sendable, Equatable {
        /// All projections except the output projection.
        case allLinear
        /// Projections whose name, such as `model.layers.0.self_attn.q_proj`, equals one of these, or ends with a dot and one of
        /// these.
        case names([String])
        /// Projections whose whole name matches a regular expression.
        case pattern(String)

        /// Creates a selection from text: `all-linear`, or names separated by commas.
        public init(_ text: String) {
            let names = text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
            self = names.count == 1 && names[0].lowercased() == Self.allLinearName ? .allLinear : .names(names)
        }

        /// PEFT's name for all projections.
        static let allLinearName = "all-linear"
    }

    /// A value that replaces the default for some projections.
    public struct Exception<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
        /// A regular expression that must match the whole name of a projection, or all of it after one of its dots.
        public var modules: String
        /// The value for these projections.
        public var value: Value

        /// Creates an exception.
        public init(_ modules: String, _ value: Value) { (self.modules, self.value) = (modules, value) }
    }

    /// The rank r of the product B A.
    public var rank: Int
    /// The scaling constant: the product B A is multiplied by alpha / rank.
    public var alpha: Double
    /// The dropout rate of the input of A, in [0, 1).
    public var dropout: Double
    /// Which projections are adapted.
    public var targets: Targets
    /// Projections to leave out although ``targets`` includes them; nil for none.
    public var excluded: Targets?
    /// The layers, counted from 0, in which projections are adapted; nil for all, including projections outside of layers.
    public var layers: [Int]?
    /// Regular expressions for what precedes the number of a layer in module names (for ``layers``); nil for anything.
    public var layersPatterns: [String]?
    /// The ranks of projections that differ from ``rank``; the first match applies.
    public var ranks: [Exception<Int>] = []
    /// The alphas of projections that differ from ``alpha``; the first match applies.
    public var alphas: [Exception<Double>] = []
    /// Whether the scale s is alpha / √rank (rsLoRA, Kalajdzievski 2023).
    public var isRankStabilised: Bool
    /// Whether each row of W + s · B A is normalised and multiplied by a trained magnitude (DoRA, Liu et al. 2024).
    public var decomposesWeights: Bool

    /// Creates a configuration.
    /// - Parameters:
    ///   - rank: the rank r.
    ///   - alpha: the scaling constant. Default: the rank, so that s is 1 (√rank with rsLoRA).
    ///   - dropout: the dropout rate of the input of A.
    ///   - targets: which projections are adapted.
    ///   - layers: the layers in which they are adapted. Default: all.
    ///   - isRankStabilised: whether s is alpha / √rank (rsLoRA).
    ///   - decomposesWeights: whether to use DoRA.
    public init(
        rank: Int = 8, alpha: Double? = nil, dropout: Double = 0, targets: Targets = .allLinear, layers: [Int]? = nil,
        isRankStabilised: Bool = false, decomposesWeights: Bool = false
    ) {
        self.rank = rank
        self.alpha = alpha ?? Double(rank)
        self.dropout = dropout
        self.targets = targets
        self.layers = layers
        self.isRankStabilised = isRankStabilised
        self.decomposesWeights = decomposesWeights
    }

    /// Checks that the values are valid and that the patterns are regular expressions.
    /// - Throws: ``ModelError/adapter(_:)`` for invalid values.
    public func check() throws {
        for rank in [rank] + ranks.map(\.value) where rank < 1 || rank > 1 << 20 {
            throw ModelError.adapter("the rank of an adapter must be at least 1, not \(rank)")
        }
        for alpha in [alpha] + alphas.map(\.value) where !(alpha > 0 && alpha.isFinite) {
            throw ModelError.adapter("the alpha of an adapter must be above 0, not \(alpha)")
        }
        guard dropout >= 0, dropout < 1 else {
            throw ModelError.adapter("the dropout of an adapter must be at least 0 and below 1, not \(dropout)")
        }
        if let layers, let wrong = layers.first(where: { $0 < 0 }) {
            throw ModelError.adapter("the layers of an adapter must be at least 0, not \(wrong)")
        }
        if layers?.isEmpty ?? false { throw ModelError.adapter("the adapter applies to no layers; select at least one") }
        if case .names(let names) = targets, names.isEmpty { throw ModelError.adapter("the adapter has no targets; try all-linear") }
        if layers != nil, case .pattern(let pattern) = targets {
            throw ModelError.adapter("layers cannot be combined with a target pattern; select the layers in the pattern '\(pattern)'")
        }
        var patterns = ranks.map(\.modules) + alphas.map(\.modules) + (layersPatterns ?? [])
        for case .pattern(let pattern)? in [targets, excluded] { patterns.append(pattern) }
        for pattern in patterns { _ = try ModulePattern(pattern) }
    }

    /// The rank for a projection.
    func rank(of module: String) throws -> Int {
        try ranks.first { try ModulePattern($0.modules).matchesEnd(of: module) }?.value ?? rank
    }

    /// The scale s of B A for a projection.
    func scale(of module: String) throws -> Float {
        let rank = Double(try rank(of: module))
        let alpha = try alphas.first { try ModulePattern($0.modules).matchesEnd(of: module) }?.value ?? alpha
        return Float(alpha / (isRankStabilised ? rank.squareRoot() : rank))
    }
}

extension String {
    /// The string without leading and trailing spaces.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
