package import Data
import Formats
import Foundation

/// Notes about the rows that were read, one line each, besides their numbers.
extension DataSettings {
    /// Reports that the default data set is used, because no option names one.
    func sayDefault(_ note: (String) -> Void) {
        guard dataset == nil, namedFiles.isEmpty, CorpusFormat.named(datasetName).isMade else { return }
        note("no --dataset is given: using the built-in set \(datasetName)")
    }

    /// Reports the row format of each split, unless all are formats of the published data sets.
    func sayShapes(_ found: [String: String], _ note: (String) -> Void) {
        let published = [RowShape.posts.name, RowShape.comparisons.name]
        let splits = SummaryCorpus.splitNames.filter { found[$0] != nil }
        let names = splits.compactMap { found[$0] }.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard names.contains(where: { !published.contains($0) }) else { return }
        let words = names.map { name in "\(name) (\(splits.filter { found[$0] == name }.joined(separator: ", ")))" }
        note("row format\(dataFormat == nil ? " (detected)" : ""): \(words.joined(separator: "; "))")
    }

    /// Reports unexpected effects of a structured split: values of `--ood-values` that no row has, and splits of the data set
    /// that the structured split replaces.
    func saySplits(_ found: Set<String>, _ replaced: [String], _ note: (String) -> Void) {
        let option = oodColumn == nil ? "--dataset-structured-subset" : "--ood-column"
        if !replaced.isEmpty {
            let whose = replaced.count == 1 ? "split \(replaced[0]) is" : "splits \(replaced.joined(separator: ", ")) are"
            note("the data set's own \(whose) ignored: \(option) makes these splits from the other splits' rows")
        }
        guard let oodColumn else { return }
        let missing = oodValues.filter { !found.contains($0) }
        guard !missing.isEmpty else { return }
        note("no row has \(missing.map { "\"\($0)\"" }.joined(separator: ", ")) in the column \(oodColumn) (--ood-values)")
    }

    /// Reports each separately given file whose name marks it as one part of a split, because the other parts are not read.
    func sayParts(_ note: (String) -> Void) {
        for (_, file) in namedFiles.sorted(by: { $0.key < $1.key }) {
            guard let count = SplitFiles.partCount(of: file) else { continue }
            note("\(file.path) is one of \(count) parts by its name, and only it is read; to read all, give their folder with --dataset")
        }
    }
}

extension SFTTokenisation.Result {
    /// One line with the numbers of texts that were truncated and of examples that were dropped; nil if there are none.
    package var note: String? {
        let truncated = [
            truncatedPrompts > 0 ? Counted(truncatedPrompts, "prompt") : nil,
            truncatedTargets > 0 ? Counted(truncatedTargets, "summary", plural: "summaries") : nil,
        ].compactMap { $0?.description }
        let parts = [
            truncated.isEmpty ? nil : "truncated: \(truncated.joined(separator: " and "))",
            dropped > 0
                ? "dropped, because \(Counted.form(dropped, "it has", "they have")) no token to train on: \(Counted(dropped, "example"))"
                : nil,
        ].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
