/// Why a stage cannot start or go on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A setting has no meaning.
    case invalidSetting(name: String, value: String, rule: String)
    /// There is nothing to train or evaluate on.
    case noExamples(String)
    /// An example does not fit the model's context.
    case exampleTooLong(id: String, tokens: Int, limit: Int)
    /// A number is NaN or infinite; the weights have not been touched by it.
    case notFinite(what: String, step: Int, examples: [String])
    /// A saved state belongs to something else.
    case stateMismatch(String)

    public var description: String {
        switch self {
        case .invalidSetting(let name, let value, let rule): "\(name) is \(value), but \(rule)"
        case .noExamples(let what): "\(what) holds no examples; check the data folder and the split"
        case .exampleTooLong(let id, let tokens, let limit):
            "example \(id) has \(tokens) tokens, but the model's context is \(limit); "
                + "lower --max-source-length or --max-target-length"
        case .notFinite(let what, let step, let examples):
            "\(what) is not finite in step \(step) (examples \(Self.list(examples))); the weights were left as they were before it. "
                + "Look at those examples, lower the learning rate, or pass over such batches with --skip-bad-batches"
        case .stateMismatch(let what): "the saved state does not fit: \(what)"
        }
    }

    /// All ids of a small batch, the first ones of a large one.
    private static func list(_ examples: [String]) -> String {
        let shown = 16
        return examples.prefix(shown).joined(separator: ", ")
            + (examples.count > shown ? " and \(examples.count - shown) more" : "")
    }
}
