internal import Formats
internal import Models

/// An error of a training stage.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A setting is invalid.
    case invalidSetting(name: String, value: String, rule: String)
    /// There are no examples to train or evaluate on.
    case noExamples(String)
    /// A part of an example that must have tokens has none. The value names the part and the example.
    case noTokens(String)
    /// An example exceeds the model's context.
    case exampleTooLong(id: String, tokens: Int, limit: Int)
    /// An example has a token for which the model has no embedding.
    case unknownToken(id: String, token: Int32, rows: Int)
    /// A number is NaN or Inf. The weights were not updated with it.
    case notFinite(what: String, step: Int, examples: [String])
    /// A gradient is NaN or Inf in a step that updates weights in the backward pass. Some weights were updated before it.
    case notFiniteInBackward(what: String, step: Int, examples: [String])
    /// An update has made a weight NaN or Inf.
    case weightNotFinite(name: String, step: Int)
    /// A saved state does not belong to this model, data or seed.
    case stateMismatch(String)

    /// The message in one line, with a suggestion where possible.
    public var description: String {
        switch self {
        case .invalidSetting(let name, let value, let rule): "\(name) is \(value), but \(rule)"
        case .noExamples(let what): "\(what) has no examples; check the data set and the split"
        case .noTokens(let what): "\(what) has no tokens; remove the row, or give it a text"
        case .exampleTooLong(let id, let tokens, let limit):
            "example \(id) has \(Counted(tokens, "token")), but at most \(limit) fit the model's context; "
                + "lower --max-source-length or --max-target-length"
        case .unknownToken(let id, let token, let rows):
            "example \(id) has token ID \(token), but the model's token IDs are 0..<\(rows); the tokenizer belongs to another model"
        case .notFinite(let what, let step, let examples):
            "\(what) is NaN or Inf in step \(step) "
                + "(\(Counted.form(examples.count, "example", "examples")) \(Self.list(examples))); the weights were not updated. "
                + "Check \(Counted.form(examples.count, "this example", "these examples")), "
                + "lower the learning rate, or skip such batches with --skip-bad-batches"
        case .notFiniteInBackward(let what, let step, let examples):
            "\(what) is NaN or Inf in step \(step) "
                + "(\(Counted.form(examples.count, "example", "examples")) \(Self.list(examples))); with --apply-in-backward, some weights "
                + "were updated before it, so the run has to resume from its last checkpoint. "
                + "Check \(Counted.form(examples.count, "this example", "these examples")), or lower the learning rate"
        case .weightNotFinite(let name, let step):
            "the weight \(name) is NaN or Inf after step \(step), and was not saved; the last checkpoint is unchanged. "
                + "Lower the learning rate, or clip gradients, in a run with another --run-id"
        case .stateMismatch(let what): "the saved state does not match this run: \(what)"
        }
    }

    /// A list of example IDs, with the first 16 if there are more.
    private static func list(_ examples: [String]) -> String {
        let shown = 16
        return examples.prefix(shown).joined(separator: ", ")
            + (examples.count > shown ? " and \(examples.count - shown) more" : "")
    }
}

extension TransformerDecoder {
    /// Checks that an example fits the context and that every token has an embedding.
    /// - Parameter room: the maximum number of tokens. Default: the context length.
    /// - Throws: ``TrainingError/exampleTooLong(id:tokens:limit:)``, ``TrainingError/unknownToken(id:token:rows:)``.
    func check(_ tokens: [Int32], id: String, room: Int? = nil) throws {
        let limit = room ?? shape.contextLength
        guard tokens.count <= limit else { throw TrainingError.exampleTooLong(id: id, tokens: tokens.count, limit: limit) }
        if let token = tokens.first(where: { !(0..<shape.vocabularySize).contains(Int($0)) }) {
            throw TrainingError.unknownToken(id: id, token: token, rows: shape.vocabularySize)
        }
    }
}
