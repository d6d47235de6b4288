import Data
import Formats

extension DataSettings {
    /// The word that stands for no template: the texts of messages are joined.
    private static let withoutTemplate = "none"

    /// A model that keeps the chat template that the options name among its files.
    /// - Throws: `FormatError` for a file that cannot be read; `DataError.chat` for one that is no template.
    func prepared(_ model: LoadedModel) throws -> LoadedModel {
        guard let path = chatTemplate, path != Self.withoutTemplate else { return model }
        let bytes: [UInt8]
        do {
            bytes = try Descriptor.content(of: path, limit: JinjaLimits.source)
        } catch let error as FileError {
            if case .damaged(_, let reason) = error { throw FormatError.badFile(path: path, reason: "\(reason)") }
            throw FormatError(error, reading: path)
        }
        guard let source = String(validating: bytes, as: UTF8.self) else {
            throw FormatError.badFile(path: path, reason: "a chat template that is not valid UTF-8")
        }
        var model = model
        model.tokenizer = model.tokenizer.keeping(try model.tokenizer.chatTemplate(source, name: path))
        return model
    }

    /// What becomes of conversational rows. A template that cannot be used is an error only where there is such a row.
    func chatFormat(of model: LoadedModel) -> ChatFormat {
        if chatTemplate == Self.withoutTemplate { return .contents }
        do {
            guard let template = try model.tokenizer.chatTemplate() else {
                return .unavailable("the model in \(model.folder.path) has no chat template")
            }
            return .template(template)
        } catch {
            return .unavailable("the chat template of the model in \(model.folder.path) cannot be used (\(error))")
        }
    }
}
