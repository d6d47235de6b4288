import Data
import Eval
import Formats
import Foundation
import Runs
public import Study
import Tensor

/// Compares systems by preferences: it writes tasks for annotators, analyses their answers, asks a judge, or picks contrasting
/// examples.
///
/// Judging and analysing write a run folder; tasks and examples are single files.
public struct SystemPreferences: ReportTask {
    /// What to compare, and how.
    public var preferences = SystemPreferenceSettings()
    /// The settings of the judge.
    public var judge = JudgeSettings()
    /// The run folder, the seed and other settings of the run.
    public var run = RunSettings()

    /// The default name of the run folder.
    public static let runName = "preferences"

    /// The defaults.
    public init() {}

    public static var groups: [SettingsGroup<SystemPreferences>] { [.init(\.preferences), .init(\.judge), .init(\.run)] }

    public func validate() throws {
        try validateGroups()
        try run.refuseWeightFormats()
        try validateJudge()
    }

    public func run(_ listener: ReportListener) throws {
        try validate()
        try checkOutputs()
        if !preferences.preferenceAnswers.isEmpty, !preferences.isJudged { return try analyse(listener) }
        if let path = preferences.pickExamples { return try pick(into: path, listener) }
        if preferences.preferenceAnswers.isEmpty, let path = preferences.preferenceTasks {
            return preferences.systems.isEmpty ? try writePage(ofTasks: path, listener) : try writeTasks(into: path, listener)
        }
        if let path = preferences.judgeRequests {
            let pairs = try pairs(listener)
            let questions = PairwiseJudging.questions(inputs: pairs.inputs, first: pairs.first, second: pairs.second)
            let prompt = try judge.prompt(isForService: false)
            try write(questions.enumerated().map { JudgeRequest(id: $0, $1, prompt: prompt($1)) }, to: path, listener)
            return
        }
        try askJudge(listener)
    }

    /// Checks that no output file is also an input file.
    /// - Throws: `InvalidSetting`; `FileError`.
    private func checkOutputs() throws {
        let systems = try SystemOutputs.files(preferences.systems, table: preferences.tableName, runs: runs)
        let read =
            systems
            + [
                preferences.judgeComparisons, judge.judgeTemplate, judge.instructionDifficulties, judge.gamedAnnotations,
            ].compactMap { $0.map { URL(fileURLWithPath: $0) } } + preferences.preferenceAnswers.map { URL(fileURLWithPath: $0) }
        // the task file is an input if there are answers, or if only a page is written
        let tasks = preferences.preferenceAnswers.isEmpty && !preferences.systems.isEmpty ? preferences.preferenceTasks : nil
        try checkPage(isNoneOf: read)
        for (option, path) in [
            ("--pick-examples", preferences.pickExamples), ("--preference-tasks", tasks), ("--judge-requests", preferences.judgeRequests),
            ("--judge-cache", judge.judgeCache),
        ] {
            guard let path else { continue }
            try OutputFile.check(URL(fileURLWithPath: path), option: option, isNoneOf: read)
        }
    }

    var runs: URL { URL(fileURLWithPath: run.outputDir, isDirectory: true) }

    var random: Philox { Philox(seed: run.seed).split("preferences") }

    /// Writes new tasks. A file with other tasks stays: answers that were given to them would be counted for the new ones.
    /// - Parameter leftOut: the number of pairs with identical texts, of which no task was made.
    private func write<Task: Codable & Equatable>(
        tasks: [Task], leftOut: Int = 0, to path: String, _ listener: ReportListener
    ) throws {
        let file = URL(fileURLWithPath: path)
        if try FileStatus.of(file)?.kind == .file {
            let present = try? JSONLines<Task>(file).read()
            guard present == tasks else {
                throw InvalidSetting(
                    "--preference-tasks \(path) exists with other content, and answers to its tasks would be counted for the new ones; name "
                        + "another file, or delete it")
            }
        }
        try JSONLines<Task>(file).write(tasks)
        let others =
            leftOut == 0
            ? "" : "; \(Counted(leftOut, "pair")) with identical texts \(Counted.form(leftOut, "is", "are")) left out"
        listener.note("\(path): \(Counted(tasks.count, "task"))\(others)")
    }

