import Train

/// What direct preference optimisation minimises.
public struct DirectPreferenceSettings: Settings {
    /// The loss. Of pairs: sigmoid (DPO; with `labelSmoothing` cDPO), robust, hinge, ipo, sigmoid_norm, exo_pair, nca_pair, bco_pair, sppo_hard,
    /// apo_zero, apo_down, discopop; without a reference simpo, cpo, orpo. Of single answers: kto, apo_zero_unpaired.
    public var loss = "sigmoid"
    /// How strongly preferences move the policy away from the reference: the smaller, the farther. Of orpo the weight of the odds ratio.
    public var beta = 0.1
    /// The reference: a model folder or a run folder; the model that training begins with unless given.
    public var referenceModel: String?
    /// sigmoid, robust, exo_pair, simpo, cpo: the probability that a label is wrong.
    public var labelSmoothing = 0.0
    /// simpo: the margin between the answers' scores.
    public var gamma = 0.5
    /// The divergence that keeps the policy near the reference: reverse-kl, forward-kl, js or alpha.
    public var fDivergence = "reverse-kl"
    /// α of that divergence.
    public var fAlpha = 0.5
    /// What the mean negative log-likelihood of a chosen answer's token weighs beside the loss (RPO); 1 for cpo and orpo, else 0, unless given.
    public var rpoAlpha: Double?
    /// Length-desensitised: tokens of the longer answer beyond the length of the shorter one weigh so much; 1 for all alike.
    public var lengthDesensitised = 1.0
    /// What the policy's own log-probabilities are multiplied by in place of `beta`: a weight of entropy apart from that of the cross-entropy
    /// with the reference (Soft Preference Learning).
    public var entropyBeta: Double?
    /// discopop: its temperature.
    public var discopopTau = 0.05
    /// kto: what a wanted answer's loss is multiplied by.
    public var desirableWeight = 1.0
    /// kto: what an unwanted answer's loss is multiplied by.
    public var undesirableWeight = 1.0
    /// What a pair's loss is multiplied by: none, or deviation, by how much the chosen answer differs from the others to its prompt (DDPO,
    /// DORPO), as `answerDiversity` measures it; none unless given.
    public var pairWeight: String?
    /// Held-out prompts of each distribution whose own responses are drawn at every evaluation, for the KL to the reference; 0 for none.
    public var klPrompts = 32

    /// The defaults.
    public init() {}

    /// The names of all losses.
    static var lossNames: [String] { PreferenceLoss.builtIn.map(\.name) + UnpairedLoss.builtIn.map(\.name) }

    /// A name as losses have it.
    private var name: String { SettingName.canonical(loss).replacingOccurrences(of: "-", with: "_") }
    /// The loss of pairs that is named; nil for one of single answers.
    var pairLoss: PreferenceLoss? { PreferenceLoss.builtIn.last { $0.name == name } }
    /// The loss of single answers that is named; nil for one of pairs.
    var unpairedLoss: UnpairedLoss? { UnpairedLoss.builtIn.last { $0.name == name } }

    private var divergence: PreferenceDivergence? {
        switch SettingName.canonical(fDivergence) {
        case "reverse-kl": .reverseKL
        case "forward-kl": .forwardKL
        case "js", "jensen-shannon", "js-divergence": .jensenShannon
        case "alpha", "alpha-divergence": .alpha(fAlpha)
        default: nil
        }
    }

    /// Whether a pair weighs by how much its chosen answer differs from others.
    var weighsByDeviation: Bool { SettingName.canonical(pairWeight ?? "") == "deviation" }

    public func validate() throws {
        guard pairLoss != nil || unpairedLoss != nil else {
            let published = [
                "dpo": "sigmoid", "cdpo": "sigmoid with --label-smoothing", "slic": "hinge", "rdpo": "robust", "sppo": "sppo_hard",
            ]
            let nearest = (published[name] ?? NearestName.find(name, among: Self.lossNames)).map { "; did you mean \($0)?" } ?? ""
            throw InvalidSetting("--loss is '\(loss)'; it takes \(Self.lossNames.joined(separator: ", "))\(nearest)")
        }
        guard divergence != nil else {
            throw InvalidSetting("--f-divergence is '\(fDivergence)'; it takes reverse-kl, forward-kl, js or alpha")
        }
        guard ["none", "deviation"].contains(SettingName.canonical(pairWeight ?? "none")) else {
            throw InvalidSetting("--pair-weight is '\(pairWeight ?? "")'; it takes none or deviation")
        }
        try checkThatLossHasOptions()
        guard klPrompts >= 0 else { throw InvalidSetting("--kl-prompts must not be negative") }
        do {
            if pairLoss != nil { try config().validate() } else { try unpairedConfig().validate() }
        } catch let error as TrainingError {
            throw InvalidSetting("\(error)")
        }
    }

    /// Refuses options that the loss would pass over.
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
            throw InvalidSetting("\(item.option) means nothing for --loss \(name); leave it out, or choose another loss")
        }
        guard fAlpha == usual.fAlpha || SettingName.canonical(fDivergence).hasPrefix("alpha") else {
            throw InvalidSetting("--f-alpha is for --f-divergence alpha, and that is \(fDivergence)")
        }
    }

    /// The trainer's settings for pairs, without those of the loop.
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

    /// The trainer's settings for single answers, without those of the loop.
    func unpairedConfig() -> UnpairedConfig {
        var config = UnpairedConfig()
        if let unpairedLoss { config.loss = unpairedLoss }
        (config.beta, config.desirableWeight, config.undesirableWeight) = (beta, desirableWeight, undesirableWeight)
        return config
    }
}
