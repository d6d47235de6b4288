/// An error in a model's configuration or use, as opposed to `CheckpointError` for damaged files.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `model_type` names an unsupported family.
    case unknownFamily(String, known: [String])
    /// A key of config.json is missing or has an invalid value.
    case configuration(key: String, problem: String)
    /// The configuration requires something that is not supported.
    case unsupported(String)
    /// The folder has no head, but a trained one is needed.
    case freshHead(folder: String)
    /// A score was requested from a model whose head does not exist or was never trained.
    case noHead
    /// The model cannot be saved as a sequence classifier.
    case noClassifier(String)
    /// The model cannot be saved as a GGUF file.
    case noGGUF(String)
    /// The adapter is invalid or does not fit the model.
    case adapter(String)
    /// A frozen weight cannot be held in the format.
    case frozenWeight(name: String, problem: String)
    /// A trained weight cannot be represented in the format in which it should be kept.
    case masterWeight(name: String, problem: String)
    /// An error in a configuration, together with the path of the file.
    indirect case inFile(String, ModelError)
    /// The tokenizer has more IDs than the embedding has rows.
    case tooManyTokens(folder: String, tokens: Int, rows: Int)

    /// Adds the path of config.json to configuration errors that `body` throws.
    /// - Parameters:
    ///   - folder: the path of the model folder.
    ///   - body: reads the configuration.
    package static func naming<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
        try naming(file: folder + "/config.json", body)
    }

    /// Adds a path to configuration errors that `body` throws; nil leaves them unchanged.
    static func naming<Result>(file: String?, _ body: () throws -> Result) throws -> Result {
        guard let file else { return try body() }
        do {
            return try body()
        } catch let error as ModelError {
            switch error {
            case .unknownFamily, .configuration, .unsupported, .adapter: throw ModelError.inFile(file, error)
            default: throw error
            }
        }
    }

    /// One line that says what is wrong with the model, and in which file or key.
    public var description: String {
        switch self {
        case .inFile(let file, .configuration(let key, let problem)): "\(file): \(key) \(problem)"
        case .inFile(let file, .unsupported(let what)): "\(file): not supported: \(what)"
        case .inFile(let file, let error): "\(file): \(error)"
        case .unknownFamily(let type, let known):
            "model_type '\(type)' is not supported; supported are \(known.joined(separator: ", "))"
        case .configuration(let key, let problem): "config.json: \(key) \(problem)"
        case .unsupported(let what): "config.json: not supported: \(what)"
        case .freshHead(let folder):
            "\(folder) has neither a head (v_head weights) nor a classifier's score.weight, so it is not a reward model and cannot "
                + "score. Train one with train-reward-model"
        case .noHead: "the model has no trained head to save as a sequence classifier"
        case .adapter(let reason): reason
        case .frozenWeight(let name, let problem):
            "the frozen weight \(name): \(problem); hold frozen weights in another format (--frozen-dtype f32)"
        case .masterWeight(let name, let problem):
            "the trained weight \(name): \(problem); keep trained weights in another format (--master-dtype f32)"
        case .noClassifier(let reason): reason
        case .noGGUF(let reason): reason
        case .tooManyTokens(let folder, let tokens, let rows):
            "\(folder): the tokenizer has \(tokens) ids, but the model's embedding has only \(rows) rows; they do not match"
        }
    }
}