    private func write<Row: Codable>(_ rows: [Row], to path: String, _ listener: ReportListener) throws {
        try JSONLines<Row>(URL(fileURLWithPath: path)).write(rows)
        listener.note("\(path): \(Counted(rows.count, "row"))")
    }

    // MARK: People

    private func writeTasks(into path: String, _ listener: ReportListener) throws {
        let joined = try SystemOutputs(preferences.systems, table: preferences.tableName, runs: runs, note: listener.note)
        var random = random
        let places = draw(joined.inputs.count, using: &random)
        let inputs = places.map { joined.inputs[$0] }
        let outputs = joined.systems.map { system in places.map { system.rows[$0][0].response } }
        if preferences.isPairwise {
            var tasks = PairwiseTask.tasks(inputs: inputs, first: outputs[0], second: outputs[1], using: &random)
            let leftOut = inputs.count - tasks.count
            if preferences.attentionChecks > 0 {
                tasks = AttentionChecks.mixed(into: tasks, count: preferences.attentionChecks, using: &random)
            }
            let page = try annotationPage(tasks)
            try write(tasks: tasks, leftOut: leftOut, to: path, listener)
            return try write(page, listener)
        }
        let references = try places.map { place in
            guard let reference = joined.systems.lazy.compactMap({ $0.rows[place][0].reference }).first else {
                throw InvalidSetting(
                    "ranking tasks include the reference, but no row of the input '\(joined.inputs[place].prefix(60))…' has one")
            }
            return reference
        }
        let systems = zip(joined.systems, outputs).map { (name: $0.name, outputs: $1) }
        let tasks = RankingTask.tasks(inputs: inputs, references: references, systems: systems, using: &random)
        let page = try annotationPage(tasks)
        try write(tasks: tasks, to: path, listener)
        try write(page, listener)
    }

    private func analyse(_ listener: ReportListener) throws {
        let tasks = URL(fileURLWithPath: preferences.preferenceTasks ?? "")
        let path = preferences.preferenceAnswers.joined(separator: ", ")
        var random = random
        var draws = self.random.split("agreement")
        if let rankings = try rankings(in: tasks) {
            let known = try RankingAnalysis.byName(rankings)
            let rows: [RankingAnswer] = try readAnswers(listener) { try RankingAnalysis.outcomes(of: $0, to: known) }
            try checkJudgeAnnotator(among: Set(rows.map(\.annotator)))
            guard
                let analysis = try RankingAnalysis(
                    tasks: rankings, answers: rows, judge: preferences.judgeAnnotator,
                    resamples: preferences.bootstrapResamples, using: &random)
            else { throw InvalidSetting("\(path) has no answer by a person to any task of \(tasks.path)") }
            var results = PreferenceResults(analysis)
            let people = rows.filter { $0.annotator != preferences.judgeAnnotator }
            let agreement = AnnotatorAgreement(
                RankingAnalysis.comparisons(in: people), resamples: preferences.bootstrapResamples, using: &draws)
            results.add(agreement, annotators: Set(people.map(\.annotator)).count, unit: "comparison")
            return try finish(results, listener)
        }
        let pairs = try pairs(in: tasks)
        guard preferences.judgeAnnotator == nil else {
            throw InvalidSetting(
                "--judge-annotator names an annotator of rankings, but \(tasks.path) has pairs; leave it out, or leave out the answers of "
                    + "the model")
        }
        let known = Set(pairs.map(\.id))
        let rows: [PairwiseAnswer] = try readAnswers(listener) { try PairwiseAnalysis.check($0, tasks: known) }
        guard
            let rate = try preferences.analysis.winRate(
                tasks: pairs, answers: rows, resamples: preferences.bootstrapResamples, using: &random)
        else { throw InvalidSetting("\(path) has no usable answer to any task of \(tasks.path)") }
        var results = PreferenceResults(rate)
        results.add(AttentionChecks.scores(tasks: pairs, answers: rows))
        let checks = Set(pairs.filter { $0.check != nil }.map(\.id))
        let opinions = rows.filter { !checks.contains($0.task) }
        let agreement = AnnotatorAgreement(
            opinions.map { .init(task: $0.task, annotator: $0.annotator, value: Double($0.slider), seconds: $0.seconds) },
            resamples: preferences.bootstrapResamples, using: &draws)
        results.add(agreement, annotators: Set(opinions.map(\.annotator)).count, unit: "task")
        try finish(results, listener)
    }

