import Train

/// Settings of direct preference optimisation.
public struct DirectPreferenceSettings: Settings {
    /// The loss. For pairs: sigmoid (DPO; with `labelSmoothing` cDPO), robust, hinge, ipo, sigmoid_norm, exo_pair, nca_pair,
    /// bco_pair, sppo_hard, apo_zero, apo_down, discopop. For pairs without a reference model: simpo, cpo, orpo. For single
    /// answers: kto, apo_zero_unpaired.
    public var loss = "sigmoid"
    /// The strength of the KL constraint: a smaller value lets the policy move farther from the reference. For orpo, the weight
    /// of the odds ratio.
    public var beta = 0.1
    /// The reference model: a model folder or a run folder. Default: the starting model.
    public var referenceModel: String?
    /// sigmoid, robust, exo_pair, simpo, cpo: the probability that a label is wrong.
    public var labelSmoothing = 0.0
    /// simpo: the target margin between the scores of the two answers.
    public var gamma = 0.5
    /// The divergence between the policy and the reference: reverse-kl, forward-kl, js or alpha.
    public var fDivergence = "reverse-kl"
    /// α of the alpha divergence.
    public var fAlpha = 0.5
    /// The weight of the chosen answers' mean negative log-likelihood per token, which is added to the loss (RPO). Default: 1 for
    /// cpo and orpo, otherwise 0.
    public var rpoAlpha: Double?
    /// The weight of the longer answer's tokens beyond the length of the shorter one (LD-DPO); 1 weighs all tokens equally.
    public var lengthDesensitised = 1.0
    /// A separate factor for the policy's log-probabilities in place of `beta`: it weighs the entropy separately from the
    /// cross-entropy with the reference (Soft Preference Learning).
    public var entropyBeta: Double?
    /// discopop: the temperature τ.
    public var discopopTau = 0.05
    /// kto: the weight of the loss of a wanted answer.
    public var desirableWeight = 1.0
    /// kto: the weight of the loss of an unwanted answer.
    public var undesirableWeight = 1.0
    /// The weight of a pair's loss: none, or deviation, by how much the chosen answer differs from the others to its prompt
    /// (DDPO, DORPO), measured with `answerDiversity`. Default: none.
    public var pairWeight: String?
    /// The number of held-out prompts per split that get a sampled response at every evaluation, to measure the KL divergence
    /// from the reference; 0 for none.
    public var klPrompts = 32

    /// The defaults.
    public init() {}

    /// The names of all losses.
    static var lossNames: [String] { PreferenceLoss.builtIn.map(\.name) + UnpairedLoss.builtIn.map(\.name) }

    /// The loss name in the spelling of the library.
    private var name: String { SettingName.canonical(loss).replacingOccurrences(of: "-", with: "_") }
    /// The named loss for pairs; nil for a loss for single answers.
    var pairLoss: PreferenceLoss? { PreferenceLoss.builtIn.last { $0.name == name } }
    /// The named loss for single answers; nil for a loss for pairs.
    var unpairedLoss: UnpairedLoss? { UnpairedLoss.builtIn.last { $0.name == name } }

    /// The name of the method, such as `dpo`: the label of progress lines.
    var method: String { pairLoss?.method ?? unpairedLoss?.method ?? name }

    private var divergence: PreferenceDivergence? {
        switch SettingName.canonical(fDivergence) {
        case "reverse-kl": .reverseKL
        case "forward-kl": .forwardKL
        case "js", "jensen-shannon", "js-divergence": .jensenShannon
        case "alpha", "alpha-divergence": .alpha(fAlpha)
        default: nil
        }
    }

