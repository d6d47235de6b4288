public import Runs
import Train

/// What is sampled from, how often, and what is chosen.
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
    /// Whether that KL is of what is drawn, with temperature, top-k, top-p and min-p, from the reference as it is, or from the
    /// model itself where no reference is named; unless given, yes in a sweep, and else no: model and reference are compared at one temperature.
    public var klOfDraws: Bool?
    /// How one of N is chosen: best, or soft (response i with probability exp(r_i / T) / Σ exp(r_j / T)); best unless given.
    public var selection: String?
    /// T of a soft choice; 1 unless given.
    public var selectionTemperature: Double?
    /// A finished run of best-of-N whose samples are chosen among again; no model is loaded, and nothing is drawn.
    public var samplesFrom: String?
    /// Settings with several values each, such as `temperature=0.3,0.7,1`: every combination is a run in `points/`, and a table compares them.
    public var sweep: [String]?

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
        if samplesFrom == nil {
            guard !modelName.isEmpty else {
                throw InvalidSetting(
                    "name the model to sample from with --model-name, or a finished run with --samples-from", isMissing: true)
            }
        } else {
            guard modelName.isEmpty, referenceModel == nil, klOfDraws == nil else {
                throw InvalidSetting(
                    "--samples-from takes the samples of a finished run as they are; leave out --model-name, --reference-model and --kl-of-draws"
                )
            }
        }
        guard ["best", "soft"].contains(selection ?? "best") else {
            throw InvalidSetting("--selection is '\(selection ?? "")'; it takes best or soft")
        }
        guard selectionTemperature == nil || selection == "soft" || sweeps("selection") else {
            throw InvalidSetting("--selection-temperature is for --selection soft")
        }
        guard selectionTemperature.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw InvalidSetting("--selection-temperature must be above 0; --selection best is its limit at 0")
        }
    }

    /// Whether a sweep goes over a setting.
    private func sweeps(_ name: String) -> Bool { (sweep ?? []).contains { $0.hasPrefix(name + "=") } }

    /// A list without an element is none: it stands in no run's configuration.
    public var values: [String: OptionValue] {
        get throws {
            var settings = self
            if sweep?.isEmpty ?? false { settings.sweep = nil }
            return try SettingsEncoder.encode(settings)
        }
    }

    /// How one of N is chosen.
    var choice: BestOfNSelection { selection == "soft" ? .soft(temperature: selectionTemperature ?? 1) : .best }
}
