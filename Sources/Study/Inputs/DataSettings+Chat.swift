package import Data
import Formats
import Runs

extension DataSettings {
    /// The value of `chat_template` that disables templates: the texts of a conversation's messages are joined.
    private static let withoutTemplate = "none"

    /// Whether conversations are read as the joined texts of their messages, without a template.
    var readsTextsAlone: Bool { chatTemplate == Self.withoutTemplate }

    /// The model with the chat template that the options name stored among its tokenizer's files.
    /// - Throws: `FormatError` for a file that cannot be read; `DataError.chat` for a file that is not a valid template.
    func prepared(_ model: LoadedModel) throws -> LoadedModel {
        guard let path = chatTemplate, path != Self.withoutTemplate else { return model }
        let bytes = try Self.template(path)
        guard let source = String(validating: bytes, as: UTF8.self) else {
            throw FormatError.badFile(path: path, reason: "the chat template is not valid UTF-8")
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

    /// The checksum of the template file that `chat_template` names among a run's options, by option; nil where the options name
    /// no file.
    /// - Throws: the errors of ``prepared(_:)`` for a file that cannot be read.
    static func templateFiles(of options: [String: OptionValue]) throws -> [String: String]? {
        guard case .string(let path)? = options["chat_template"], path != withoutTemplate else { return nil }
        return ["chat_template": RunConfiguration.checksum(of: try template(path))]
    }

    /// How conversational rows are formatted for a model. A missing or invalid template is an error only when a conversational
    /// row is read.
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

    /// The corpus without the conversations that the template cannot render, if bad rows are skipped; otherwise the corpus
    /// unchanged.
    func screened(
        _ corpus: SummaryCorpus, _ tokenisation: SFTTokenisation, for uses: Set<SFTTokenisation.Use>, with tokenizer: any Tokenizer,
        note: (String) -> Void
    ) throws -> SummaryCorpus {
        guard onBadRow == BadRowPolicy.skip.rawValue else { return corpus }
        let (screened, counts) = try corpus.screened(tokenisation, for: uses, with: tokenizer)
        if counts.skipped > 0 { note("chat template: \(counts)") }
        return screened
    }

    /// The comparisons without the conversations that the template cannot render, if bad rows are skipped; otherwise all
    /// comparisons.
    func screened(
        _ comparisons: [Comparison], _ tokenisation: RewardTokenisation, with tokenizer: any Tokenizer, counts: inout RowCounts
    ) throws -> [Comparison] {
        guard onBadRow == BadRowPolicy.skip.rawValue else { return comparisons }
        let screened = try tokenisation.screened(comparisons, with: tokenizer)
        counts = counts + screened.counts
        return screened.rows
    }
}
