public import Study
import Eval

/// Settings for comparing systems by the preferences of people or of a judge.
public struct SystemPreferenceSettings: Settings {
    /// The systems to compare: runs, tables of runs (run:table; the default table is `tableName`), or JSONL files of rows with id,
    /// input and response. They are joined on the input; only the first output for each input is used.
    public var systems: [String] = []
    /// Judges the two `systems` with a language model behind HTTP: the address of OpenAI-compatible chat completions, such as
    /// http://localhost:8080/v1/chat/completions. Each pair is judged in both orders.
    public var judgeUrl: String?
    /// Judges the two `systems` with a shell command that reads and writes JSON lines, as described in Docs/porting.md. Each pair
    /// is judged in both orders.
    public var judgeCommand: String?
    /// The time without an answer after which the judge's process is restarted, in seconds.
    public var judgePatience = 600.0
    /// Writes the questions for a judge of the two `systems` to this JSONL file, and exits.
    public var judgeRequests: String?
    /// Judges the two `systems` with a JSONL file of answers to the questions of `judgeRequests`.
    public var judgeAnswers: String?
    /// A JSONL file of comparisons in the published format, instead of `systems`. The judge's win rate is then its agreement with
    /// the people who made the comparisons.
    public var judgeComparisons: String?
    /// The maximum number of inputs to judge or to write tasks for, drawn at random.
    public var judgedInputs = 500
    /// Writes tasks for annotators to this JSONL file, and exits: pairs on a slider from -4 to 4 for two `systems`, rankings that
    /// include the reference for more. With `preferenceAnswers`, the file of the tasks that were answered.
    public var preferenceTasks: String?
    /// The form of new `preferenceTasks`: pairwise or ranking. Default: pairwise for two systems, otherwise ranking.
    public var taskForm: String?
    /// JSONL files of answers to `preferenceTasks`, such as one for each annotator: {"task", "annotator", "slider"} for pairs,
    /// {"task", "annotator", "ranks"} for rankings. With a judge and tasks about its two `systems`, the agreement of the judge with
    /// people is measured.
    public var preferenceAnswers: [String] = []
    /// Writes `preferenceTasks` (new tasks from `systems`, or those of an existing file) as a page on which annotators answer them.
    /// `preferenceAnswers` reads the answers.
    public var page: String?
    /// The heading of the `page`. Default: "Comparing answers".
    public var pageTitle: String?
    /// A text file of instructions for the `page`: empty lines separate paragraphs, and lines that begin with "- " form a list.
    public var pageInstructions: String?
    /// The number of attention checks among new `preferenceTasks`: pairs that only ask for a position of the slider. They never
    /// count in the win rate.
    public var attentionChecks = 0
    /// How a slider position counts: sign (won, lost or a tie) or weighted (by the position).
    public var answerScale = "sign"
    /// How several answers to a pair are merged: average, override (the last counts) or skip (all must agree). An annotator counts
    /// once for each pair; with override, an annotator's last answer replaces earlier ones, otherwise these must be equal.
    public var answerMerging = "average"
    /// How neutral answers to pairs count: tie or leave-out.
    public var neutralAnswers = "tie"
    /// The annotator whose rankings come from a model. The agreement of people with it is measured. There must be an answer by
    /// this annotator.
    public var judgeAnnotator: String?
    /// Writes the inputs on which the first of two `systems` is best relative to the second to this JSONL file, and exits.
    public var pickExamples: String?
    /// The column that `pickExamples` compares.
    public var pickBy = "reward"
    /// Whether every output of the first system must be better than every output of the second.
    public var pickStrictly = false
    /// The maximum number of examples to pick.
    public var pickedExamples = 50
    /// The table of runs that are given without a table.
    public var tableName = "test"
    /// The number of bootstrap resamples for confidence intervals.
    public var bootstrapResamples = 2000

    /// The defaults.
    public init() {}

    /// Whether there is something to compare: systems, comparisons or answers.
    public var isWanted: Bool { !systems.isEmpty || judgeComparisons != nil || !preferenceAnswers.isEmpty }

    private enum Form: String, CaseIterable { case pairwise, ranking }

