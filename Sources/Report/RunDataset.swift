import Data
import Runs

/// The name of the data that a run was made with, derived from its options.
struct RunDataset {
    private let options: [String: OptionValue]

    init(_ configuration: RunConfiguration) { options = configuration.options }

    /// The name of the data set: `comparisons` of a run that has any, else `dataset`, else `summarisation` for a data folder, else the first split file, else
    /// `generated`.
    var name: String {
        if let name = text("comparisons") ?? text("dataset") { return name }
        if text("data_dir") != nil { return "summarisation" }
        return Self.fileSplits.lazy.compactMap { text("\($0)_file") }.first ?? "generated"
    }

    /// The source of a table's prompts: the file given for its split, the out-of-distribution data set, or the run's data set.
    func name(ofTable table: String) -> String {
        let own = table.hasPrefix("evaluation_") ? String(table.dropFirst("evaluation_".count)) : table
        guard var split = SummaryCorpus.splitNames.first(where: { own == $0 || own.hasPrefix($0 + "_") }) else { return name }
        let isDivided = text("ood_column") != nil || text("dataset_structured_subset") != nil
        if split.hasPrefix("full_") || isDivided, let end = split.firstIndex(of: "_") { split = String(split[split.index(after: end)...]) }
        if split.hasPrefix("ood_"), let other = text("eval_dataset") { return other }
        return text("\(split)_file") ?? name
    }

    private static let fileSplits = ["train", "validation", "test", "ood_validation", "ood_test"]

    /// The text of an option; nil if it is absent, null or not a string.
    private func text(_ option: String) -> String? {
        guard case .string(let text)? = options[option] else { return nil }
        return text
    }
}
