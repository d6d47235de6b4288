/// What a run did; a run folder holds the output of exactly one stage.
public enum RunStage: String, Codable, CaseIterable, Sendable, CustomStringConvertible {
    /// Supervised fine-tuning.
    case supervised = "sft"
    /// A reward model.
    case rewardModel = "rm"
    /// Policy optimisation.
    case policy = "ppo"
    /// Best-of-N sampling.
    case bestOfN = "bon"
    /// Measurements of diversity.
    case diversity = "diversity"

    /// For people: "supervised fine-tuning (sft)".
    public var description: String {
        switch self {
        case .supervised: "supervised fine-tuning (sft)"
        case .rewardModel: "reward modelling (rm)"
        case .policy: "policy optimisation (ppo)"
        case .bestOfN: "best-of-N sampling (bon)"
        case .diversity: "diversity (diversity)"
        }
    }
}
