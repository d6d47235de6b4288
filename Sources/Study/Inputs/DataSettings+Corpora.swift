package import Data
internal import Formats
package import Foundation

extension DataSettings {
    /// Reads the corpus that the options name.
    ///
    /// - Parameters:
    ///   - wanted: The splits that will be used; nil means all available ones.
    ///   - runs: The folder of runs whose tables are named by the run's ID.
    ///   - note: Receives one line with the number of rows of each split, and one line about skipped rows.
    /// - Throws: `DataError`; also for a wanted split that exists but has no rows.
    package func corpus(
        _ wanted: [String]? = nil, runs: URL = URL(fileURLWithPath: ".", isDirectory: true), note: (String) -> Void = { _ in }
    ) throws -> SummaryCorpus {
        if let answers = try answerCorpus(wanted, runs: runs, note: note) { return answers }
        sayDefault(note)
        let all = try wanted.map { try $0 + $0.map(evaluated) }
        var (corpus, counts) = try ownCorpus(all)
        if let evalDataset {
            let splits = all.map { Array(Set($0.map(Self.withoutPrefix))) }
            let request = CorpusRequest(set: .news, wanted: splits, onBadRow: policy, shapes: builtInShapes)
            let (other, otherCounts) = try CorpusFormat.named(evalDataset).read(files(of: evalDataset, set: .news), request)
            corpus = corpus.withOutOfDistribution(other)
            counts = counts + otherCounts
        }
        note("\(corpus.name): \(corpus.counts.replacingOccurrences(of: "\n", with: ", "))")
        sayParts(note)
        sayShapes(corpus.shapes, note)
        saySplits(corpus.valuesFound, corpus.replaced, note)
        for split in wanted ?? SummaryCorpus.splitNames where corpus.splits[split]?.isEmpty ?? false {
            _ = try corpus.examples(in: split)
        }
        if counts.skipped > 0 { note("\(counts)") }
        return corpus
    }

    private func ownCorpus(_ wanted: [String]?) throws -> (SummaryCorpus, RowCounts) {
        let request = CorpusRequest(
            seed: dataSeed, set: postSet, files: namedFiles, wanted: wanted, selection: try selection(), onBadRow: policy,
            maximumTrain: maxTrainExamples, shapes: try shapes)
        let format = CorpusFormat.named(datasetName)
        if format.isMade, namedFiles.isEmpty {
            if let dataFormat {
                throw InvalidSetting(
                    "--data-format \(dataFormat) has no effect with the built-in data set \(datasetName), which has no files; remove it, "
                        + "or name files with --dataset FOLDER or --train-file")
            }
            return try format.read(request)
        }
        return try format.read(files(of: datasetName, set: postSet, replacing: namedFiles), request)
    }

    /// The splits named by `--evaluation-splits` that the corpus has. Each of the others is noted.
    /// - Throws: `DataError` for a name that is not a split of any corpus; `InvalidSetting` when the corpus has none of the splits.
    package func present(_ splits: [String], in corpus: SummaryCorpus, note: (String) -> Void) throws -> [String] {
        let read = corpus.availableSplits
        var (present, missing): ([String], [String]) = ([], [])
        for split in splits {
            if try read.contains(evaluated(split)) {
                present.append(split)
            } else if SummaryCorpus.splitNames.contains(split), corpus.splits[split] == nil {
                missing.append(split)
            } else {
                _ = try corpus.examples(in: evaluated(split))
            }
        }
        guard !present.isEmpty else {
            let known = SummaryCorpus.splitNames.filter { read.contains($0) || corpus.unread.contains($0) }
            throw InvalidSetting(
                "\(corpus.name) has \(missing.map { "no split \($0)" }.joined(separator: " and ")); it has "
                    + "\(known.isEmpty ? "no splits" : known.joined(separator: ", ")); name those to answer with --evaluation-splits")
        }
        for split in missing { note("\(corpus.name) has no split \(split); it is skipped") }
        return present
    }

    /// The training examples, limited to `max_train_examples`.
    package func trainingExamples(of corpus: SummaryCorpus) throws -> [SummaryExample] {
        let examples = try corpus.examples(in: "train")
        return maxTrainExamples.map { Array(examples.prefix($0)) } ?? examples
    }

