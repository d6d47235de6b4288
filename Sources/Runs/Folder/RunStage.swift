/// What a run did; a run folder holds the output of exactly one stage.
public enum RunStage: String, Codable, CaseIterable, Sendable, CustomStringConvertible {
    case supervised = "sft"
    case rewardModel = "rm"
    case policy = "ppo"
    case bestOfN = "bon"
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
