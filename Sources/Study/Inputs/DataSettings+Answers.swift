import Data
import Formats
import Foundation
import Runs

// `--dataset RUN:TABLE`: supervised training on the answers in a run's table.
extension DataSettings {
    /// A corpus whose training examples are the answers in a run's table, with their prompts; nil where the data set is not a
    /// table. The other splits are those of the data set that the run itself used.
    /// - Parameter runs: the folder of runs that are named by their ID.
    /// - Throws: the errors of `NamedTable`; `DataError.emptySplit` for a table without answers.
    func answerCorpus(_ wanted: [String]?, runs: URL, note: (String) -> Void) throws -> SummaryCorpus? {
        guard let named = try NamedTable(datasetName, in: runs), let configuration = try RunConfiguration.read(inRun: named.run) else {
            return nil
        }
        try refuseWhatTablesLack()
        let (run, table, rows) = (named.run, named.table, try named.rows())
        // a prompt can have several answers, one per group, so further answers get a numbered ID
        var seen: [String: Int] = [:]
        var source = try DataSettings(values: configuration.options.filter { Self.names.contains($0.key) })
        source.maxTrainExamples = nil
        var corpus = try source.corpus(wanted, runs: runs, note: { _ in })
        // an answer is joined to its prompt as in the run's data set
        let first = SummaryCorpus.splitNames.lazy.compactMap { corpus.splits[$0]?.first }.first
        let isDirect = (first?.promptFormat ?? corpus.format).joinsDirectly
        let answers = rows.map { row in
            let count = seen[row.id, default: 0]
            seen[row.id] = count + 1
            return SummaryExample(
                id: count == 0 ? row.id : "\(row.id)#\(count)", subreddit: "", title: "", post: row.input, summary: row.response,
                promptFormat: isDirect ? .verbatim : PromptFormat("{post}"))
        }
        guard !answers.isEmpty else { throw DataError.emptySplit(table, reason: "\(run.path) has no answers in this table") }
        corpus.splits["train"] = answers
        corpus.sizes["train"] = nil
        note("training on \(Counted(answers.count, "answer")) of \(run.path) (\(table)); the other splits come from \(source.datasetName)")
        return try corpus.selecting(selection())
    }
}
