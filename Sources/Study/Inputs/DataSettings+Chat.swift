package import Data
import Formats
import Runs

extension DataSettings {
    /// The word that stands for no template: the texts of messages are joined.
    private static let withoutTemplate = "none"

    /// Whether the texts of messages are all that is read of them.
    var readsTextsAlone: Bool { chatTemplate == Self.withoutTemplate }

    /// A model that keeps the chat template that the options name among its files.
    /// - Throws: `FormatError` for a file that cannot be read; `DataError.chat` for one that is no template.
    func prepared(_ model: LoadedModel) throws -> LoadedModel {
        guard let path = chatTemplate, path != Self.withoutTemplate else { return model }
        let bytes = try Self.template(path)
        guard let source = String(validating: bytes, as: UTF8.self) else {
            throw FormatError.badFile(path: path, reason: "a chat template that is not valid UTF-8")
        }
        var model = model
        model.tokenizer = model.tokenizer.keeping(try model.tokenizer.chatTemplate(source, name: path))
        return model
    }

    private static func template(_ path: String) throws -> [UInt8] {
        do {
            return try Descriptor.content(of: path, limit: JinjaLimits.source)
        } catch let error as FileError {
            if case .damaged(_, let reason) = error { throw FormatError.badFile(path: path, reason: "\(reason)") }
            throw FormatError(error, reading: path)
        }
    }

    /// What the text of the file that `chat_template` names is told by among a run's options; nil where they name none.
    /// - Throws: As ``prepared(_:)``.
    static func templateFiles(of options: [String: OptionValue]) throws -> [String: String]? {
        guard case .string(let path)? = options["chat_template"], path != withoutTemplate else { return nil }
        return ["chat_template": RunConfiguration.checksum(of: try template(path))]
    }

    /// What becomes of conversational rows. A template that cannot be used is an error only where there is such a row.
    package func chatFormat(of model: LoadedModel) -> ChatFormat {
        if readsTextsAlone { return .contents }
        do {
            guard let template = try model.tokenizer.chatTemplate() else {
                return .unavailable("the model in \(model.folder.path) has no chat template")
            }
            return .template(template)
        } catch {
            return .unavailable("the chat template of the model in \(model.folder.path) cannot be used (\(error))")
        }
    }

    /// A corpus without the conversations that the template makes no tokens of, where bad rows are left out; else the corpus.
    func screened(
        _ corpus: SummaryCorpus, _ tokenisation: SFTTokenisation, for uses: Set<SFTTokenisation.Use>, with tokenizer: any Tokenizer,
        note: (String) -> Void
    ) throws -> SummaryCorpus {
        guard onBadRow == BadRowPolicy.skip.rawValue else { return corpus }
        let (screened, counts) = try corpus.screened(tokenisation, for: uses, with: tokenizer)
        if counts.skipped > 0 { note("chat template: \(counts)") }
        return screened
    }

    /// Comparisons without the conversations that the template makes no tokens of, where bad rows are left out; else all of them.
    func screened(
        _ comparisons: [Comparison], _ tokenisation: RewardTokenisation, with tokenizer: any Tokenizer, counts: inout RowCounts
    ) throws -> [Comparison] {
        guard onBadRow == BadRowPolicy.skip.rawValue else { return comparisons }
        let screened = try tokenisation.screened(comparisons, with: tokenizer)
        counts = counts + screened.counts
        return screened.rows
    }
}
