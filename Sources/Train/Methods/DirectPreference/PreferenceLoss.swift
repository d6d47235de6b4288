import Tensor

/// The quantities of a pair from which a loss is computed.
public struct PairTerms: Sendable {
    /// The score of the chosen answer, before β. With a reference it is the log ratio log π/π_ref after the divergence's
    /// function; without one, the log-probability.
    public var chosen: PairNumber
    /// The score of the rejected answer.
    public var rejected: PairNumber
    /// The log ratio (or log-probability) of the chosen answer without the divergence's function.
    public var plainChosen: PairNumber
    /// The log ratio (or log-probability) of the rejected answer without the divergence's function.
    public var plainRejected: PairNumber
    /// The number of tokens of the chosen answer.
    public var chosenCount: Double
    /// The number of tokens of the rejected answer.
    public var rejectedCount: Double

    /// d, the score of the chosen answer minus that of the rejected one.
    public var margin: PairNumber { chosen - rejected }
    /// The margin of the scores per token: each score is divided by the number of tokens of its answer.
    public var marginPerToken: PairNumber { (1 / chosenCount) * chosen - (1 / rejectedCount) * rejected }
}

/// A loss of direct preference optimisation: a function of the log-probabilities of the better and the worse answer to a prompt.
///
/// For a custom loss, assign a value of this type to ``PreferenceConfig/loss``. Docs/methods.md lists the formulas. The built-in
/// losses agree numerically with TRL 1.16.
public struct PreferenceLoss: Sendable {
    /// How the scores of answers are computed.
    public enum Comparison: Sendable {
        /// Log ratios of whole answers to the reference model.
        case reference
        /// Log-probabilities, summed over an answer's tokens, without a reference.
        case sums
        /// Mean log-probabilities of an answer's tokens, without a reference.
        case means
    }

    /// The name of the loss.
    public let name: String
    /// The name of the method that minimises the loss, such as `dpo`: the label of progress lines.
    public let method: String
    /// How the scores of answers are computed.
    public let comparison: Comparison
    /// Whether the loss supports other divergences than the reverse Kullback-Leibler divergence.
    public let takesDivergences: Bool
    /// The default weight of the chosen answer's negative log-likelihood, which ``PreferenceConfig/supervisedWeight`` overrides.
    public let supervisedWeight: Double
    /// Whether that likelihood includes the prompt's tokens.
    public let supervisesPrompt: Bool
    /// The loss of a pair.
    public let value: @Sendable (PairTerms, PreferenceConfig) -> PairNumber

    /// A loss; see the properties. Default of the method: the name of the loss.
    public init(
        _ name: String, _ comparison: Comparison = .reference, method: String? = nil, takesDivergences: Bool = false,
        supervisedWeight: Double = 0,
        supervisesPrompt: Bool = false, value: @escaping @Sendable (PairTerms, PreferenceConfig) -> PairNumber
    ) {
        self.name = name
        self.method = method ?? name
        self.comparison = comparison
        self.takesDivergences = takesDivergences
        self.supervisedWeight = supervisedWeight
        self.supervisesPrompt = supervisesPrompt
        self.value = value
    }
}

extension PreferenceLoss {
    /// −log σ(x), with labels that are wrong with probability e (cDPO: Mitchell 2023).
    private static func smoothed(_ x: PairNumber, _ e: Double) -> PairNumber {
        let right = -1 * x.logLogistic
        return e == 0 ? right : (1 - e) * right + -e * (-1 * x).logLogistic
    }

    // MARK: With a reference

