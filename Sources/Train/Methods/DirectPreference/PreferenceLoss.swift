import Tensor

/// What the answers of a pair say to a loss.
public struct PairTerms: Sendable {
    /// The scores of the answers, before β: with a reference the log ratios log π/π_ref, after the divergence's function; without one the
    /// log-probabilities.
    public var chosen: PairNumber
    /// The same of the rejected answer.
    public var rejected: PairNumber
    /// The log ratios (or log-probabilities) as they are.
    public var plainChosen: PairNumber
    /// The same of the rejected answer.
    public var plainRejected: PairNumber
    /// The tokens of the chosen answer.
    public var chosenCount: Double
    /// The tokens of the rejected answer.
    public var rejectedCount: Double

    /// How much higher the chosen answer scores.
    public var margin: PairNumber { chosen - rejected }
    /// The same of the scores for each token.
    public var marginPerToken: PairNumber { (1 / chosenCount) * chosen - (1 / rejectedCount) * rejected }
}

/// A loss of direct preference optimisation: a function of how likely a policy finds the better and the worse answer to a prompt.
///
/// One of your own is a value of this type in ``PreferenceConfig/loss``. Formulas are in Docs/methods.md; those of the built-in ones give the
/// numbers of TRL 1.16.
public struct PreferenceLoss: Sendable {
    /// What log-probabilities are compared with.
    public enum Comparison: Sendable {
        /// The reference model's: log ratios of whole answers.
        case reference
        /// Nothing: the sum over an answer's tokens.
        case sums
        /// Nothing: the mean over an answer's tokens.
        case means
    }

    /// The name.
    public let name: String
    /// What log-probabilities are compared with.
    public let comparison: Comparison
    /// Whether the f-divergences may take the place of the reverse Kullback-Leibler divergence.
    public let takesDivergences: Bool
    /// What the likelihood of the chosen answer weighs beside the loss, unless ``PreferenceConfig/supervisedWeight`` is set.
    public let supervisedWeight: Double
    /// Whether that likelihood is of the prompt's tokens, too.
    public let supervisesPrompt: Bool
    /// The loss of a pair.
    public let value: @Sendable (PairTerms, PreferenceConfig) -> PairNumber

    /// A loss; see the properties.
    public init(
        _ name: String, _ comparison: Comparison = .reference, takesDivergences: Bool = false, supervisedWeight: Double = 0,
        supervisesPrompt: Bool = false, value: @escaping @Sendable (PairTerms, PreferenceConfig) -> PairNumber
    ) {
        self.name = name
        self.comparison = comparison
        self.takesDivergences = takesDivergences
        self.supervisedWeight = supervisedWeight
        self.supervisesPrompt = supervisesPrompt
        self.value = value
    }
}

extension PreferenceLoss {
    /// −log σ(x), with labels that are wrong with the probability e (cDPO: Mitchell 2023).
    private static func smoothed(_ x: PairNumber, _ e: Double) -> PairNumber {
        let right = -1 * x.logLogistic
        return e == 0 ? right : (1 - e) * right + -e * (-1 * x).logLogistic
    }

    // MARK: With a reference

