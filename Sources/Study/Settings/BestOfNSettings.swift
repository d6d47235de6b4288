/// What is sampled from, and how often.
public struct BestOfNSettings: Settings {
    /// The model to sample from: a model folder or a run folder.
    public var modelName: String = ""
    /// N, the responses to every prompt.
    public var numReturnSequences = 16
    /// Independent groups of N responses, each with a best one of its own, so that best-of-N has a diversity per prompt.
    public var groups = 1
    /// Prompts of each split, from the first, that get all groups; the others get one.
    public var groupedPrompts = 50
    /// The splits to answer.
    public var evaluationSplits: [String] = ["test", "ood_test"]
    /// Rows of an evaluation batch, 8 unless given. It counts with `referenceCompatible`, which answers whole batches.
    public var perDeviceEvalBatchSize: Int?
    /// A model to measure the KL of the responses against, for example the one that PPO started from.
    public var referenceModel: String?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard numReturnSequences > 0, groups > 0, groupedPrompts >= 0 else {
            throw InvalidSetting("--num-return-sequences and --groups must be above 0")
        }
        guard Double(numReturnSequences) * Double(groups) <= 1e6 else {
            throw InvalidSetting("--num-return-sequences times --groups is more than 1000000, the most responses to a prompt")
        }
        guard perDeviceEvalBatchSize ?? 1 > 0 else { throw InvalidSetting("--per-device-eval-batch-size must be above 0") }
        guard !evaluationSplits.isEmpty else { throw InvalidSetting("--evaluation-splits names no split") }
    }
}
