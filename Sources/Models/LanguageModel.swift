public import Foundation
import Tensor

/// A decoder as a model folder holds it: weights, and the value or reward head when there is one.
public struct LanguageModel {
    /// The decoder.
    public var decoder: any Decoder
    /// The head; nil when the folder has none.
    public var head: ValueHead?
    /// config.json as it was read, so that keys that we do not know survive; nil for a model made here.
    public var source: JSONValue?

    /// A model from its parts.
    public init(decoder: any Decoder, head: ValueHead? = nil, source: JSONValue? = nil) {
        self.decoder = decoder
        self.head = head
        self.source = source
    }

    /// Loads a model folder: config.json and the weights in any layout that ``WeightStore`` reads.
    ///
    /// - Parameters:
    ///   - usesTanh: whether the head, if there is one, has a tanh before its normalisation.
    ///   - note: receives one line for everything that a user should know, such as a fresh projection.
    /// - Throws: ``CheckpointError`` or ``ModelError``.
    public static func load(_ folder: URL, usesTanh: Bool = false, note: (String) -> Void = { _ in }) throws -> LanguageModel {
        let modelFolder = ModelFolder(folder)
        let configuration = try modelFolder.configuration()
        let store = try modelFolder.weights()
        let weights = StoredWeights(store)
        let decoder = try Families.build(ConfigurationReader(configuration), weights: weights)
        if weights.madeProjection { note("\(folder.path) holds no lm_head.weight; the output projection is fresh") }
        var head: ValueHead?
        if store.contains(ValueHead.names[0]) {
            let width = decoder.shape.headWidth
            func number(_ name: String, or fallback: Float) throws -> Float {
                store.contains(name) ? try store.floats(of: name).first ?? fallback : fallback
            }
            head = ValueHead(
                weight: Tensor(try store.floats(of: ValueHead.names[0], shape: [1, width]), shape: [1, width]),
                bias: try number(ValueHead.names[1], or: 0), normalisation: try number(ValueHead.names[2], or: 0),
                normalisationStd: try number(ValueHead.names[3], or: 1), usesTanh: usesTanh)
        }
        return LanguageModel(decoder: decoder, head: head, source: configuration)
    }

    /// Loads a folder that must hold a trained head.
    /// - Throws: ``ModelError/freshHead(folder:)`` when it holds none; see ``load(_:usesTanh:note:)``.
    public static func loadRewardModel(_ folder: URL, usesTanh: Bool = false) throws -> RewardModel {
        let model = try load(folder, usesTanh: usesTanh)
        guard let head = model.head else { throw ModelError.freshHead(folder: folder.path) }
        return RewardModel(model.decoder, head: head)
    }

    /// Writes a model folder that Transformers can load.
    ///
    /// - Parameters:
    ///   - tokens: ids of the special tokens for config.json and generation_config.json.
    ///   - extras: called with the folder before it gets its name, to add the tokenizer's files.
    public func save(
        to folder: URL, tokens: SpecialTokens = SpecialTokens(), as elementType: ElementType = .float32,
        extras: (URL) throws -> Void = { _ in }
    ) throws {
        var configuration = source ?? decoder.configuration()
        for member in decoder.configuration().members ?? [] { configuration[member.key] = member.value }
        configuration["torch_dtype"] = .string(elementType == .float32 ? "float32" : elementType == .bfloat16 ? "bfloat16" : "float16")
        var generation: JSONValue = ["transformers_version": "4.40.0"]
        for (key, id) in [
            ("bos_token_id", tokens.begin), ("eos_token_id", tokens.end), ("pad_token_id", tokens.padding),
        ] {
            guard let id else { continue }
            configuration[key] = JSONValue(Int(id))
            generation[key] = JSONValue(Int(id))
        }
        let parameters = decoder.parameters + (head?.parameters ?? [])
        let tensors = parameters.map { parameter in
            WritableTensor(
                parameter.name, shape: parameter.value.shape.dimensions,
                as: ValueHead.names.contains(parameter.name) ? .float32 : elementType
            ) { body in try parameter.value.withUnsafeBufferPointer(body) }
        }
        try ModelFolder.save(
            to: folder, configuration: configuration, generationConfiguration: generation, tensors: tensors, extras: extras)
    }
}

/// The ids of a model's special tokens.
public struct SpecialTokens: Sendable, Equatable {
    public var begin: Int32?
    public var end: Int32?
    public var padding: Int32?

    /// Ids; nil for what there is not.
    public init(begin: Int32? = nil, end: Int32? = nil, padding: Int32? = nil) {
        self.begin = begin
        self.end = end
        self.padding = padding
    }
}

/// Weights from a checkpoint. A missing projection is made afresh, because reward models are saved without one.
private final class StoredWeights: WeightSource {
    private let store: WeightStore
    private(set) var madeProjection = false

    init(_ store: WeightStore) { self.store = store }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight) throws -> Parameter {
        if name == "lm_head.weight", !store.contains(name) {
            madeProjection = true
            return RandomWeights(generator: Philox(seed: 0)).parameter(name, shape, fresh: fresh)
        }
        let tensor = try store.tensor(name, shape: shape.dimensions)
        var failure: (any Error)?
        let value = Tensor.uninitialized(shape) { out in
            do {
                try tensor.copyFloats(to: UnsafeMutableBufferPointer(start: out, count: shape.count))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return Parameter(name, value)
    }
}
