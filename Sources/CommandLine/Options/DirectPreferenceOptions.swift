public import ArgumentParser
public import Study

/// What direct preference optimisation minimises.
public struct DirectPreferenceOptions: SettingsOptions {
    public typealias Values = DirectPreferenceSettings

    @Option(
        help: """
            Preference loss, such as sigmoid, ipo or kto. For pairs: sigmoid (DPO; with --label-smoothing cDPO), robust, hinge, ipo, \
            sigmoid_norm, exo_pair, nca_pair, bco_pair, sppo_hard, apo_zero, apo_down, discopop. For pairs without a reference model: \
            simpo, cpo, orpo. For single answers: kto, apo_zero_unpaired.
            """)
    public var loss = Self.defaults.loss
    @Option(
        help: """
            Strength of the KL constraint. A smaller value lets the policy move farther from the reference. For orpo, it is the weight of \
            the odds ratio.
            """)
    public var beta = Self.defaults.beta
    @Option(help: "Reference model: a model folder or run folder. Default: the starting model.", completion: .file())
    public var referenceModel: String?
    @Option(help: "Probability that a label is wrong. It is for sigmoid, robust, exo_pair, simpo and cpo.")
    public var labelSmoothing = Self.defaults.labelSmoothing
    @Option(help: "simpo: target margin between the answers. It is the margin between the scores of the two answers.")
    public var gamma = Self.defaults.gamma
    @Option(help: "Divergence between policy and reference. One of reverse-kl, forward-kl, js or alpha.")
    public var fDivergence = Self.defaults.fDivergence
    @Option(help: "α of the alpha divergence.")
    public var fAlpha = Self.defaults.fAlpha
    @Option(
        help: """
            Weight of the chosen answers' likelihood (RPO). It is the weight of their mean negative log-likelihood per token, which is \
            added to the loss. Default: 1 for cpo and orpo, otherwise 0.
            """)
    public var rpoAlpha: Double?
    @Option(
        help: """
            Weight of the longer answer's last tokens. They are those beyond the length of the shorter answer (LD-DPO); 1 weighs all \
            tokens equally.
            """)
    public var lengthDesensitised = Self.defaults.lengthDesensitised
    @Option(
        help: """
            Factor of the policy's log-probabilities. It takes the place of --beta for them, and so weighs the entropy separately from the \
            cross-entropy with the reference (Soft Preference Learning). Default: --beta.
            """)
    public var entropyBeta: Double?
    @Option(help: "discopop: temperature τ.")
    public var discopopTau = Self.defaults.discopopTau
    @Option(help: "kto: loss weight of wanted answers.")
    public var desirableWeight = Self.defaults.desirableWeight
    @Option(help: "kto: loss weight of unwanted answers.")
    public var undesirableWeight = Self.defaults.undesirableWeight
    @Option(
        help: """
            Weight of a pair's loss: none or deviation. With deviation, it is how much the chosen answer differs from the others to its \
            prompt (DDPO, DORPO), measured with --answer-diversity. Default: none.
            """)
    public var pairWeight: String?
    @Option(
        help: """
            Held-out prompts per split for the KL. Each gets a sampled response at every evaluation, to measure the KL from the reference; \
            0 for none.
            """)
    public var klPrompts = Self.defaults.klPrompts

    public init() {}

    /// Other names of options.
    public static let aliases = [
        "loss-type": "loss", "ld-alpha": "length-desensitised", "simpo-gamma": "gamma", "ref-model": "reference-model",
    ]
}
