public import ArgumentParser
public import Study

/// What direct preference optimisation minimises.
public struct DirectPreferenceOptions: SettingsOptions {
    public typealias Values = DirectPreferenceSettings

    @Option(
        help: """
            The loss. Of pairs: sigmoid (DPO; with --label-smoothing cDPO), robust, hinge, ipo, sigmoid_norm, exo_pair, nca_pair, bco_pair, \
            sppo_hard, apo_zero, apo_down, discopop; without a reference simpo, cpo, orpo. Of single answers: kto, apo_zero_unpaired.
            """)
    public var loss = Self.defaults.loss
    @Option(
        help: """
            How strongly preferences move the policy away from the reference: the smaller, the farther. Of orpo the weight of the odds ratio.
            """)
    public var beta = Self.defaults.beta
    @Option(help: "The reference: a model folder or a run folder; the model that training begins with unless given.", completion: .file())
    public var referenceModel: String?
    @Option(help: "sigmoid, robust, exo_pair, simpo, cpo: the probability that a label is wrong.")
    public var labelSmoothing = Self.defaults.labelSmoothing
    @Option(help: "simpo: the margin between the answers' scores.")
    public var gamma = Self.defaults.gamma
    @Option(help: "The divergence that keeps the policy near the reference: reverse-kl, forward-kl, js or alpha.")
    public var fDivergence = Self.defaults.fDivergence
    @Option(help: "Alpha of that divergence.")
    public var fAlpha = Self.defaults.fAlpha
    @Option(
        help: """
            What the mean negative log-likelihood of a chosen answer's token weighs beside the loss (RPO); 1 for cpo and orpo, else 0, unless \
            given.
            """)
    public var rpoAlpha: Double?
    @Option(
        help: """
            Length-desensitised: tokens of the longer answer beyond the length of the shorter one weigh so much; 1 for all alike.
            """)
    public var lengthDesensitised = Self.defaults.lengthDesensitised
    @Option(
        help: """
            What the policy's own log-probabilities are multiplied by in place of --beta: a weight of entropy apart from that of the \
            cross-entropy with the reference (Soft Preference Learning).
            """)
    public var entropyBeta: Double?
    @Option(help: "discopop: its temperature.")
    public var discopopTau = Self.defaults.discopopTau
    @Option(help: "kto: what a wanted answer's loss is multiplied by.")
    public var desirableWeight = Self.defaults.desirableWeight
    @Option(help: "kto: what an unwanted answer's loss is multiplied by.")
    public var undesirableWeight = Self.defaults.undesirableWeight
    @Option(
        help: """
            What a pair's loss is multiplied by: none, or deviation, by how much the chosen answer differs from the others to its prompt (DDPO, \
            DORPO), as --answer-diversity measures it; none unless given.
            """)
    public var pairWeight: String?
    @Option(
        help: """
            Held-out prompts of each distribution whose own responses are drawn at every evaluation, for the KL to the reference; 0 for none.
            """)
    public var klPrompts = Self.defaults.klPrompts

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "loss-type": "loss", "ld-alpha": "length-desensitised", "simpo-gamma": "gamma", "ref-model": "reference-model",
    ]
}
