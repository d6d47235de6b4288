/// What can be wrong with a model that its files are not.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `model_type` names a family that is not here.
    case unknownFamily(String, known: [String])
    /// A key of config.json is missing or has a value that makes no sense.
    case configuration(key: String, problem: String)
    /// The configuration asks for something that is not here.
    case unsupported(String)
    /// The folder has no head, where a trained one is needed.
    case freshHead(folder: String)
    /// A score is to be saved or computed of a model whose head was never trained or is not there.
    case noHead
    /// A model has no form as a sequence classifier.
    case noClassifier(String)
    /// A model has no form as a GGUF file.
    case noGGUF(String)
    /// An adapter makes no sense, or does not fit the model.
    case adapter(String)
    /// A fault of a configuration, with the file that it stands in.
    indirect case inFile(String, ModelError)
    /// A tokenizer has ids beyond the rows of the embedding.
    case tooManyTokens(folder: String, tokens: Int, rows: Int)

    /// Puts the file to a fault of a configuration that `body` throws.
    /// - Parameter folder: The path of the model's folder.
    package static func naming<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
        try naming(file: folder + "/config.json", body)
    }

    /// Puts a file to a fault of a configuration that `body` throws; nil where somebody else will.
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

    /// One line: what is wrong with the model, and which file or key says so.
    public var description: String {
        switch self {
        case .inFile(let file, .configuration(let key, let problem)): "\(file): \(key) \(problem)"
        case .inFile(let file, .unsupported(let what)): "\(file) asks for \(what), which is not available"
        case .inFile(let file, let error): "\(file): \(error)"
        case .unknownFamily(let type, let known):
            "model_type '\(type)' is not a family that can be built; known are \(known.joined(separator: ", "))"
        case .configuration(let key, let problem): "config.json: \(key) \(problem)"
        case .unsupported(let what): "config.json asks for \(what), which is not available"
        case .freshHead(let folder):
            "\(folder) holds neither a head (v_head weights) nor a classifier's score.weight: it is not a reward model and cannot "
                + "score. Train one with train-reward-model"
        case .noHead: "the model has no trained head to be saved as a sequence classifier"
        case .adapter(let reason): reason
        case .noClassifier(let reason): reason
        case .noGGUF(let reason): reason
        case .tooManyTokens(let folder, let tokens, let rows):
            "\(folder): the tokenizer has \(tokens) ids but the model's embedding only \(rows) rows; they do not belong together"
        }
    }
}
