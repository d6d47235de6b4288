public import Formats

/// Filters out conversations that a chat template cannot tokenise: those that it rejects, fails on, or renders to no
/// tokens.
///
/// Used if bad rows are skipped; otherwise the first such conversation is an error when it is tokenised. Rows without a
/// conversation, and rows to which no template applies, pass.
struct ConversationScreening<Row> {
    /// The rows that passed, in order.
    private(set) var rows: [Row] = []
    /// How many rows passed, how many did not, and why.
    private(set) var counts = RowCounts()
    /// Whether some conversation passed.
    private var hasConversation = false
    private var firstProblem: DataError?

    /// Filters rows.
    /// - Parameters:
    ///   - all: The rows.
    ///   - isConversation: Whether a row needs to be checked.
    ///   - check: Tokenises a conversation; throws `DataError.chat` if that is not possible.
    /// - Throws: Any other error of `check`. If no conversation passes, the first `DataError.chat`, because the
    ///   template itself is then at fault.
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
    /// Whether a template renders conversational rows.
    private var hasTemplate: Bool {
        if case .template = self { true } else { false }
    }

    /// The rows that pass a check, and how many do not.
    fileprivate func screened<Row>(
        _ rows: [Row], isConversation: (Row) -> Bool, check: (Row) throws -> Void
    ) throws -> (rows: [Row], counts: RowCounts) {
        let screening = try ConversationScreening(rows, isConversation: { hasTemplate && isConversation($0) }, check: check)
        return (screening.rows, screening.counts)
    }
}

extension SFTTokenisation {
    /// The purposes of tokenising examples.
    public enum Use: Sendable {
        /// Training, and other uses of the responses.
        case training
        /// Prompts for generation.
        case prompts
    }

    /// Filters out examples whose conversations cannot be tokenised for the given uses.
    /// - Returns: The remaining examples, in order, and how many were kept and skipped.
    /// - Throws: As ``tokenise(_:with:)``. If no conversation can be used, the problem of the first one.
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
    /// Filters out comparisons whose conversations cannot be tokenised.
    /// - Returns: The remaining comparisons, in order, and how many were kept and skipped.
    /// - Throws: As ``tokenise(_:with:)``. If no conversation can be used, the problem of the first one.
    public func screened(
        _ comparisons: [Comparison], with tokenizer: any Tokenizer
    ) throws -> (rows: [Comparison], counts: RowCounts) {
        try chat.screened(comparisons, isConversation: { $0.conversations != nil }) { _ = try tokenise([$0], with: tokenizer) }
    }
}

extension SummaryCorpus {
    /// The corpus without conversations that cannot be tokenised for the given uses.
    /// - Returns: The corpus, and how many rows were kept and skipped.
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
