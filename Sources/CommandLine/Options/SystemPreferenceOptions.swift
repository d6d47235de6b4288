public import ArgumentParser
public import Report
internal import Services

/// Which of several systems people or a model prefer, from files to files.
public struct SystemPreferenceOptions: SettingsOptions {
    public typealias Values = SystemPreferenceSettings

    @Option(
        help: """
            The systems that are compared: runs, tables of runs (run:table; --table-name unless given), or JSONL files of rows with id, \
            input and response. They are joined on the input; the first output for each counts.
            """)
    public var systems = ArgumentList(Self.defaults.systems)
    @Option(
        help: """
            Judges the two --systems by a language model behind HTTP: the address of a chat in OpenAI's shape, such as \
            http://localhost:8080/v1/chat/completions. Each pair is asked about in both orders.
            """)
    public var judgeUrl: String?
    @Option(
        help: """
            Judges the two --systems by a shell command that reads and writes JSON lines, as Docs/porting.md says: each pair in both \
            orders.
            """)
    public var judgeCommand: String?
    @Option(help: "Seconds of silence after which the judge is started again.")
    public var judgePatience = Self.defaults.judgePatience
    @Option(help: "Writes what a judge is to be asked about the two --systems into this JSONL file, and ends.")
    public var judgeRequests: String?
    @Option(help: "Judges the two --systems by a JSONL file of answers to those requests.", completion: .file())
    public var judgeAnswers: String?
    @Option(
        help: """
            In place of --systems: a JSONL file of comparisons in the published shape. The judge's win rate is then how often it agrees \
            with the people who made them.
            """, completion: .file())
    public var judgeComparisons: String?
    @Option(help: "Inputs that are judged or become tasks at most, drawn at random.")
    public var judgedInputs = Self.defaults.judgedInputs
    @Option(
        help: """
            Writes tasks for people into this JSONL file, and ends: pairs on a slider from -4 to 4 for two --systems, rankings with the \
            reference for more. With --preference-answers, the tasks that were answered.
            """, completion: .file())
    public var preferenceTasks: String?
    @Option(help: "What --preference-tasks are: pairwise or ranking; by the number of systems unless given.")
    public var taskForm: String?
    @Option(
        help: """
            JSONL files of answers to --preference-tasks, with commas between them, such as one for each annotator: {"task", "annotator", \
            "slider"} to pairs, {"task", "annotator", "ranks"} to rankings. Beside a judge and the tasks of its two --systems: how often it \
            agrees with people.
            """, completion: .file())
    public var preferenceAnswers = ArgumentList(Self.defaults.preferenceAnswers)
    @Option(
        help: """
            Writes --preference-tasks, new ones of --systems or those of an existing file, as a page on which a person answers them; its \
            answers are read by --preference-answers.
            """, completion: .file())
    public var page: String?
    @Option(help: "The heading of the --page; \"Comparing answers\" unless given.")
    public var pageTitle: String?
    @Option(
        help: """
            A text file of instructions for the --page: empty lines part paragraphs, lines that begin with "- " are a list.
            """, completion: .file())
    public var pageInstructions: String?
    @Option(
        help: "Pairs among new --preference-tasks that only ask for a position of the slider; they never count for a system.")
    public var attentionChecks = Self.defaults.attentionChecks
    @Option(help: "How a slider counts: sign (won, lost or a tie) or weighted (by its position).")
    public var answerScale = Self.defaults.answerScale
    @Option(help: "How several answers to a pair are merged: average, override (the last counts) or skip (all must agree).")
    public var answerMerging = Self.defaults.answerMerging
    @Option(help: "What neutral answers to pairs are: tie or leave-out.")
    public var neutralAnswers = Self.defaults.neutralAnswers
    @Option(help: "The annotator whose rankings are a model's: people are compared with it.")
    public var judgeAnnotator: String?
    @Option(
        help: """
            Writes the inputs on which the first of two --systems does best beside the second into this JSONL file, and ends.
            """)
    public var pickExamples: String?
    @Option(help: "The column that --pick-examples goes by.")
    public var pickBy = Self.defaults.pickBy
    @Option(help: .yesNo("Whether every output of the first system must be better than every one of the second."))
    public var pickStrictly = Self.defaults.pickStrictly
    @Option(help: "Examples that are picked at most.")
    public var pickedExamples = Self.defaults.pickedExamples

    @Option(help: "The table of runs that are named without one.")
    public var tableName = Self.defaults.tableName
    @Option(help: "Resamples of bootstrap intervals.")
    public var bootstrapResamples = Self.defaults.bootstrapResamples

    public init() {}

    public func validate() throws {
        try validateSettings()
        // before anything of a run is written: an address may hold what must not be stored
        guard let judgeUrl else { return }
        do {
            _ = try ServiceAddress(judgeUrl, for: .chat)
        } catch {
            throw ValidationError("--judge-url \(error)")
        }
    }
}
