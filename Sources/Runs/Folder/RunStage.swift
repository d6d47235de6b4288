/// The stage of a run. A run folder contains the output of exactly one stage.
public enum RunStage: String, Codable, CaseIterable, Sendable, CustomStringConvertible {
    /// Supervised fine-tuning.
    case supervised = "sft"
    /// Reward modelling.
    case rewardModel = "rm"
    /// Proximal policy optimisation.
    case policy = "ppo"
    /// Direct preference optimisation.
    case preference = "dpo"
    /// Best-of-N sampling.
    case bestOfN = "bon"
    /// Diversity measurements.
    case diversity = "diversity"

    /// The stages whose result is a language model that can generate text or be trained further.
    package static let languageModels = [RunStage.supervised, .policy, .preference]

    /// The name of the stage for messages, such as "supervised fine-tuning (sft)".
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