    /// The first examples of a split, as many as are evaluated; see ``evaluatedCount(_:batch:)``.
    package func evaluationExamples(
        of corpus: SummaryCorpus, split: String, count: Int? = nil, batch: Int = 1
    ) throws -> [SummaryExample] {
        Array(try corpus.examples(in: evaluated(split)).prefix(evaluatedCount(count, batch: batch)))
    }

    /// The number of rows of a split that an evaluation uses.
    /// - Parameters:
    ///   - count: The requested number. Default: `--target-eval-datapoints`.
    ///   - batch: The rows per evaluation batch. With `--reference-compatible`, the number is rounded up to whole batches,
    ///     because the original code counts in batches.
    package func evaluatedCount(_ count: Int? = nil, batch: Int) -> Int {
        let count = count ?? targetEvalDatapoints
        guard referenceCompatible, count % batch != 0 else { return count }
        return (count / batch + 1) * batch
    }

    /// How the corpus is tokenised for a model: the limits on the tokens of prompts and answers that fit its context.
    /// - Parameters:
    ///   - context: The model's context length in tokens.
    ///   - newTokens: The tokens that are sampled after a prompt; 0 for training on the corpus's own answers.
    ///   - chat: How conversational rows are formatted.
    /// - Throws: `InvalidSetting` when the context leaves no room for a prompt.
    package func tokenisation(
        of corpus: SummaryCorpus, context: Int, newTokens: Int = 0, chat: ChatFormat = .none
    ) throws -> SFTTokenisation {
        // prompt, summary and end-of-sequence token must fit the model's context together
        let target = min(maxTargetLength, context / 2)
        let answer = max(target, newTokens)
        // when a whole text is truncated, the end-of-sequence token is added beyond both limits
        let end = try newTokens == 0 && compatibility.truncation == .wholeText ? 1 : 0
        let needed = max(target + end, newTokens + 1)
        let source = maxSourceLength + needed <= context ? maxSourceLength : context - answer - 1
        guard source > 0 else {
            let rest = newTokens >= target ? "\(Counted(newTokens, "new token"))" : "a summary of \(Counted(target, "token"))"
            throw InvalidSetting("the model's context of \(Counted(context, "token")) leaves no room for a prompt beside \(rest)")
        }
        return SFTTokenisation(
            format: corpus.format, maximumSource: source, maximumTarget: target,
            truncation: try compatibility.truncation, chat: chat)
    }

    /// Reports how many prompts are truncated for the policy. Reward functions that read texts rather than tokens get the whole
    /// prompts.
    func note(cut prompts: [TokenisedPrompt], to split: String, _ note: (String) -> Void) {
        let cut = prompts.count(where: \.isTruncated)
        guard cut > 0 else { return }
        note(
            "\(cut) of \(Counted(prompts.count, "prompt")) (\(split)) \(Counted.form(cut, "is", "are")) "
                + "truncated on the left for the policy; "
                + "rewards that read texts get the whole prompts")
    }

    /// The prompts for sampling from a supervised model or evaluating it. They are truncated from their full texts or, with
    /// `--reference-compatible`, recovered from supervised examples as in the original code.
    /// - Parameter room: The most prompt tokens that leave room for a response in the model's context.
    package func evaluationPrompts(
        _ examples: [SummaryExample], _ tokenisation: SFTTokenisation, room: Int, with tokenizer: any Tokenizer
    ) throws -> [TokenisedPrompt] {
        var tokenisation = tokenisation
        guard !referenceCompatible else {
            return try tokenisation.recoveredPrompts(examples, limit: max(1, room), with: tokenizer)
        }
        tokenisation.maximumSource = min(tokenisation.maximumSource, max(1, room))
        return try tokenisation.promptsOnThreads(examples, with: tokenizer)
    }

    // MARK: Comparisons

