public import Study
import Eval

/// Which of several systems people or a model prefer, from files to files.
public struct SystemPreferenceSettings: Settings {
    /// The systems that are compared: runs, tables of runs (run:table; `tableName` unless given), or JSONL files of rows with id, input
    /// and response. They are joined on the input; the first output for each counts.
    public var systems: [String] = []
    /// Judges the two `systems` by a language model behind HTTP: the address of a chat in OpenAI's shape, such as
    /// http://localhost:8080/v1/chat/completions. Each pair is asked about in both orders.
    public var judgeUrl: String?
    /// Judges the two `systems` by a shell command that reads and writes JSON lines, as Docs/porting.md says: each pair in both orders.
    public var judgeCommand: String?
    /// Seconds of silence after which the judge is started again.
    public var judgePatience = 600.0
    /// Writes what a judge is to be asked about the two `systems` into this JSONL file, and ends.
    public var judgeRequests: String?
    /// Judges the two `systems` by a JSONL file of answers to those requests.
    public var judgeAnswers: String?
    /// In place of `systems`: a JSONL file of comparisons in the published shape. The judge's win rate is then how often it agrees with
    /// the people who made them.
    public var judgeComparisons: String?
    /// Inputs that are judged or become tasks at most, drawn at random.
    public var judgedInputs = 500
    /// Writes tasks for people into this JSONL file, and ends: pairs on a slider from -4 to 4 for two `systems`, rankings with the
    /// reference for more. With `preferenceAnswers`, the tasks that were answered.
    public var preferenceTasks: String?
    /// What `preferenceTasks` are: pairwise or ranking; by the number of systems unless given.
    public var taskForm: String?
    /// JSONL files of answers to `preferenceTasks`, such as one for each annotator: {"task", "annotator", "slider"} to pairs,
    /// {"task", "annotator", "ranks"} to rankings. Beside a judge and the tasks of its two `systems`: how often it agrees with people.
    public var preferenceAnswers: [String] = []
    /// Writes `preferenceTasks`, new ones of `systems` or those of an existing file, as a page on which a person answers them; its answers
    /// are read by `preferenceAnswers`.
    public var page: String?
    /// The heading of the `page`; "Comparing answers" unless given.
    public var pageTitle: String?
    /// A text file of instructions for the `page`: empty lines part paragraphs, lines that begin with "- " are a list.
    public var pageInstructions: String?
    /// Pairs among new `preferenceTasks` that only ask for a position of the slider; they never count for a system.
    public var attentionChecks = 0
    /// How a slider counts: sign (won, lost or a tie) or weighted (by its position).
    public var answerScale = "sign"
    /// How several answers to a pair are merged: average, override (the last counts) or skip (all must agree).
    public var answerMerging = "average"
    /// What neutral answers to pairs are: tie or leave-out.
    public var neutralAnswers = "tie"
    /// The annotator whose rankings are a model's: people are compared with it.
    public var judgeAnnotator: String?
    /// Writes the inputs on which the first of two `systems` does best beside the second into this JSONL file, and ends.
    public var pickExamples: String?
    /// The column that `pickExamples` goes by.
    public var pickBy = "reward"
    /// Whether every output of the first system must be better than every one of the second.
    public var pickStrictly = false
    /// Examples that are picked at most.
    public var pickedExamples = 50
    /// The table of runs that are named without one.
    public var tableName = "test"
    /// Resamples of bootstrap intervals.
    public var bootstrapResamples = 2000

    /// The defaults.
    public init() {}

    /// Whether preferences are asked for.
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
            throw InvalidSetting("--systems names nothing to compare")
        }
        try validateCombination()
    }

    /// One thing is done at a time, on as many systems as it needs.
    private func validateCombination() throws {
        let actions = [
            ("--judge-url", judgeUrl), ("--judge-command", judgeCommand), ("--judge-requests", judgeRequests),
            ("--judge-answers", judgeAnswers),
            ("--pick-examples", pickExamples), ("--preference-tasks", preferenceAnswers.isEmpty ? preferenceTasks : nil),
        ].filter { $0.1 != nil }.map(\.0)
        guard actions.count <= 1 else {
            throw InvalidSetting("\(actions.joined(separator: " and ")) are different things; choose one of them")
        }
        try validatePage()
        if !preferenceAnswers.isEmpty {
            guard preferenceTasks != nil, judgeComparisons == nil, isJudged ? systems.count == 2 : systems.isEmpty && actions.isEmpty else {
                throw InvalidSetting(
                    "--preference-answers needs --preference-tasks, the file of the tasks, and nothing else; or two --systems with --judge-url, "
                        + "--judge-command or --judge-answers, whose verdicts people are compared with")
            }
            return
        }
        guard isWanted || page != nil else {
            guard let action = actions.first else { return }
            throw InvalidSetting("\(action) needs --systems, what is to be compared")
        }
        guard let action = actions.first else {
            throw InvalidSetting(
                "what is to be done with them? --judge-url, --judge-command, --judge-requests, --judge-answers, --preference-tasks or --pick-examples"
            )
        }
        if judgeComparisons != nil {
            guard systems.isEmpty, action.hasPrefix("--judge") else {
                throw InvalidSetting(
                    "--judge-comparisons takes the place of --systems, for --judge-url, --judge-command, --judge-requests or --judge-answers"
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

    /// A page shows tasks that are made now or stand in a file; attention checks are put among those that are made now.
    private func validatePage() throws {
        if page != nil {
            guard preferenceTasks != nil, preferenceAnswers.isEmpty, judgeComparisons == nil else {
                throw InvalidSetting(
                    "--page needs --preference-tasks, the file of tasks that it shows, and works neither with --preference-answers nor with "
                        + "--judge-comparisons")
            }
        } else if pageTitle != nil || pageInstructions != nil {
            throw InvalidSetting("--page-title and --page-instructions are about --page, which is not given")
        }
        guard attentionChecks > 0 else { return }
        guard preferenceTasks != nil, preferenceAnswers.isEmpty, !systems.isEmpty, isPairwise else {
            throw InvalidSetting("--attention-checks go into new --preference-tasks that are pairs of two --systems")
        }
    }

    /// Whether a judge gives verdicts.
    var isJudged: Bool { judgeUrl != nil || judgeCommand != nil || judgeAnswers != nil }

    /// Whether tasks are pairs.
    var isPairwise: Bool {
        taskForm.map { SettingName.canonical($0) == Form.pairwise.rawValue } ?? (systems.count == 2)
    }

    /// How answers to pairs are read.
    var analysis: PairwiseAnalysis {
        PairwiseAnalysis(
            scale: Self.choice(answerScale) ?? .sign, merging: Self.choice(answerMerging) ?? .average,
            neutral: Self.choice(neutralAnswers) ?? .tie)
    }

    /// The case that a word names, in any spelling.
    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ word: String, _: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        Choice.allCases.first { SettingName.canonical($0.rawValue) == SettingName.canonical(word) }
    }
}
