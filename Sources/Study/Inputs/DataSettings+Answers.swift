import Data
import Formats
import Foundation
import Runs

// `--dataset RUN:TABLE`: what a run has written, in the place of summaries to learn.
extension DataSettings {
    /// A table of a run as training examples, whose prompts are those that were answered; nil where the data set is no such table. The
    /// other splits are those of the data set that the run has read.
    /// - Parameter runs: where runs lie that are named by their ids.
    /// - Throws: as `NamedTable`; `DataError.emptySplit` for a table without an answer.
    func answerCorpus(_ wanted: [String]?, runs: URL, note: (String) -> Void) throws -> SummaryCorpus? {
        guard let named = try NamedTable(datasetName, in: runs), let configuration = try RunConfiguration.read(inRun: named.run) else {
            return nil
        }
        try refuseWhatTablesLack()
        let (run, table, rows) = (named.run, named.table, try named.rows())
        // several groups have one answer each to a prompt
        var seen: [String: Int] = [:]
        var source = try DataSettings(values: configuration.options.filter { Self.names.contains($0.key) })
        source.maxTrainExamples = nil
        var corpus = try source.corpus(wanted, runs: runs, note: { _ in })
        // answers follow their prompts as those of the data set do
        let first = SummaryCorpus.splitNames.lazy.compactMap { corpus.splits[$0]?.first }.first
        let isDirect = (first?.promptFormat ?? corpus.format).joinsDirectly
        let answers = rows.map { row in
            let count = seen[row.id, default: 0]
            seen[row.id] = count + 1
            return SummaryExample(
                id: count == 0 ? row.id : "\(row.id)#\(count)", subreddit: "", title: "", post: row.input, summary: row.response,
                promptFormat: isDirect ? .verbatim : PromptFormat("{post}"))
        }
        guard !answers.isEmpty else { throw DataError.emptySplit(table, reason: "\(run.path) has no answer in it") }
        corpus.splits["train"] = answers
        corpus.sizes["train"] = nil
        note("\(answers.count) answers of \(run.path) (\(table)) to learn from; the other splits are those of \(source.datasetName)")
        return try corpus.selecting(selection())
    }
}