    /// Reads the comparisons that the options name; nil where they name none, so that comparisons must be simulated.
    ///
    /// - Parameters:
    ///   - folder: The data set of comparisons, if it is not `dataset`.
    ///   - wanted: The splits that will be used.
    ///   - note: As in `corpus`.
    package func comparisons(
        in folder: String?, _ wanted: [String], note: (String) -> Void = { _ in }
    ) throws -> CorpusReader<Comparison>.Splits? {
        let name = folder ?? datasetName
        let format = CorpusFormat.named(name)
        if format.isMade, namedFiles.isEmpty { return nil }
        let own = try files(of: name, set: .preferences, replacing: namedFiles)
        // a data set of posts is the input for simulated comparisons
        if folder == nil, try !format.holdsComparisons(own, shapes: shapes) { return nil }
        var splits = try read(own, from: name, selection: self.selection(), wanted, shapes: shapes)
        if let evalDataset {
            let other = try read(
                files(of: evalDataset, set: .preferences), from: evalDataset, selection: .all,
                Array(Set(wanted.map(Self.withoutPrefix))), shapes: builtInShapes)
            for split in SummaryCorpus.splitNames where split != Self.withoutPrefix(split) {
                let base = split.hasPrefix("ood_") ? Self.withoutPrefix(split) : ""
                splits.rows[split] = other.rows[base]
                splits.sizes[split] = other.sizes[base]
            }
            splits.counts = splits.counts + other.counts
        }
        let sizes = SummaryCorpus.splitNames.compactMap { name in splits.sizes[name].map { "\(name): \($0)" } }
        note("comparisons: \(sizes.joined(separator: ", "))")
        sayParts(note)
        sayShapes(splits.shapes, note)
        saySplits(splits.valuesFound, splits.replaced, note)
        if splits.counts.skipped > 0 { note("\(splits.counts)") }
        return splits
    }

    /// Throws an error for options about files of rows, which do not apply when the data comes from a run's table.
    func refuseWhatTablesLack() throws {
        let given = [
            ("--eval-dataset", evalDataset != nil), ("--train-file", trainFile != nil), ("--validation-file", validationFile != nil),
            ("--test-file", testFile != nil), ("--dataset-random-subset", datasetRandomSubset != nil),
            ("--dataset-structured-subset", datasetStructuredSubset != nil), ("--comparisons-batch", comparisonsBatch != nil),
            ("--ood-column", oodColumn != nil), ("--ood-validation-file", oodValidationFile != nil),
            ("--ood-test-file", oodTestFile != nil), ("--data-format", dataFormat != nil),
        ]
        guard let option = given.first(where: \.1)?.0 else { return }
        throw InvalidSetting("\(option) has no effect with a run's table of answers, which is the whole training split; remove it")
    }

    private func read(
        _ files: SplitFiles, from name: String, selection: SplitSelection, _ wanted: [String], shapes: [RowShape]
    ) throws -> CorpusReader<Comparison>.Splits {
        let reader = CorpusReader<Comparison>(
            files, selection: selection, onBadRow: policy, accepts: accepted(from: name), shapes: shapes)
        return try reader.read(wanted, limit: { $0 == "train" ? maxTrainExamples : nil })
    }

    /// The filter for comparisons that belong to the data set (`--comparisons-batch`); nil accepts all.
    private func accepted(from name: String) -> (@Sendable (Comparison) -> Bool)? {
        let filter = CorpusFormat.named(name).batches(comparisonsBatch.map { BatchFilter(name: $0) })
        guard filter != .any else { return nil }
        return { filter.accepts($0) }
    }

    /// The files of the data set; empty for a built-in data set without files.
    package func inputFiles(ofComparisons: Bool) throws -> [URL] {
        if CorpusFormat.named(datasetName).isMade, namedFiles.isEmpty { return [] }
        let files = try files(of: datasetName, set: ofComparisons ? .preferences : postSet, replacing: namedFiles)
        return files.files.keys.flatMap(files.parts)
    }

    /// Scores the post of each row.
    ///
    /// - Parameters:
    ///   - ofComparisons: Whether the rows are those of the comparisons rather than of the posts.
    ///   - scorer: Returns one number for each post.
    /// - Returns: one number per row, by split.
    package func scores(ofComparisons: Bool, scorer: ([String]) throws -> [Double]) throws -> [String: [Double]] {
        if ofComparisons {
            let files = try files(of: datasetName, set: .preferences, replacing: namedFiles)
            return try CorpusReader<Comparison>(files, onBadRow: policy, accepts: accepted(from: datasetName), shapes: shapes)
                .scores { try scorer($0.map(\.post)) }
        }
        let format = CorpusFormat.named(datasetName)
        if format.isMade, namedFiles.isEmpty { return try corpus().splits.mapValues { try scorer($0.map(\.post)) } }
        let files = try files(of: datasetName, set: postSet, replacing: namedFiles)
        return try format.reader(files, set: postSet, onBadRow: policy, shapes: shapes).scores { try scorer($0.map(\.post)) }
    }

