public import Models

/// The settings of direct preference optimisation on pairs.
public struct PreferenceConfig: LoopSettings, Sendable {
    /// The settings of the loop. The batch has 16 pairs unless set.
    public var loop = LoopConfig()
    /// What stays as it is.
    public var freezing = Freezing()
    /// What is minimised.
    public var loss = PreferenceLoss.sigmoid
    /// How strongly preferences move the policy away from the reference: the smaller, the farther. Of ORPO the weight of the odds ratio.
    public var beta = 0.1
    /// The probability that a label is wrong (cDPO, robust, EXO, SimPO, CPO).
    public var labelSmoothing = 0.0
    /// SimPO's margin γ.
    public var gamma = 0.5
    /// The divergence from the reference.
    public var divergence = PreferenceDivergence.reverseKL
    /// What the mean negative log-likelihood of a chosen answer's token weighs beside the loss; the loss's own weight unless set (RPO).
    public var supervisedWeight: Double?
    /// Tokens of the longer answer beyond the length of the shorter one weigh so much (LD-DPO: Liu et al. 2024); 1 for all alike.
    public var excessTokenWeight = 1.0
    /// What the policy's own log-probabilities are multiplied by instead of β, for a weight of entropy apart from that of the cross-entropy with
    /// the reference (Soft Preference Learning: Slocum et al. 2025); β unless set.
    public var entropyBeta: Double?
    /// DiscoPOP's τ.
    public var discopopTemperature = 0.05
    /// Ids at and above it have no token.
    public var validTokens: Int?

    /// DPO with β = 0.1.
    public init() {
        loop.steps.optimizer.learningRate = 1e-6
    }

    /// Checks that the numbers make sense, and fit the loss.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(beta > 0 && beta.isFinite, "beta", beta, "it must be above 0")
        try Settings.require((0..<0.5).contains(labelSmoothing), "the label smoothing", labelSmoothing, "it must be in 0..<0.5")
        try Settings.require(
            loss.name != "exo_pair" || labelSmoothing > 0, "the label smoothing", labelSmoothing,
            "exo_pair needs one above 0, such as 0.001")
        try Settings.require(gamma >= 0 && gamma.isFinite, "gamma", gamma, "it must not be below 0")
        try Settings.require((0...1).contains(excessTokenWeight), "the weight of excess tokens", excessTokenWeight, "it must be in 0...1")
        try Settings.require(discopopTemperature > 0, "DiscoPOP's temperature", discopopTemperature, "it must be above 0")
        try Settings.require(supervisedWeight ?? 0 >= 0, "the weight of the likelihood", supervisedWeight ?? 0, "it must not be below 0")
        try Settings.require(
            divergence == .reverseKL || (loss.takesDivergences && loss.comparison == .reference), "the divergence", "\(divergence)",
            "the loss \(loss.name) takes the reverse Kullback-Leibler divergence alone")
        try Settings.require(
            entropyBeta == nil || (loss.comparison == .reference && entropyBeta ?? 0 > 0), "the entropy's beta", entropyBeta ?? 0,
            "it must be above 0, and the loss must have a reference")
        try Settings.require(
            excessTokenWeight == 1 || loss.comparison == .reference, "the weight of excess tokens", excessTokenWeight,
            "only losses with a reference have it")
    }

    /// What the likelihood of a chosen answer weighs.
    var likelihoodWeight: Double { supervisedWeight ?? loss.supervisedWeight }
}