    /// −log σ(βd) (DPO: Rafailov et al. 2023), with smoothed labels where they are asked for (cDPO).
    public static let sigmoid = PreferenceLoss("sigmoid", takesDivergences: true) { smoothed($1.beta * $0.margin, $1.labelSmoothing) }
    /// The same, unbiased under labels that are flipped with the probability e (Chowdhury et al. 2024).
    public static let robust = PreferenceLoss("robust", takesDivergences: true) { pair, config in
        let (x, e) = (config.beta * pair.margin, config.labelSmoothing)
        return (1 / (1 - 2 * e)) * ((e - 1) * x.logLogistic + e * (-1 * x).logLogistic)
    }
    /// max(0, 1 − βd) (SLiC: Zhao et al. 2023).
    public static let hinge = PreferenceLoss("hinge", takesDivergences: true) { (1 - $1.beta * $0.margin).positivePart }
    /// (d/tokens − 1/2β)² (IPO: Azar et al. 2023; log ratios for each token, as its authors advise).
    public static let ipo = PreferenceLoss("ipo", takesDivergences: true) { ($0.marginPerToken - 1 / (2 * $1.beta)).squared }
    /// −log σ(β d/tokens): DPO of log ratios for each token.
    public static let sigmoidNorm = PreferenceLoss("sigmoid_norm", takesDivergences: true) {
        -1 * ($1.beta * $0.marginPerToken).logLogistic
    }
    /// The reverse divergence of the pair's probabilities from smoothed labels (EXO: Ji et al. 2024).
    public static let exoPair = PreferenceLoss("exo_pair", takesDivergences: true) { pair, config in
        let (x, e) = (config.beta * pair.margin, config.labelSmoothing)
        let right = x.logistic * (x.logLogistic - logarithm(1 - e))
        return right + (-1 * x).logistic * ((-1 * x).logLogistic - logarithm(e))
    }
    /// Noise contrastive alignment (Chen et al. 2024): the chosen answer's likelihood does not fall.
    public static let ncaPair = PreferenceLoss("nca_pair") { pair, config in
        let (c, r) = (config.beta * pair.plainChosen, config.beta * pair.plainRejected)
        return -1 * c.logLogistic + -0.5 * (-1 * c).logLogistic + -0.5 * (-1 * r).logLogistic
    }
    /// A binary classifier of each answer (BCO: Jung et al. 2024), without its running shift.
    public static let bcoPair = PreferenceLoss("bco_pair") { pair, config in
        -1 * (config.beta * pair.plainChosen).logLogistic + -1 * (-config.beta * pair.plainRejected).logLogistic
    }
    /// Self-play preference optimisation with hard labels (SPPO: Wu et al. 2024).
    public static let sppoHard = PreferenceLoss("sppo_hard") { pair, config in
        (pair.plainChosen - 1 / (2 * config.beta)).squared + (1 / (2 * config.beta) + pair.plainRejected).squared
    }
    /// Anchored: the chosen answer rises, the rejected one falls (APO-zero: D'Oosterlinck et al. 2024).
    public static let apoZero = PreferenceLoss("apo_zero") { pair, config in
        (1 - (config.beta * pair.plainChosen).logistic) + (config.beta * pair.plainRejected).logistic
    }
    /// Anchored: both fall, the rejected one more (APO-down).
    public static let apoDown = PreferenceLoss("apo_down") { pair, config in
        (config.beta * pair.plainChosen).logistic + (1 - (config.beta * (pair.plainChosen - pair.plainRejected)).logistic)
    }
    /// A blend of logistic and exponential loss (DiscoPOP: Lu et al. 2024).
    public static let discopop = PreferenceLoss("discopop", takesDivergences: true) { pair, config in
        let x = config.beta * pair.margin
        let blend = ((1 / config.discopopTemperature) * x).logistic
        return (1 - blend) * (-1 * x.logLogistic) + blend * (-1 * x).exponential
    }

    // MARK: Without a reference

    /// −log σ(β(p_c − p_r) − γ) of means over tokens (SimPO: Meng et al. 2024).
    public static let simpo = PreferenceLoss("simpo", .means) { smoothed($1.beta * $0.margin - $1.gamma, $1.labelSmoothing) }
    /// −log σ(β(p_c − p_r)) and the likelihood of the chosen answer (CPO: Xu et al. 2024).
    public static let cpo = PreferenceLoss("cpo", .sums, supervisedWeight: 1) { smoothed($1.beta * $0.margin, $1.labelSmoothing) }
    /// The likelihood of prompt and chosen answer, and −β log σ of the log odds ratio of means over tokens (ORPO: Hong et al. 2024).
    public static let orpo = PreferenceLoss("orpo", .means, supervisedWeight: 1, supervisesPrompt: true) { pair, config in
        let odds = pair.margin - (pair.chosen.logOneMinusExponential - pair.rejected.logOneMinusExponential)
        return -config.beta * odds.logLogistic
    }

    /// The losses of pairs that come with the library.
    public static let builtIn = [
        sigmoid, robust, hinge, ipo, sigmoidNorm, exoPair, ncaPair, bcoPair, sppoHard, apoZero, apoDown, discopop, simpo, cpo, orpo,
    ]
}
