public import Study
/// The folder of a study of methods, how it is measured, and where methods are compared.
public struct MethodStudySettings: Settings {
    /// A folder with systems.jsonl and folders seed-…, each with the runs sft, rm and those that systems.jsonl names; methods.md, methods.json
    /// and methods.svg are written into it.
    public var experimentDir: String = ""
    /// What the hidden judge takes off a summary of twice the reference's length.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder; without one there is no diversity of embeddings.
    public var embeddingModel: String?
    /// Rewards above that of the base at which methods are compared; unless given the greatest that all methods reach, and the greatest that
    /// half of them do.
    public var rewardGains: [Double] = []
    /// KL divergences from the base at which methods are compared, in nats; chosen likewise unless given.
    public var klLevels: [Double] = []

    /// The defaults.
    public init() {}

    public func validate() throws {
        for (name, levels) in [("--reward-gains", rewardGains), ("--kl-levels", klLevels)]
        where !levels.allSatisfy({ $0 > 0 && $0.isFinite }) {
            throw InvalidSetting("\(name) takes numbers above 0")
        }
    }
}
