public import Runs
import Train

/// Settings of best-of-N sampling: the model, the number of responses, and how one is chosen.
public struct BestOfNSettings: Settings {
    /// The model to sample from: a model folder or a run folder.
    public var modelName: String = ""
    /// N, the number of responses to each prompt.
    public var numReturnSequences = 16
    /// Independent groups of N responses. Each group has its own best response, so that the diversity of best-of-N can be
    /// measured per prompt.
    public var groups = 1
    /// The number of prompts of each split, from the first, that get all groups. The others get one group.
    public var groupedPrompts = 50
    /// The splits to answer.
    public var evaluationSplits: [String] = ["test", "ood_test"]
    /// Rows of an evaluation batch. Default: 8. It matters only with `referenceCompatible`, which answers whole batches.
    public var perDeviceEvalBatchSize: Int?
    /// A reference model for the KL divergence of the responses, for example the model from which PPO started.
    public var referenceModel: String?
    /// Whether the KL divergence is between the sampling distribution (after temperature, top-k, top-p and min-p) and the
    /// unmodified distribution of the reference, or of the model itself if no reference is named. Default: true in a sweep,
    /// otherwise false, which compares model and reference at the same temperature.
    public var klOfDraws: Bool?
    /// How one of N responses is chosen: best, or soft (response i with probability exp(r_i / T) / Σ exp(r_j / T)). Default:
    /// best.
    public var selection: String?
    /// The temperature T of a soft choice. Default: 1.
    public var selectionTemperature: Double?
    /// A finished best-of-N run whose samples are reused for the choice. No model is loaded and nothing is sampled.
    public var samplesFrom: String?
    /// Settings with several values each, such as `temperature=0.3,0.7,1`. Every combination becomes a run in `points/`, and a
    /// table compares them.
    public var sweep: [String]?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard numReturnSequences > 0, groups > 0, groupedPrompts >= 0 else {
            throw InvalidSetting("--num-return-sequences and --groups must be above 0")
        }
        guard Double(numReturnSequences) * Double(groups) <= 1e6 else {
            throw InvalidSetting("--num-return-sequences times --groups must be at most 1000000 responses per prompt")
        }
        guard perDeviceEvalBatchSize ?? 1 > 0 else { throw InvalidSetting("--per-device-eval-batch-size must be above 0") }
        guard !evaluationSplits.isEmpty else { throw InvalidSetting("--evaluation-splits must name at least one split") }
        if samplesFrom == nil {
            guard !modelName.isEmpty else {
                throw InvalidSetting(
                    "name the model to sample from with --model-name, or a finished run with --samples-from", isMissing: true)
            }
        } else {
            guard modelName.isEmpty, referenceModel == nil, klOfDraws == nil else {
                throw InvalidSetting(
                    "--samples-from reuses the samples of a finished run; remove --model-name, --reference-model and --kl-of-draws")
            }
        }
        guard ["best", "soft"].contains(selection ?? "best") else {
            throw InvalidSetting("--selection is '\(selection ?? "")'; expected best or soft")
        }
        guard selectionTemperature == nil || selection == "soft" || sweeps("selection") else {
            throw InvalidSetting("--selection-temperature has no effect without --selection soft")
        }
        guard selectionTemperature.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw InvalidSetting("--selection-temperature must be above 0; for the limit at 0, use --selection best")
        }
    }

    /// Whether the sweep varies a setting.
    private func sweeps(_ name: String) -> Bool { (sweep ?? []).contains { $0.hasPrefix(name + "=") } }

    /// The values by name. An empty sweep is left out, as if it were not given.
    public var values: [String: OptionValue] {
        get throws {
            var settings = self
            if sweep?.isEmpty ?? false { settings.sweep = nil }
            return try SettingsEncoder.encode(settings)
        }
    }

    /// How one of N responses is chosen.
    var choice: BestOfNSelection { selection == "soft" ? .soft(temperature: selectionTemperature ?? 1) : .best }
}
