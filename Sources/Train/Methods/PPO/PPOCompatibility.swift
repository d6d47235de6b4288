/// Where the original's arithmetic of PPO changes numbers, and which way is taken. `sane` is the default; `reference` does everything as
/// the original did; each can be chosen by itself.
public struct PPOCompatibility: Codable, Sendable, Equatable {
    /// How gradients of the learn batches of one optimiser step come together.
    public enum Accumulation: String, Codable, Sendable, CaseIterable {
        /// One mean over the tokens of the whole step: how it is cut changes nothing. Advantages are normalised over the step.
        case tokens
        /// The mean of the learn batches' losses; advantages are normalised within each.
        case mean
        /// Their sum, the original's way.
        case sum
    }

    /// Whether responses are filled up with padding to the longest of their rollout batch and the padding is run as if it were read: its
    /// columns have values, KL and advantages, which the loss leaves out.
    public var padsResponses: Bool
    /// Whether values and returns are computed anew for every learn batch from the current value head (else once, when sampling).
    public var usesLearnerValues: Bool
    /// Whether the normalisation of advantages counts padding.
    public var normalisesOverPadding: Bool
    /// Whether losses are divided by the number of columns, padding included (else by the number of response tokens).
    public var dividesByColumns: Bool
    /// Whether KL statistics and the KL controller count padding, and the controller sees the configured estimate.
    public var measuresOverPadding: Bool
    /// How learn batches make one step.
    public var accumulation: Accumulation
    /// Whether the adaptive KL weight follows what has been learned from since the last log line, without this step's rollouts, and counts
    /// the rows of one rollout batch (else this step's mean and all of its rows).
    public var adaptsSinceLog: Bool
    /// Whether log-probabilities are those of the raw logits, whatever the sampling temperature.
    public var ignoresTemperature: Bool
    /// Whether the reported gradient norm is √(Σ norms of the tensors) where nothing is clipped.
    public var reportsRootOfNorms: Bool

    /// Whether moments over the whole run are merged as the original does: see ``OriginalPPO/merged(_:with:)``.
    public var mergesMomentsAfterwards: Bool
    /// Whether lengths of responses are those of their texts, tokenised anew, and `env_train_steps` counts columns; see ``OriginalPPO``.
    public var reportsOriginalColumns: Bool

    /// A choice for each; see the properties.
    public init(
        padsResponses: Bool = false, usesLearnerValues: Bool = false, normalisesOverPadding: Bool = false,
        dividesByColumns: Bool = false, measuresOverPadding: Bool = false, accumulation: Accumulation = .tokens,
        adaptsSinceLog: Bool = false, ignoresTemperature: Bool = false, reportsRootOfNorms: Bool = false,
        mergesMomentsAfterwards: Bool = false, reportsOriginalColumns: Bool = false
    ) {
        self.padsResponses = padsResponses
        self.usesLearnerValues = usesLearnerValues
        self.normalisesOverPadding = normalisesOverPadding
        self.dividesByColumns = dividesByColumns
        self.measuresOverPadding = measuresOverPadding
        self.accumulation = accumulation
        self.adaptsSinceLog = adaptsSinceLog
        self.ignoresTemperature = ignoresTemperature
        self.reportsRootOfNorms = reportsRootOfNorms
        self.mergesMomentsAfterwards = mergesMomentsAfterwards
        self.reportsOriginalColumns = reportsOriginalColumns
    }

    /// The default.
    public static let sane = PPOCompatibility()
    /// The original's way in everything.
    public static let reference = PPOCompatibility(
        padsResponses: true, usesLearnerValues: true, normalisesOverPadding: true, dividesByColumns: true,
        measuresOverPadding: true, accumulation: .sum, adaptsSinceLog: true, ignoresTemperature: true,
        reportsRootOfNorms: true, mergesMomentsAfterwards: true, reportsOriginalColumns: true)
}
