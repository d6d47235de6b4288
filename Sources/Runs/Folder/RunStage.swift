/// What a run did; a run folder holds the output of exactly one stage.
public enum RunStage: String, Codable, CaseIterable, Sendable, CustomStringConvertible {
    /// Supervised fine-tuning.
    case supervised = "sft"
    /// A reward model.
    case rewardModel = "rm"
    /// Policy optimisation.
    case policy = "ppo"
    /// Direct preference optimisation.
    case preference = "dpo"
    /// Best-of-N sampling.
    case bestOfN = "bon"
    /// Measurements of diversity.
    case diversity = "diversity"

    /// The stages that leave a language model to sample from or to train further.
    package static let languageModels = [RunStage.supervised, .policy, .preference]

    /// For people: "supervised fine-tuning (sft)".
    public var description: String {
        switch self {
        case .supervised: "supervised fine-tuning (sft)"
        case .rewardModel: "reward modelling (rm)"
        case .policy: "policy optimisation (ppo)"
        case .preference: "preference optimisation (dpo)"
        case .bestOfN: "best-of-N sampling (bon)"
        case .diversity: "diversity (diversity)"
        }
    }
}
