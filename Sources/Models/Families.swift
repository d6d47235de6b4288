public import Formats

/// A family of decoders: what a `model_type` of config.json stands for.
///
/// One of your own is a ``TransformerDecoder`` and a value of this type that you pass to ``LanguageModel/load(_:usesTanh:families:note:)``. It is
/// put together from ``Projection``, ``LayerNormalisation``, ``RotaryPositions``, ``LayerContext/attention(_:_:_:layer:heads:keyHeads:scale:dropout:)``
/// and the operations of `Tensor`; ``Llama`` is an example of it.
public struct ModelFamily: Sendable {
    /// Makes a decoder from a configuration, with weights of a checkpoint or fresh ones.
    public typealias Builder = @Sendable (ConfigurationReader, any WeightSource) throws -> any TransformerDecoder

    /// The `model_type` of its config.json.
    public let modelType: String
    /// Makes a decoder of it.
    public let build: Builder

    /// A family.
    public init(_ modelType: String, build: @escaping Builder) {
        self.modelType = modelType
        self.build = build
    }

    /// LLaMA.
    public static let llama = ModelFamily("llama") { try Llama(LlamaConfiguration(reading: $0), weights: $1) }
    /// OPT.
    public static let opt = ModelFamily("opt") { try OPT(OPTConfiguration(reading: $0), weights: $1) }
    /// GPT-2.
    public static let gpt2 = ModelFamily("gpt2") { try GPT2(GPT2Configuration(reading: $0), weights: $1) }
    /// The families that come with the library.
    public static let builtIn = [llama, opt, gpt2]
}

extension [ModelFamily] {
    /// Builds the decoder that a configuration describes; of two families of one type the later one counts.
    /// - Throws: ``ModelError/unknownFamily(_:known:)``, what the configuration lacks, what the weights lack.
    package func build(_ configuration: ConfigurationReader, weights: any WeightSource) throws -> any TransformerDecoder {
        let type = try configuration.string("model_type")
        guard let family = last(where: { $0.modelType == type }) else {
            throw ModelError.unknownFamily(type, known: Set(map(\.modelType)).sorted())
        }
        return try family.build(configuration, weights)
    }
}

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
            case .unknownFamily, .configuration, .unsupported: throw ModelError.inFile(file, error)
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
            "\(folder) holds no v_head weights: it is not a reward model and cannot score. Train one with train-reward-model"
        case .noHead: "the model has no trained head to be saved as a sequence classifier"
        case .noClassifier(let reason): reason
        case .tooManyTokens(let folder, let tokens, let rows):
            "\(folder): the tokenizer has \(tokens) ids but the model's embedding only \(rows) rows; they do not belong together"
        }
    }
}

/// Typed reading of a config.json.
///
/// Every reading throws ``ModelError/configuration(key:problem:)`` for a value of another kind or out of range, and for a key that is
/// absent where the result is no optional.
public struct ConfigurationReader: Sendable {
    /// The file's object.
    public let object: JSONValue

    /// A reader of a JSON object.
    public init(_ object: JSONValue) { self.object = object }

    private func value<Value>(_ key: String, _ kind: String, _ read: (JSONValue) -> Value?) throws -> Value? {
        guard let found = object[key], !found.isNull else { return nil }
        guard let value = read(found) else {
            // NaN and infinities look like numbers to those who wrote them
            if case .number(let text) = found, found.double == nil {
                throw ModelError.configuration(key: key, problem: "is \(text.prefix(40))\(text.utf8.count > 40 ? "…" : ""), not \(kind)")
            }
            throw ModelError.configuration(key: key, problem: "is not \(kind)")
        }
        return value
    }
    private func required<Value>(_ key: String, _ value: Value?) throws -> Value {
        guard let value else { throw ModelError.configuration(key: key, problem: "is missing") }
        return value
    }

    /// A positive whole number.
    public func count(_ key: String) throws -> Int {
        let value = try required(key, try optionalCount(key))
        return value
    }
    /// A positive whole number, or nil when the key is absent or null.
    public func optionalCount(_ key: String) throws -> Int? {
        let number = try value(key, "a whole number", \.int)
        guard number.map({ $0 > 0 && $0 < 1 << 31 }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be between 1 and 2³¹")
        }
        return number
    }
    /// The number of layers; more than any model has are refused before memory is set aside for them.
    public func layerCount(_ key: String) throws -> Int {
        let number = try count(key)
        guard number <= 10_000 else {
            throw ModelError.configuration(key: key, problem: "is \(number), more than any model has")
        }
        return number
    }
    /// A whole number such as a token id, or nil.
    public func optionalInteger(_ key: String) throws -> Int? { try value(key, "a whole number", \.int) }
    /// A number, or nil.
    public func optionalNumber(_ key: String) throws -> Double? { try value(key, "a number", \.double) }
    /// A number above 0, or nil.
    public func positiveNumber(_ key: String) throws -> Double? {
        let number = try optionalNumber(key)
        guard number.map({ $0 > 0 && $0.isFinite }) ?? true else {
            throw ModelError.configuration(key: key, problem: "must be a number above 0")
        }
        return number
    }
    /// True or false; `fallback` when absent.
    public func flag(_ key: String, or fallback: Bool) throws -> Bool {
        try value(key, "true or false", \.bool) ?? fallback
    }
    /// A string.
    public func string(_ key: String) throws -> String { try required(key, try optionalString(key)) }
    /// A string, or nil.
    public func optionalString(_ key: String) throws -> String? { try value(key, "a string", \.string) }
    /// An object inside this one, or nil.
    public func section(_ key: String) throws -> ConfigurationReader? {
        try value(key, "an object") { $0.members == nil ? nil : ConfigurationReader($0) }
    }
}
