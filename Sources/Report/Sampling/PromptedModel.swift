import Data
import Formats
import Foundation
import Models
import Runs
import Study
import Tensor
import TextGeneration

/// A prompt in the form that one model reads.
struct ModelPrompt {
    /// The ID in the output file.
    var id: String
    /// Its text.
    var text: String
    /// Its tokens, including the beginning-of-sequence token if the model has one.
    var tokens: [Int32]
}

/// A model that answers prompts.
struct PromptedModel {
    /// The name or path that the user gave.
    let name: String
    private let loaded: LoadedModel
    private let settings: ModelSamplingSettings

    /// Loads a model.
    /// - Parameter runs: the folder that contains runs named by ID.
    init(_ name: String, _ settings: ModelSamplingSettings, base: URL?, runs: URL, note: (String) -> Void) throws {
        self.name = name
        self.settings = settings
        let byID = runs.appendingPathComponent(name, isDirectory: true)
        let isID = try !name.contains("/") && FileStatus.of(URL(fileURLWithPath: name)) == nil && FileStatus.of(byID) != nil
        loaded = try LoadedModel.load(isID ? byID.path : name, from: RunStage.languageModels, base: base, note: note)
    }

    private var context: Int { loaded.model.decoder.shape.contextLength }

    /// Turns a line of text into a prompt.
    /// - Throws: `DataError.chat` if the chat template rejects the message; `InvalidSetting` if a template is needed and the model has none.
    func prompt(_ line: String, id: String) throws -> ModelPrompt {
        let format = try settings.format
        if case .template(let template) = format { return textPrompt(line, id: id, template) }
        guard let template = try loaded.tokenizer.chatTemplate() else {
            guard format == nil else {
                throw InvalidSetting("\(name) has no chat template; leave out --prompt-format chat and --system-message")
            }
            return textPrompt(line, id: id, nil)
        }
        var messages: [JSONValue] = [["role": "user", "content": .string(line)]]
        if let system = settings.systemMessage { messages.insert(["role": "system", "content": .string(system)], at: 0) }
        let text = try template.render(messages, addGenerationPrompt: true).text
        return ModelPrompt(id: id, text: text, tokens: loaded.tokenizer.encode(text, addingSpecialTokens: false))
    }

    private func textPrompt(_ line: String, id: String, _ format: PromptFormat?) -> ModelPrompt {
        let text = format?.prompt(subreddit: "", title: "", post: line) ?? line
        return ModelPrompt(id: id, text: text, tokens: loaded.tokenizer.encodeOpening(text))
    }

    /// The prompts of a file of rows, made as in training.
    func prompts(ofRows file: String, newTokens: Int, note: (String) -> Void) throws -> [ModelPrompt] {
        var data = DataSettings()
        (data.testFile, data.dataFormat) = (file, settings.dataFormat)
        data.targetEvalDatapoints = settings.maxPrompts ?? .max
        let corpus = try data.corpus(["test"], note: note)
        let tokenisation = try data.tokenisation(of: corpus, context: context, newTokens: newTokens + 1, chat: data.chatFormat(of: loaded))
        let examples = try data.evaluationExamples(of: corpus, split: "test")
        let prompts = try data.evaluationPrompts(examples, tokenisation, room: context - newTokens - 1, with: loaded.tokenizer)
        let cut = prompts.count(where: \.isTruncated)
        if cut > 0 {
            note(
                "\(cut) of \(Counted(prompts.count, "prompt")) \(Counted.form(cut, "is", "are")) too long for \(name): truncated at the start"
            )
        }
        return prompts.map { ModelPrompt(id: $0.id, text: $0.query, tokens: $0.tokens) }
    }

    /// Answers some prompts.
    /// - Parameters:
    ///   - randoms: a generator for each prompt.
    ///   - maxActive: the maximum number of answers that grow at the same time.
    ///   - onText: receives each new piece of the answer; only for one prompt with one answer.
    /// - Throws: ``InvalidPrompt``; `GenerationError`.
    func answers(
        to prompts: [ModelPrompt], options: SamplingOptions, randoms: [Philox], maxActive: Int, onText: ((String) -> Void)? = nil
    ) throws -> [[GeneratedText]] {
        let stop = settings.stopTexts
        var stream = TextStream(stop: stop)
        for prompt in prompts {
            let room = context - options.maxNewTokens
            guard !prompt.tokens.isEmpty, prompt.tokens.count <= room else {
                throw InvalidPrompt(id: prompt.id, model: name, tokens: prompt.tokens.count, room: room)
            }
        }
        return try loaded.text.generate(
            tokens: prompts.map(\.tokens), count: settings.numReturnSequences, options: options, stop: stop, randoms: randoms,
            maxActive: maxActive,
            progress: onText.map { onText in
                { _, _, text, isWhole in
                    if let piece = stream.next(of: text, isWhole: isWhole) { onText(piece) }
                }
            })
    }
}

/// A prompt that a model cannot answer.
package struct InvalidPrompt: Error, CustomStringConvertible {
    var id: String
    var model: String
    var tokens: Int
    var room: Int

    /// One line: which prompt, how long it is, and what to do.
    package var description: String {
        tokens == 0
            ? "\(model): prompt \(id) has no tokens"
            : "\(model): prompt \(id) has \(Counted(tokens, "token")), "
                + "but the model's context has room for \(max(0, room)) beside the answer; shorten the "
                + "prompt, or lower --max-new-tokens"
    }
}