    // MARK: Interpretation of the options

    private var policy: BadRowPolicy { BadRowPolicy(rawValue: onBadRow) ?? .fail }

    /// The files that are given by separate options (`--train-file` and others), by split.
    var namedFiles: [String: URL] {
        [
            "train": trainFile, "validation": validationFile, "test": testFile, "ood_validation": oodValidationFile,
            "ood_test": oodTestFile,
        ].compactMapValues { path in path.map { URL(fileURLWithPath: $0) } }
    }

    /// The row formats that are accepted in the data set's files: the one from `--data-format`, or all built-in ones.
    private var shapes: [RowShape] {
        get throws { try shape.map { [readsTextsAlone ? $0.ofTextsAlone : $0] } ?? builtInShapes }
    }

    /// All built-in row formats.
    private var builtInShapes: [RowShape] { readsTextsAlone ? RowShape.builtIn.map(\.ofTextsAlone) : RowShape.builtIn }

    /// The selection of rows for each split. A random subset takes precedence over a structured one.
    func selection() throws -> SplitSelection {
        if let datasetRandomSubset {
            return .random(try RandomSubset(percent: datasetRandomSubset, drawing: compatibility.drawing))
        }
        if let oodColumn { return .structured(.column(oodColumn, outside: Set(oodValues))) }
        guard let datasetStructuredSubset else { return .all }
        return .structured(
            try StructuredSubset(name: datasetStructuredSubset) {
                guard let sentimentIndex else {
                    throw InvalidSetting(
                        "--dataset-structured-subset sentiment needs --sentiment-index, the index of its rows")
                }
                return try SplitIndex(URL(fileURLWithPath: sentimentIndex))
            })
    }

    private var postSet: PublishedSet { summarisationDatasetQueries ? .queries : .posts }

    /// The files of a data set by its name or folder. Files that are given by separate options replace the data set's own.
    private func files(of name: String, set: PublishedSet, replacing named: [String: URL] = [:]) throws -> SplitFiles {
        let format = CorpusFormat.named(name)
        let parent = URL(fileURLWithPath: dataDir ?? "data", isDirectory: true)
        if let folder = try format.folder(of: set, in: parent), try FileStatus.of(folder) == nil {
            let nearest = NearestName.find(name, among: CorpusFormat.builtIn.map(\.name))
            let hint = nearest.map { "; did you mean the data set \($0)?" } ?? Self.fileHint(name)
            // a path cannot be meant as the name of a built-in set
            let names = CorpusFormat.builtIn.map(\.name)
            let isPath = name.contains("/") || names.contains(name)
            let others = isPath ? "" : ", and no built-in set of that name (\(names.joined(separator: ", ")))"
            throw FormatError.unreadable(path: folder.path, reason: "there is no such folder\(others)\(hint)")
        }
        guard let files = try format.files(of: set, in: parent, replacing: named) else {
            throw InvalidSetting("the data set \(name) has no files")
        }
        return files
    }

    /// A hint for a data set name that looks like a file name.
    private static func fileHint(_ name: String) -> String {
        let file = name.lowercased()
        let endings = [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".gz", ".txt"]
        return endings.contains(where: file.hasSuffix)
            ? "; --dataset expects a data set or a folder; name files with --train-file, --validation-file and --test-file" : ""
    }

    /// The split whose rows are evaluated under this name. In the compatible mode the evaluation set replaces the other splits,
    /// as in the original code.
    private func evaluated(_ split: String) throws -> String {
        guard try evalDataset != nil && compatibility.evaluationSetReplacesSplits else { return split }
        return ["train", "validation", "test"].contains(split) ? "ood_" + split : split
    }

    private static func withoutPrefix(_ split: String) -> String {
        for prefix in ["ood_", "full_"] where split.hasPrefix(prefix) { return String(split.dropFirst(prefix.count)) }
        return split
    }
}
