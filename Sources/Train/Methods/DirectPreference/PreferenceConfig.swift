public import Models

/// The settings of direct preference optimisation on pairs.
public struct PreferenceConfig: LoopSettings, Sendable {
    /// The settings of the training loop. Default: batches of 16 pairs.
    public var loop = LoopConfig()
    /// The parameters that are frozen.
    public var freezing = Freezing()
    /// The loss that is minimised.
    public var loss = PreferenceLoss.sigmoid
    /// β, the strength of the KL constraint: a smaller value lets the policy move farther from the reference. For ORPO, the
    /// weight of the odds ratio.
    public var beta = 0.1
    /// The probability that a label is wrong (cDPO, robust, EXO, SimPO, CPO).
    public var labelSmoothing = 0.0
    /// The target margin γ of SimPO.
    public var gamma = 0.5
    /// The divergence from the reference.
    public var divergence = PreferenceDivergence.reverseKL
    /// The weight of the chosen answers' mean negative log-likelihood per token, which is added to the loss (RPO). Default: nil,
    /// the loss's own weight.
    public var supervisedWeight: Double?
    /// The weight of the longer answer's tokens beyond the length of the shorter one (LD-DPO: Liu et al. 2024); 1 weighs all
    /// tokens equally.
    public var excessTokenWeight = 1.0
    /// A separate factor for the policy's log-probabilities in place of β. It weighs the entropy separately from the
    /// cross-entropy with the reference (Soft Preference Learning: Slocum et al. 2025). Default: nil, which is β.
    public var entropyBeta: Double?
    /// The temperature τ of DiscoPOP.
    public var discopopTemperature = 0.05
    /// The number of valid token IDs; logits of IDs from this number on are ignored. Default: nil, all rows of the model.
    public var validTokens: Int?

    /// DPO with β = 0.1 and a learning rate of 1e-6.
    public init() {
        loop.steps.optimizer.learningRate = 1e-6
    }

    /// Checks the range of every setting, and that the loss supports it.
    /// - Throws: ``TrainingError/invalidSetting(name:value:rule:)``.
    public func validate() throws {
        try validateLoop()
        try Settings.require(beta > 0 && beta.isFinite, "beta", beta, "it must be above 0")
        try Settings.require((0..<0.5).contains(labelSmoothing), "the label smoothing", labelSmoothing, "it must be in 0..<0.5")
        try Settings.require(
            loss.name != "exo_pair" || labelSmoothing > 0, "the label smoothing", labelSmoothing,
            "exo_pair needs a value above 0, such as 0.001")
        try Settings.require(gamma >= 0 && gamma.isFinite, "gamma", gamma, "it must not be below 0")
        try Settings.require((0...1).contains(excessTokenWeight), "the weight of excess tokens", excessTokenWeight, "it must be in 0...1")
        try Settings.require(discopopTemperature > 0, "DiscoPOP's temperature", discopopTemperature, "it must be above 0")
        try Settings.require(supervisedWeight ?? 0 >= 0, "the weight of the likelihood", supervisedWeight ?? 0, "it must not be below 0")
        try Settings.require(
            divergence == .reverseKL || (loss.takesDivergences && loss.comparison == .reference), "the divergence", "\(divergence)",
            "the loss \(loss.name) supports only the reverse Kullback-Leibler divergence")
        try Settings.require(
            entropyBeta == nil || (loss.comparison == .reference && entropyBeta ?? 0 > 0), "the entropy's beta", entropyBeta ?? 0,
            "it must be above 0, and the loss must use a reference model")
        try Settings.require(
            excessTokenWeight == 1 || loss.comparison == .reference, "the weight of excess tokens", excessTokenWeight,
            "only losses with a reference model support it")
    }

    /// The weight of the chosen answers' likelihood.
    var likelihoodWeight: Double { supervisedWeight ?? loss.supervisedWeight }
}
