/// Where the original's treatment of data changes numbers, and which way is taken.
///
/// `sane` is the default; `reference` does everything as the original did. Each can be chosen by itself.
public struct ReferenceCompatibility: Codable, Sendable, Equatable {
    /// How random subsets are drawn; the original's have duplicates.
    public var drawing: RandomSubset.Drawing
    /// How supervised examples are cut; the original's cut may mask tokens of the target.
    public var truncation: SFTTokenisation.Truncation
    /// The text that a reward model reads; the original's has one or two spaces before the summary.
    public var rewardText: RewardText
    /// Whether a last batch that is not full is left out, in policy training and its evaluations.
    public var dropsLastBatch: Bool
    /// Whether `train`, `validation` and `test` of an evaluation are those of the evaluation set if one is given; else they
    /// are the corpus's own and the evaluation set is `ood_train`, `ood_validation` and `ood_test`.
    public var evaluationSetReplacesSplits: Bool

    /// A choice for each part; what is left out is `sane`.
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

    /// The default.
    public static let sane = ReferenceCompatibility()
    /// The original's way in everything.
    public static let reference = ReferenceCompatibility(
        drawing: .withReplacement, truncation: .wholeText, rewardText: .raw, dropsLastBatch: true,
        evaluationSetReplacesSplits: true)
}
