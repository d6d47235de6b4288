import Data
import Eval
import Formats
import Foundation
import Tensor

/// Which of several systems is preferred: tasks for people and what their answers say, the verdicts of a judge, contrasting examples.
public struct PreferenceJob {
    /// Where it writes, and how it runs.
    public var run: RunOptions
    /// What is compared, and how.
    public var options: SystemPreferenceOptions
    /// The table of runs that are named without one.
    public var table: String
    /// Resamples of every bootstrap interval.
    public var resamples: Int
    /// All options as config.json stores them.
    public var resolved: [String: OptionValue]

    /// The name of the run folder unless one is given.
    public static let runName = "preferences"

    /// A job; see the properties.
    public init(
        run: RunOptions, options: SystemPreferenceOptions, table: String, resamples: Int,
        resolved: [String: OptionValue]
    ) {
        self.run = run
        self.options = options
        self.table = table
        self.resamples = resamples
        self.resolved = resolved
        self.run.runId = run.runId ?? Self.runName
    }

    /// Runs the job.
    /// - Throws: `CommandLineError`; `RunFolderError`; `FileError`; `FormatError`; what is wrong with answers, or keeps a
    ///   judge from answering.
    public func callAsFunction() throws {
        try checkOutputs()
        if let path = options.preferenceAnswers { return try analyse(answers: path) }
        if let path = options.pickExamples { return try pick(into: path) }
        if let path = options.preferenceTasks { return try writeTasks(into: path) }
        if let path = options.judgeRequests {
            let pairs = try pairs()
            let questions = PairwiseJudging.questions(inputs: pairs.inputs, first: pairs.first, second: pairs.second)
            try write(questions.enumerated().map { JudgeRequest(id: $0, $1) }, to: path)
            return
        }
        try judge()
    }

    /// No file that is written is one that is read.
    private func checkOutputs() throws {
        let systems = try SystemOutputs.files(options.systems.values, table: table, run: run)
        let read = systems + [options.judgeComparisons, options.preferenceAnswers].compactMap { $0.map { URL(fileURLWithPath: $0) } }
        // with answers, the tasks are read
        let tasks = options.preferenceAnswers == nil ? options.preferenceTasks : nil
        for (option, path) in [
            ("--pick-examples", options.pickExamples), ("--preference-tasks", tasks), ("--judge-requests", options.judgeRequests),
        ] {
            guard let path else { continue }
            try OutputFile.check(URL(fileURLWithPath: path), option: option, isNoneOf: read)
        }
    }

    private var random: Philox { Philox(seed: run.seed).split("preferences") }

    private func write<Row: Codable>(_ rows: [Row], to path: String) throws {
        try JSONLines<Row>(URL(fileURLWithPath: path)).write(rows)
        Console().say("\(path): \(rows.count) rows")
    }

    // MARK: People

    private func writeTasks(into path: String) throws {
        let joined = try SystemOutputs(options.systems.values, table: table, run: run)
        var random = random
        let places = draw(joined.inputs.count, using: &random)
        let inputs = places.map { joined.inputs[$0] }
        let outputs = joined.systems.map { system in places.map { system.rows[$0][0].response } }
        if options.isPairwise {
            let tasks = PairwiseTask.tasks(inputs: inputs, first: outputs[0], second: outputs[1], using: &random)
            return try write(tasks, to: path)
        }
        let references = try places.map { place in
            guard let reference = joined.systems.lazy.compactMap({ $0.rows[place][0].reference }).first else {
                throw CommandLineError.invalid(
                    "rankings have the reference among their texts, and no row of the input '\(joined.inputs[place].prefix(60))…' has one")
            }
            return reference
        }
        let systems = zip(joined.systems, outputs).map { (name: $0.name, outputs: $1) }
        try write(
            RankingTask.tasks(inputs: inputs, references: references, systems: systems, using: &random), to: path)
    }

    private func analyse(answers path: String) throws {
        let tasks = URL(fileURLWithPath: options.preferenceTasks ?? "")
        let answers = URL(fileURLWithPath: path)
        var random = random
        if let rankings = try rankings(in: tasks) {
            let known = try RankingAnalysis.byName(rankings)
            let rows: [RankingAnswer] = try read(answers) { try RankingAnalysis.outcomes(of: $0, to: known) }
            guard
                let analysis = try RankingAnalysis(
                    tasks: rankings, answers: rows, judge: options.judgeAnnotator,
                    resamples: resamples, using: &random)
            else { throw CommandLineError.invalid("\(path) has no answer of people to any task of \(tasks.path)") }
            return try finish(PreferenceResults(analysis))
        }
        let pairs = try JSONLines<PairwiseTask>(tasks).read()
        let known = Set(pairs.map(\.id))
        let rows: [PairwiseAnswer] = try read(answers) { try PairwiseAnalysis.check($0, tasks: known) }
        guard
            let rate = try options.analysis.winRate(
                tasks: pairs, answers: rows, resamples: resamples, using: &random)
        else { throw CommandLineError.invalid("\(path) has no answer that counts to any task of \(tasks.path)") }
        try finish(PreferenceResults(rate))
    }

