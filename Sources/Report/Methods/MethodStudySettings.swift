public import Study
/// The folder of a study of methods, how it is measured, and the levels at which methods are compared.
public struct MethodStudySettings: Settings {
    /// A folder with `systems.jsonl` and folders `seed-…`, each with the runs `sft`, `rm` and those named in `systems.jsonl`.
    /// `methods.md`, `methods.json` and `methods.svg` are written into it.
    public var experimentDir: String = ""
    /// The penalty in the gold score for a summary twice as long as its reference.
    public var lengthWeight = 0.2
    /// A folder with a sentence encoder. Default: none, and embedding diversity is not measured.
    public var embeddingModel: String?
    /// Rewards above that of the base at which methods are compared. Default: the highest that all methods reach, and the
    /// highest that half of them reach.
    public var rewardGains: [Double] = []
    /// KL divergences from the base at which methods are compared, in nats. Default: chosen like the rewards.
    public var klLevels: [Double] = []

    /// The defaults.
    public init() {}

    /// Checks that all levels are finite and above 0.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        for (name, levels) in [("--reward-gains", rewardGains), ("--kl-levels", klLevels)]
        where !levels.allSatisfy({ $0 > 0 && $0.isFinite }) {
            throw InvalidSetting("\(name) takes numbers above 0")
        }
    }
}
