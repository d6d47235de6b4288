public import ArgumentParser
public import Report
internal import Services

/// Which of several systems people or a model prefer, from files to files.
public struct SystemPreferenceOptions: SettingsOptions {
    public typealias Values = SystemPreferenceSettings

    @Option(
        help: """
            Systems to compare: runs, RUN:TABLE or files. For a run without a table, --table-name is used. Files are JSONL with rows of \
            id, input and response. Systems are joined on the input; the first output for each input counts.
            """)
    public var systems = ArgumentList(Self.defaults.systems)
    @Option(
        help: """
            URL of a language model as the judge. It is the address of a chat with OpenAI's API, such as \
            http://localhost:8080/v1/chat/completions. It judges the two --systems; each pair is asked about in both orders. Default: \
            none.
            """)
    public var judgeUrl: String?
    @Option(
        help: """
            Shell command as the judge. It reads and writes JSON lines, as described in Docs/porting.md. It judges the two --systems; each \
            pair is asked about in both orders. Default: none.
            """)
    public var judgeCommand: String?
    @Option(help: "Seconds without output to wait for the judge. After this time the judge of --judge-command is restarted.")
    public var judgePatience = Self.defaults.judgePatience
    @Option(
        help: """
            JSONL file for questions to a judge. The questions about the two --systems are written into it, and the program ends. Default: \
            none.
            """)
    public var judgeRequests: String?
    @Option(help: "JSONL file of answers to --judge-requests. They judge the two --systems. Default: none.", completion: .file())
    public var judgeAnswers: String?
    @Option(
        help: """
            JSONL file of comparisons, instead of --systems. They have the published format. The judge's win rate is then how often it \
            agrees with the people who made them. Default: none.
            """, completion: .file())
    public var judgeComparisons: String?
    @Option(help: "Maximum number of inputs for judging and tasks. They are drawn at random.")
    public var judgedInputs = Self.defaults.judgedInputs
    @Option(
        help: """
            JSONL file for tasks for people. Tasks are written into it, and the program ends: pairs on a slider from -4 to 4 for two \
            --systems, rankings with the reference for more. With --preference-answers, it has the tasks that were answered. Default: \
            none.
            """, completion: .file())
    public var preferenceTasks: String?
    @Option(help: "Form of --preference-tasks: pairwise or ranking. Default: by the number of systems.")
    public var taskForm: String?
    @Option(
        help: """
            JSONL files of answers to --preference-tasks. Separate them with commas; there may be one for each annotator: {"task", \
            "annotator", "slider"} for pairs, {"task", "annotator", "ranks"} for rankings. With a judge and the tasks of its two \
            --systems, the agreement of the judge with people is measured.
            """, completion: .file())
    public var preferenceAnswers = ArgumentList(Self.defaults.preferenceAnswers)
    @Option(
        help: """
            HTML page for answering --preference-tasks. The tasks are new ones of --systems or those of an existing file; \
            --preference-answers reads the answers. Default: none.
            """, completion: .file())
    public var page: String?
    @Option(help: "Heading of the --page. Default: \"Comparing answers\".")
    public var pageTitle: String?
    @Option(
        help: """
            Text file of instructions for the --page. Empty lines separate paragraphs; lines that begin with "- " form a list. Default: \
            built-in instructions.
            """, completion: .file())
    public var pageInstructions: String?
    @Option(
        help: """
            Attention checks among new --preference-tasks. They are pairs that ask only for a position of the slider; they never count for \
            a system.
            """)
    public var attentionChecks = Self.defaults.attentionChecks
    @Option(help: "How a slider counts: sign or weighted. With sign, it is won, lost or a tie; with weighted, its position counts.")
    public var answerScale = Self.defaults.answerScale
    @Option(
        help: """
            How several answers to a pair are merged. One of average, override (the last counts) or skip (all must agree). An annotator \
            counts once for each pair: with override, the last answer counts; otherwise repeated answers must be equal.
            """)
    public var answerMerging = Self.defaults.answerMerging
    @Option(help: "How neutral answers count: tie or leave-out.")
    public var neutralAnswers = Self.defaults.neutralAnswers
    @Option(
        help: "Annotator that is a model. Its rankings, which --preference-answers contains, are compared with people's. Default: none.")
    public var judgeAnnotator: String?
    @Option(
        help: """
            JSONL file for contrasting examples. The inputs on which the first of two --systems does best, compared with the second, are \
            written into it, and the program ends. Default: none.
            """)
    public var pickExamples: String?
    @Option(help: "Column that --pick-examples compares.")
    public var pickBy = Self.defaults.pickBy
    @Option(
        help: .yesNo(
            """
            Compare all outputs in --pick-examples. Every output of the first system must be better than every output of the second.
            """))
    public var pickStrictly = Self.defaults.pickStrictly
    @Option(help: "Maximum number of examples to pick.")
    public var pickedExamples = Self.defaults.pickedExamples

    @Option(help: "Table of runs that are named without one.")
    public var tableName = Self.defaults.tableName
    @Option(help: "Number of resamples for bootstrap intervals.")
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
