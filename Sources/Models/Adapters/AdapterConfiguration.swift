/// What a low-rank adapter looks like (LoRA, Hu et al. 2022): which projections it changes, and by matrices of which rank.
///
/// A projection W x + b becomes W x + b + s · B A x with A [rank, inputs], B [outputs, rank] and s = alpha / rank. The names and meanings are
/// those of PEFT's `LoraConfig`.
public struct AdapterConfiguration: Codable, Sendable, Equatable {
    /// Which projections are changed.
    public enum Targets: Codable, Sendable, Equatable {
        /// All but the output projection.
        case allLinear
        /// Those whose name, such as `model.layers.0.self_attn.q_proj`, is one of these or ends with a dot and one of these.
        case names([String])
        /// Those whose whole name matches a regular expression.
        case pattern(String)

        /// `all-linear`, or names with commas between them.
        public init(_ text: String) {
            let names = text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
            self = names.count == 1 && names[0].lowercased() == Self.allLinearName ? .allLinear : .names(names)
        }

        /// What PEFT calls all of them.
        static let allLinearName = "all-linear"
    }

    /// A number that some projections have in place of the usual one.
    public struct Exception<Value: Codable & Sendable & Equatable>: Codable, Sendable, Equatable {
        /// A regular expression; the projections whose whole name it matches, or what follows a dot in it.
        public var modules: String
        /// Their number.
        public var value: Value

        /// A number of some projections.
        public init(_ modules: String, _ value: Value) { (self.modules, self.value) = (modules, value) }
    }

    /// The rank r of the product of A and B.
    public var rank: Int
    /// What the product is multiplied by, before it is divided by the rank.
    public var alpha: Double
    /// The share of what A reads that training drops.
    public var dropout: Double
    /// Which projections are changed.
    public var targets: Targets
    /// Projections that are left alone though ``targets`` has them; nil for none.
    public var excluded: Targets?
    /// The layers, from 0, in which projections are changed; nil for all, and for those outside of layers, too.
    public var layers: [Int]?
    /// What comes in front of the number of a layer in names (regular expressions, `layers`); nil for anything.
    public var layersPatterns: [String]?
    /// Other ranks of some projections; of several that fit, the first.
    public var ranks: [Exception<Int>] = []
    /// Other alphas of some projections; of several that fit, the first.
    public var alphas: [Exception<Double>] = []
    /// Whether s is alpha / √rank (rsLoRA, Kalajdzievski 2023).
    public var isRankStabilised: Bool
    /// Whether the direction alone of every row of W + s · B A counts, and a trained vector says how long it is (DoRA, Liu et al. 2024).
    public var decomposesWeights: Bool

    /// A configuration.
    /// - Parameters:
    ///   - rank: r.
    ///   - alpha: nil for the rank itself, so that s is 1 (√rank with rsLoRA).
    ///   - dropout: the share of what A reads that training drops.
    ///   - targets: which projections are changed.
    ///   - layers: the layers in which they are; nil for all.
    ///   - isRankStabilised: whether s is alpha / √rank.
    ///   - decomposesWeights: DoRA.
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

    /// Checks the numbers, and that the patterns are regular expressions.
    /// - Throws: ``ModelError/adapter(_:)`` for what makes no sense.
    public func check() throws {
        for rank in [rank] + ranks.map(\.value) where rank < 1 || rank > 1 << 20 {
            throw ModelError.adapter("the rank of an adapter is at least 1, not \(rank)")
        }
        for alpha in [alpha] + alphas.map(\.value) where !(alpha > 0 && alpha.isFinite) {
            throw ModelError.adapter("the alpha of an adapter is a number above 0, not \(alpha)")
        }
        guard dropout >= 0, dropout < 1 else {
            throw ModelError.adapter("the dropout of an adapter is at least 0 and below 1, not \(dropout)")
        }
        if let layers, let wrong = layers.first(where: { $0 < 0 }) {
            throw ModelError.adapter("layers of an adapter are counted from 0; there is no layer \(wrong)")
        }
        if layers?.isEmpty ?? false { throw ModelError.adapter("an adapter of no layers changes nothing") }
        if case .names(let names) = targets, names.isEmpty { throw ModelError.adapter("an adapter needs a target: names, or all-linear") }
        if layers != nil, case .pattern(let pattern) = targets {
            throw ModelError.adapter("layers cannot be chosen beside a pattern of targets; let '\(pattern)' say which")
        }
        var patterns = ranks.map(\.modules) + alphas.map(\.modules) + (layersPatterns ?? [])
        for case .pattern(let pattern)? in [targets, excluded] { patterns.append(pattern) }
        for pattern in patterns { _ = try ModulePattern(pattern) }
    }

    /// The rank in a projection.
    func rank(of module: String) throws -> Int {
        try ranks.first { try ModulePattern($0.modules).matchesEnd(of: module) }?.value ?? rank
    }

    /// What B A is multiplied by in a projection.
    func scale(of module: String) throws -> Float {
        let rank = Double(try rank(of: module))
        let alpha = try alphas.first { try ModulePattern($0.modules).matchesEnd(of: module) }?.value ?? alpha
        return Float(alpha / (isRankStabilised ? rank.squareRoot() : rank))
    }
}

extension String {
    /// Without spaces at either end.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