    // MARK: Examples

    private func pick(into path: String, _ listener: ReportListener) throws {
        let joined = try SystemOutputs(preferences.systems, table: preferences.tableName, runs: runs, note: listener.note)
        let numbers = try joined.systems.map { system in
            try system.rows.map { rows in
                try rows.map { row in
                    guard let value = preferences.pickBy == "reward" ? row.reward : row.numbers[preferences.pickBy] else {
                        throw InvalidSetting(
                            "\(system.name) has no number '\(preferences.pickBy)' in the row \(row.id); choose a column with --pick-by")
                    }
                    return (text: row.response, value: value)
                }
            }
        }
        try write(
            ContrastingExamples.pick(
                inputs: joined.inputs, first: numbers[0], second: numbers[1], strictly: preferences.pickStrictly,
                count: preferences.pickedExamples), to: path, listener)
    }

    // MARK: Results

    /// The indices of the inputs to use, in ascending order: all, or `judgedInputs` of them drawn at random.
    func draw(_ count: Int, using generator: inout Philox) -> [Int] {
        var random = SplitMix64(from: &generator)
        return random.distinctIndices(min(count, preferences.judgedInputs), below: count).sorted()
    }

    func session(_ listener: ReportListener) throws -> RunSession {
        var environment = StageEnvironment()
        environment.sinks = listener.sinks
        var configuration = RunConfiguration(stage: .diversity, program: "rlhf-report prefer", options: try values)
        configuration.files = try checksums()
        return try RunSession(
            configuration, run, known: Self.names, defaults: Self().values, in: runs.appendingPathComponent(run.runId ?? Self.runName),
            environment)
    }

    /// The checksums of the files that the result depends on; nil if there are none. Pipes are skipped, because they can be read
    /// only once.
    private func checksums() throws -> [String: String]? {
        var files: [(name: String, file: URL)] = [
            ("judge_template", judge.judgeTemplate), ("instruction_difficulties", judge.instructionDifficulties),
            ("gamed_annotations", judge.gamedAnnotations), ("judge_answers", preferences.judgeAnswers),
            ("judge_comparisons", preferences.judgeComparisons),
            ("preference_tasks", preferences.preferenceAnswers.isEmpty ? nil : preferences.preferenceTasks),
        ].compactMap { name, path in path.map { (name, URL(fileURLWithPath: $0)) } }
        let systems = try SystemOutputs.files(preferences.systems, table: preferences.tableName, runs: runs)
        files += zip(preferences.systems, systems).map { ("systems \($0)", $1) }
        files += preferences.preferenceAnswers.enumerated().map { index, path in
            (index == 0 ? "preference_answers" : "preference_answers \(index + 1)", URL(fileURLWithPath: path))
        }
        var result: [String: String] = [:]
        for (name, file) in files where try FileStatus.of(file.path)?.kind == .file {
            result[name] = RunConfiguration.checksum(of: Array(try Foundation.Data(contentsOf: file)))
        }
        return result.isEmpty ? nil : result
    }

    /// Writes and shows the results.
    /// - Parameters:
    ///   - results: the results.
    ///   - listener: receives the text of the results.
    ///   - opened: the run session, if it has already begun.
    func finish(_ results: PreferenceResults, _ listener: ReportListener, _ opened: RunSession? = nil) throws {
        let session = try opened ?? session(listener)
        guard try opened != nil || session.begins() else { return }
        try session.finish(stage: "preferences", values: results.flatValues) { try results.write(to: $0) }
        listener.show(results.text)
    }
}