    /// The answers in a file; what is wrong with one is said with its line.
    private func read<Answer: Codable>(_ file: URL, check: (Answer) throws -> Void) throws -> [Answer] {
        var answers: [Answer] = []
        try JSONLines<Answer>(file).readEach { answer, _ in
            do {
                try check(answer)
            } catch {
                throw RowProblem.unfit("\(error)")
            }
            answers.append(answer)
        }
        return answers
    }

    /// The rankings in a file; nil for a file of pairs.
    private func rankings(in tasks: URL) throws -> [RankingTask]? {
        do {
            return try JSONLines<RankingTask>(tasks).read()
        } catch FormatError.badRow {
            return nil
        }
    }

    // MARK: Judges

    /// What is judged: two systems' outputs, or the preferred and the other summary of comparisons.
    private func pairs() throws -> (names: [String], inputs: [String], first: [String], second: [String]) {
        var random = random
        if let path = options.judgeComparisons {
            let all = try JSONLines<Comparison>(URL(fileURLWithPath: path)).read()
            let rows = draw(all.count, using: &random).map { all[$0] }
            return (
                ["preferred", "other"], rows.map { PromptFormat.tldr.prompt(for: $0) }, rows.map(\.chosen),
                rows.map(\.rejected)
            )
        }
        let joined = try SystemOutputs(options.systems.values, table: table, run: run)
        let places = draw(joined.inputs.count, using: &random)
        return (
            joined.systems.map(\.name), places.map { joined.inputs[$0] },
            places.map { joined.systems[0].rows[$0][0].response }, places.map { joined.systems[1].rows[$0][0].response }
        )
    }

    private func judge() throws {
        let pairs = try pairs()
        var random = random.split("bootstrap")
        func summary(_ judge: some PairwiseJudge) throws -> PairwiseJudging.Summary? {
            try PairwiseJudging.compare(
                inputs: pairs.inputs, first: pairs.first, second: pairs.second, judge: judge, resamples: resamples,
                using: &random)
        }
        let found =
            if let path = options.judgeAnswers {
                try summary(RecordedJudge(URL(fileURLWithPath: path)))
            } else {
                try summary(JudgeProcess(command: options.judgeCommand ?? "", patience: options.judgePatience))
            }
        guard let found else { throw CommandLineError.invalid("there is no input to judge") }
        try finish(
            PreferenceResults(
                found, names: pairs.names, inputs: pairs.inputs, isAccuracy: options.judgeComparisons != nil))
    }

    // MARK: Examples

    private func pick(into path: String) throws {
        let joined = try SystemOutputs(options.systems.values, table: table, run: run)
        let numbers = try joined.systems.map { system in
            try system.rows.map { rows in
                try rows.map { row in
                    guard let value = options.pickBy == "reward" ? row.reward : row.numbers[options.pickBy] else {
                        throw CommandLineError.invalid(
                            "\(system.name) has no number '\(options.pickBy)' in the row \(row.id); --pick-by names another column")
                    }
                    return (text: row.response, value: value)
                }
            }
        }
        try write(
            ContrastingExamples.pick(
                inputs: joined.inputs, first: numbers[0], second: numbers[1], strictly: options.pickStrictly,
                count: options.pickedExamples), to: path)
    }

    // MARK: Ends

    /// Numbers of inputs in their order: all, or as many as are wanted, drawn at random.
    private func draw(_ count: Int, using generator: inout Philox) -> [Int] {
        var random = SplitMix64(from: &generator)
        return random.distinctIndices(min(count, options.judgedInputs), below: count).sorted()
    }

    private func finish(_ results: PreferenceResults) throws {
        let session = try RunSession(stage: .diversity, program: "calculate-diversity", run: run, options: resolved)
        if try session.folder.isFinished { return session.sayFinished() }
        _ = try session.restore()
        try session.sinks.handle(.measured(step: 0, values: results.flatValues))
        try session.folder.writeResult { try results.write(to: $0) }
        try session.sinks.handle(.ended(stage: "preferences", seconds: session.seconds))
        print(results.text)
    }
}