    /// DPO: −log σ(βd) (Rafailov et al. 2023); cDPO with label smoothing.
    public static let sigmoid = PreferenceLoss("sigmoid", method: "dpo", takesDivergences: true) {
        smoothed($1.beta * $0.margin, $1.labelSmoothing)
    }
    /// Robust DPO: unbiased if labels are flipped with probability e (Chowdhury et al. 2024).
    public static let robust = PreferenceLoss("robust", method: "robust dpo", takesDivergences: true) { pair, config in
        let (x, e) = (config.beta * pair.margin, config.labelSmoothing)
        return (1 / (1 - 2 * e)) * ((e - 1) * x.logLogistic + e * (-1 * x).logLogistic)
    }
    /// SLiC: max(0, 1 − βd) (Zhao et al. 2023).
    public static let hinge = PreferenceLoss("hinge", method: "slic", takesDivergences: true) { (1 - $1.beta * $0.margin).positivePart }
    /// IPO: (d/tokens − 1/2β)² (Azar et al. 2023), with log ratios per token as its authors advise.
    public static let ipo = PreferenceLoss("ipo", takesDivergences: true) { ($0.marginPerToken - 1 / (2 * $1.beta)).squared }
    /// DPO with log ratios per token: −log σ(β d/tokens).
    public static let sigmoidNorm = PreferenceLoss("sigmoid_norm", method: "dpo per token", takesDivergences: true) {
        -1 * ($1.beta * $0.marginPerToken).logLogistic
    }
    /// EXO: the reverse KL divergence of the pair's probabilities from smoothed labels (Ji et al. 2024).
    public static let exoPair = PreferenceLoss("exo_pair", method: "exo", takesDivergences: true) { pair, config in
        let (x, e) = (config.beta * pair.margin, config.labelSmoothing)
        let right = x.logistic * (x.logLogistic - logarithm(1 - e))
        return right + (-1 * x).logistic * ((-1 * x).logLogistic - logarithm(e))
    }
    /// NCA: noise contrastive alignment, which keeps the likelihood of the chosen answer from falling (Chen et al. 2024).
    public static let ncaPair = PreferenceLoss("nca_pair", method: "nca") { pair, config in
        let (c, r) = (config.beta * pair.plainChosen, config.beta * pair.plainRejected)
        return -1 * c.logLogistic + -0.5 * (-1 * c).logLogistic + -0.5 * (-1 * r).logLogistic
    }
    /// BCO: a binary classifier of each answer (Jung et al. 2024), without its running shift.
    public static let bcoPair = PreferenceLoss("bco_pair", method: "bco") { pair, config in
        -1 * (config.beta * pair.plainChosen).logLogistic + -1 * (-config.beta * pair.plainRejected).logLogistic
    }
    /// SPPO: self-play preference optimisation with hard labels (Wu et al. 2024).
    public static let sppoHard = PreferenceLoss("sppo_hard", method: "sppo") { pair, config in
        (pair.plainChosen - 1 / (2 * config.beta)).squared + (1 / (2 * config.beta) + pair.plainRejected).squared
    }
    /// APO-zero: raises the chosen answer and lowers the rejected one (D'Oosterlinck et al. 2024).
    public static let apoZero = PreferenceLoss("apo_zero", method: "apo-zero") { pair, config in
        (1 - (config.beta * pair.plainChosen).logistic) + (config.beta * pair.plainRejected).logistic
    }
    /// APO-down: lowers both answers, the rejected one more (D'Oosterlinck et al. 2024).
    public static let apoDown = PreferenceLoss("apo_down", method: "apo-down") { pair, config in
        (config.beta * pair.plainChosen).logistic + (1 - (config.beta * (pair.plainChosen - pair.plainRejected)).logistic)
    }
    /// DiscoPOP: a blend of logistic and exponential loss (Lu et al. 2024).
    public static let discopop = PreferenceLoss("discopop", takesDivergences: true) { pair, config in
        let x = config.beta * pair.margin
        let blend = ((1 / config.discopopTemperature) * x).logistic
        return (1 - blend) * (-1 * x.logLogistic) + blend * (-1 * x).exponential
    }

    // MARK: Without a reference

    /// SimPO: −log σ(β(p_c − p_r) − γ) with mean log-probabilities p per token (Meng et al. 2024).
    public static let simpo = PreferenceLoss("simpo", .means) { smoothed($1.beta * $0.margin - $1.gamma, $1.labelSmoothing) }
    /// CPO: −log σ(β(p_c − p_r)) with summed log-probabilities p, plus the negative log-likelihood of the chosen answer (Xu et
    /// al. 2024).
    public static let cpo = PreferenceLoss("cpo", .sums, supervisedWeight: 1) { smoothed($1.beta * $0.margin, $1.labelSmoothing) }
    /// ORPO: the negative log-likelihood of prompt and chosen answer, plus −β log σ of the log odds ratio of mean
    /// log-probabilities per token (Hong et al. 2024).
    public static let orpo = PreferenceLoss("orpo", .means, supervisedWeight: 1, supervisesPrompt: true) { pair, config in
        let odds = pair.margin - (pair.chosen.logOneMinusExponential - pair.rejected.logOneMinusExponential)
        return -config.beta * odds.logLogistic
    }

    /// The built-in losses for pairs.
    public static let builtIn = [
        sigmoid, robust, hinge, ipo, sigmoidNorm, exoPair, ncaPair, bcoPair, sppoHard, apoZero, apoDown, discopop, simpo, cpo, orpo,
    ]
}