    public func validate() throws {
        func check<Choice: RawRepresentable & CaseIterable>(_ word: String, _ option: String, _: Choice.Type) throws
        where Choice.RawValue == String {
            guard Self.choice(word, Choice.self) == nil else { return }
            let names = Choice.allCases.map { SettingName.canonical($0.rawValue) }.joined(separator: ", ")
            throw InvalidSetting("\(option) is '\(word)'; it takes \(names)")
        }
        try check(answerScale, "--answer-scale", PairwiseAnalysis.Scale.self)
        try check(answerMerging, "--answer-merging", PairwiseAnalysis.Merging.self)
        try check(neutralAnswers, "--neutral-answers", PairwiseAnalysis.Neutral.self)
        if let taskForm { try check(taskForm, "--task-form", Form.self) }
        guard judgedInputs > 0, pickedExamples > 0, judgePatience > 0 else {
            throw InvalidSetting("--judged-inputs, --picked-examples and --judge-patience must be above 0")
        }
        guard bootstrapResamples > 0 else { throw InvalidSetting("--bootstrap-resamples must be above 0") }
        guard attentionChecks >= 0 else { throw InvalidSetting("--attention-checks must not be below 0") }
        guard isWanted || preferenceTasks != nil || page != nil else {
            throw InvalidSetting("--systems is missing; name the systems to compare", isMissing: true)
        }
        try validateCombination()
    }

    /// Checks that exactly one action is requested, with the number of systems that it needs.
    private func validateCombination() throws {
        let actions = [
            ("--judge-url", judgeUrl), ("--judge-command", judgeCommand), ("--judge-requests", judgeRequests),
            ("--judge-answers", judgeAnswers),
            ("--pick-examples", pickExamples), ("--preference-tasks", preferenceAnswers.isEmpty ? preferenceTasks : nil),
        ].filter { $0.1 != nil }.map(\.0)
        guard actions.count <= 1 else {
            throw InvalidSetting("\(actions.joined(separator: " and ")) cannot be combined; choose one of them")
        }
        try validatePage()
        guard judgeAnnotator == nil || !preferenceAnswers.isEmpty && !isJudged else {
            throw InvalidSetting("--judge-annotator needs the rankings of --preference-answers, without another judge")
        }
        if !preferenceAnswers.isEmpty {
            guard preferenceTasks != nil, judgeComparisons == nil, isJudged ? systems.count == 2 : systems.isEmpty && actions.isEmpty else {
                throw InvalidSetting(
                    "--preference-answers needs --preference-tasks, the file of the tasks, and no other input; or, to compare people with "
                        + "a judge, two --systems with --judge-url, --judge-command or --judge-answers")
            }
            return
        }
        guard isWanted || page != nil else {
            guard let action = actions.first else { return }
            throw InvalidSetting("\(action) needs --systems, the systems to compare", isMissing: true)
        }
        guard let action = actions.first else {
            throw InvalidSetting(
                "choose what to do with the systems: --judge-url, --judge-command, --judge-requests, --judge-answers, --preference-tasks "
                    + "or --pick-examples", isMissing: true)
        }
        if judgeComparisons != nil {
            guard systems.isEmpty, action.hasPrefix("--judge") else {
                throw InvalidSetting(
                    "--judge-comparisons replaces --systems, and needs --judge-url, --judge-command, --judge-requests or --judge-answers"
                )
            }
            return
        }
        if page != nil, systems.isEmpty { return }
        let isRanking = action == "--preference-tasks" && !isPairwise
        guard isRanking ? !systems.isEmpty : systems.count == 2 else {
            throw InvalidSetting("\(action) takes two --systems, not \(systems.count)")
        }
    }

    /// Checks the settings of the page, which shows new tasks or those of a file, and of attention checks, which need new tasks.
    private func validatePage() throws {
        if page != nil {
            guard preferenceTasks != nil, preferenceAnswers.isEmpty, judgeComparisons == nil else {
                throw InvalidSetting(
                    "--page needs --preference-tasks, the file of the tasks to show, and cannot be combined with --preference-answers or "
                        + "--judge-comparisons")
            }
        } else if pageTitle != nil || pageInstructions != nil {
            throw InvalidSetting("--page-title and --page-instructions need --page")
        }
        guard attentionChecks > 0 else { return }
        guard preferenceTasks != nil, preferenceAnswers.isEmpty, !systems.isEmpty, isPairwise else {
            throw InvalidSetting("--attention-checks needs new --preference-tasks that are pairs, from two --systems")
        }
    }

    /// Whether a judge is used.
    var isJudged: Bool { judgeUrl != nil || judgeCommand != nil || judgeAnswers != nil }

    /// Whether the tasks are pairwise.
    var isPairwise: Bool {
        taskForm.map { SettingName.canonical($0) == Form.pairwise.rawValue } ?? (systems.count == 2)
    }

    /// The analysis of answers to pairs.
    var analysis: PairwiseAnalysis {
        PairwiseAnalysis(
            scale: Self.choice(answerScale) ?? .sign, merging: Self.choice(answerMerging) ?? .average,
            neutral: Self.choice(neutralAnswers) ?? .tie)
    }

    /// The case with a given name, in any accepted spelling.
    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ word: String, _: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        Choice.allCases.first { SettingName.canonical($0.rawValue) == SettingName.canonical(word) }
    }
}
