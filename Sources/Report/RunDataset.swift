import Data
import Runs

/// What the data of a run are called, by its options.
struct RunDataset {
    private let options: [String: OptionValue]

    init(_ configuration: RunConfiguration) { options = configuration.options }

    /// The data set: the one that was named, or the file that took its place.
    var name: String {
        if let name = text("dataset") { return name }
        if text("data_dir") != nil { return "summarisation" }
        return Self.fileSplits.lazy.compactMap { text("\($0)_file") }.first ?? "generated"
    }

    /// What the prompts of a table come from: a file that was named for its split, the set out of distribution, or the data set.
    func name(ofTable table: String) -> String {
        let own = table.hasPrefix("evaluation_") ? String(table.dropFirst("evaluation_".count)) : table
        guard var split = SummaryCorpus.splitNames.first(where: { own == $0 || own.hasPrefix($0 + "_") }) else { return name }
        let isDivided = text("ood_column") != nil || text("dataset_structured_subset") != nil
        if split.hasPrefix("full_") || isDivided, let end = split.firstIndex(of: "_") { split = String(split[split.index(after: end)...]) }
        if split.hasPrefix("ood_"), let other = text("eval_dataset") { return other }
        return text("\(split)_file") ?? name
    }

    private static let fileSplits = ["train", "validation", "test", "ood_validation", "ood_test"]

    /// An option's text; nil where it was not given, which is absent or null.
    private func text(_ option: String) -> String? {
        guard case .string(let text)? = options[option] else { return nil }
        return text
    }
}