    /// Whether pairs are weighted by how much the chosen answer differs from the others.
    var weighsByDeviation: Bool { SettingName.canonical(pairWeight ?? "") == "deviation" }

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard pairLoss != nil || unpairedLoss != nil else {
            // names of methods whose loss has another name
            let published = ["cdpo": "sigmoid with --label-smoothing", "rdpo": "robust"]
            let known = published[name] ?? PreferenceLoss.builtIn.first { $0.method == name }?.name
            let nearest = (known ?? NearestName.find(name, among: Self.lossNames)).map { "; did you mean \($0)?" } ?? ""
            throw InvalidSetting("--loss is '\(loss)'; expected \(Self.lossNames.joined(separator: ", "))\(nearest)")
        }
        guard divergence != nil else {
            throw InvalidSetting("--f-divergence is '\(fDivergence)'; expected reverse-kl, forward-kl, js or alpha")
        }
        guard ["none", "deviation"].contains(SettingName.canonical(pairWeight ?? "none")) else {
            throw InvalidSetting("--pair-weight is '\(pairWeight ?? "")'; expected none or deviation")
        }
        try checkThatLossHasOptions()
        guard klPrompts >= 0 else { throw InvalidSetting("--kl-prompts must not be negative") }
        do {
            if pairLoss != nil { try config().validate() } else { try unpairedConfig().validate() }
        } catch let error as TrainingError {
            throw InvalidSetting("\(error)")
        }
    }

    /// Checks that no option is set that the loss does not use.
    private func checkThatLossHasOptions() throws {
        let usual = DirectPreferenceSettings()
        let isPaired = pairLoss != nil
        let hasReference = pairLoss?.comparison == .reference
        let given: [(option: String, isGiven: Bool, isUsed: Bool)] = [
            (
                "--label-smoothing", labelSmoothing != usual.labelSmoothing,
                ["sigmoid", "robust", "exo_pair", "simpo", "cpo"].contains(name)
            ),
            ("--gamma", gamma != usual.gamma, name == "simpo"), ("--discopop-tau", discopopTau != usual.discopopTau, name == "discopop"),
            ("--f-divergence", divergence != .reverseKL, hasReference && pairLoss?.takesDivergences == true),
            ("--reference-model", referenceModel != nil, !isPaired || hasReference || klPrompts > 0),
            ("--rpo-alpha", rpoAlpha != nil, isPaired),
            ("--length-desensitised", lengthDesensitised != usual.lengthDesensitised, hasReference),
            ("--entropy-beta", entropyBeta != nil, hasReference),
            ("--desirable-weight", desirableWeight != usual.desirableWeight, !isPaired),
            ("--undesirable-weight", undesirableWeight != usual.undesirableWeight, !isPaired),
            ("--pair-weight", weighsByDeviation, isPaired),
        ]
        for item in given where item.isGiven && !item.isUsed {
            throw InvalidSetting("\(item.option) has no effect with --loss \(name); remove it, or choose another loss")
        }
        guard fAlpha == usual.fAlpha || SettingName.canonical(fDivergence).hasPrefix("alpha") else {
            throw InvalidSetting("--f-alpha has no effect with --f-divergence \(fDivergence); remove it, or use --f-divergence alpha")
        }
    }

    /// The trainer's settings for pairs, without the settings of the training loop.
    func config() -> PreferenceConfig {
        var config = PreferenceConfig()
        if let pairLoss { config.loss = pairLoss }
        (config.beta, config.labelSmoothing, config.gamma) = (beta, labelSmoothing, gamma)
        config.divergence = divergence ?? .reverseKL
        config.supervisedWeight = rpoAlpha
        config.excessTokenWeight = lengthDesensitised
        config.entropyBeta = entropyBeta
        config.discopopTemperature = discopopTau
        return config
    }

    /// The trainer's settings for single answers, without the settings of the training loop.
    func unpairedConfig() -> UnpairedConfig {
        var config = UnpairedConfig()
        if let unpairedLoss { config.loss = unpairedLoss }
        (config.beta, config.desirableWeight, config.undesirableWeight) = (beta, desirableWeight, undesirableWeight)
        return config
    }
}
