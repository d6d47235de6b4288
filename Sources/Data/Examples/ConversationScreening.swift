public import Formats

/// Leaves out conversations of which a chat template makes no tokens: those that it refuses, cannot deal with, or renders to nothing.
///
/// It is for runs that leave out bad rows; for others the first such conversation is an error where it is tokenised. Rows that are no
/// conversations, and those that no template is asked for, pass.
struct ConversationScreening<Row> {
    /// The rows that are left, in order.
    private(set) var rows: [Row] = []
    /// How many are left, and which are not.
    private(set) var counts = RowCounts()
    /// Whether some conversation passed.
    private var hasConversation = false
    private var firstProblem: DataError?

    /// Screens rows.
    /// - Parameter check: tokenises a conversation.
    /// - Throws: what `check` throws beside `DataError.chat`; the first of those where no conversation passes: then the template is at fault.
    init(_ all: [Row], isConversation: (Row) -> Bool, check: (Row) throws -> Void) throws {
        rows.reserveCapacity(all.count)
        for row in all {
            guard isConversation(row) else {
                rows.append(row)
                continue
            }
            do {
                try check(row)
                rows.append(row)
                hasConversation = true
            } catch let error as DataError {
                guard case .chat(let reason) = error else { throw error }
                firstProblem = firstProblem ?? error
                counts.skipped += 1
                if counts.problems.count < RowCounts.rememberedProblems { counts.problems.append(reason) }
            }
        }
        counts.read = rows.count
        if let firstProblem, !hasConversation { throw firstProblem }
    }
}

extension ChatFormat {
    /// Whether a template makes the texts of conversational rows.
    private var hasTemplate: Bool {
        if case .template = self { true } else { false }
    }

    /// The rows without conversations that fail a check, and how many those are.
    fileprivate func screened<Row>(
        _ rows: [Row], isConversation: (Row) -> Bool, check: (Row) throws -> Void
    ) throws -> (rows: [Row], counts: RowCounts) {
        let screening = try ConversationScreening(rows, isConversation: { hasTemplate && isConversation($0) }, check: check)
        return (screening.rows, screening.counts)
    }
}

extension SFTTokenisation {
    /// What examples are tokenised for.
    public enum Use: Sendable {
        /// Training, and whatever else reads the responses.
        case training
        /// Prompts that are answered.
        case prompts
    }

    /// Examples without the conversations that cannot be tokenised for a use.
    /// - Returns: Those that are left, in order, and how many are not.
    /// - Throws: As ``tokenise(_:with:)``; what is wrong with the first conversation where none can be used.
    public func screened(
        _ examples: [SummaryExample], for uses: Set<Use>, with tokenizer: any Tokenizer
    ) throws -> (rows: [SummaryExample], counts: RowCounts) {
        try chat.screened(examples, isConversation: { $0.conversation != nil }) { example in
            if uses.contains(.training) { _ = try tokenise([example], with: tokenizer) }
            if uses.contains(.prompts) { _ = try prompts([example], with: tokenizer) }
        }
    }
}

extension RewardTokenisation {
    /// Comparisons without those whose conversations cannot be tokenised.
    /// - Returns: Those that are left, in order, and how many are not.
    /// - Throws: As ``tokenise(_:with:)``; what is wrong with the first conversation where none can be used.
    public func screened(
        _ comparisons: [Comparison], with tokenizer: any Tokenizer
    ) throws -> (rows: [Comparison], counts: RowCounts) {
        try chat.screened(comparisons, isConversation: { $0.conversations != nil }) { _ = try tokenise([$0], with: tokenizer) }
    }
}

extension SummaryCorpus {
    /// The corpus without the conversations that cannot be tokenised for a use.
    /// - Returns: What is left, and how many rows are not.
    /// - Throws: As ``SFTTokenisation/screened(_:for:with:)``.
    public func screened(
        _ tokenisation: SFTTokenisation, for uses: Set<SFTTokenisation.Use>, with tokenizer: any Tokenizer
    ) throws -> (corpus: SummaryCorpus, counts: RowCounts) {
        var (corpus, counts) = (self, RowCounts())
        for name in Self.splitNames {
            guard let examples = splits[name] else { continue }
            let (rows, found) = try tokenisation.screened(examples, for: uses, with: tokenizer)
            corpus.splits[name] = rows
            counts = counts + found
        }
        return (corpus, counts)
    }
}
