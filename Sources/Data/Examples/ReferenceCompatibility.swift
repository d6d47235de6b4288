/// Settings for the parts of data processing in which the original implementation gives different results.
///
/// `sane` is the default; `reference` reproduces the original implementation. Each setting can also be chosen
/// separately.
public struct ReferenceCompatibility: Codable, Sendable, Equatable {
    /// How random subsets are drawn. The original implementation draws with replacement.
    public var drawing: RandomSubset.Drawing
    /// How supervised examples are truncated. The original implementation's truncation can exclude target tokens from
    /// the loss.
    public var truncation: SFTTokenisation.Truncation
    /// The text that a reward model scores. In the original implementation, one or two spaces precede the summary.
    public var rewardText: RewardText
    /// Whether an incomplete last batch is dropped, in policy training and its evaluations.
    public var dropsLastBatch: Bool
    /// Whether an evaluation set replaces the splits `train`, `validation` and `test` of an evaluation. If false, those
    /// splits come from the corpus, and the evaluation set becomes `ood_train`, `ood_validation` and `ood_test`.
    public var evaluationSetReplacesSplits: Bool

    /// Creates a set of choices. The defaults are those of `sane`.
    public init(
        drawing: RandomSubset.Drawing = .withoutReplacement, truncation: SFTTokenisation.Truncation = .apart,
        rewardText: RewardText = .canonical, dropsLastBatch: Bool = false, evaluationSetReplacesSplits: Bool = false
    ) {
        self.drawing = drawing
        self.truncation = truncation
        self.rewardText = rewardText
        self.dropsLastBatch = dropsLastBatch
        self.evaluationSetReplacesSplits = evaluationSetReplacesSplits
    }

    /// The default settings.
    public static let sane = ReferenceCompatibility()
    /// The settings of the original implementation.
    public static let reference = ReferenceCompatibility(
        drawing: .withReplacement, truncation: .wholeText, rewardText: .raw, dropsLastBatch: true,
        evaluationSetReplacesSplits: true)
}
