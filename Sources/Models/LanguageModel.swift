public import Formats
public import Foundation
import Tensor

/// A decoder as a model folder holds it: weights, and the value or reward head when there is one.
public struct LanguageModel {
    /// The decoder.
    public var decoder: any TransformerDecoder
    /// The head; nil when the folder has none.
    public var head: ValueHead?
    /// config.json as it was read, so that keys that we do not know survive; nil for a model made here.
    public var source: JSONValue?
    /// generation_config.json as it was read; nil when there was none.
    public var generation: JSONValue?
    /// Whether the output projection is random because the folder held none: such a model can be trained, not asked.
    public var hasFreshProjection = false

    /// A model from its parts.
    public init(decoder: any TransformerDecoder, head: ValueHead? = nil, source: JSONValue? = nil, generation: JSONValue? = nil) {
        self.decoder = decoder
        self.head = head
        self.source = source
        self.generation = generation
    }

    /// Loads a model folder: config.json and the weights in any layout that ``WeightStore`` reads. Or a GGUF file, whose metadata stand for
    /// config.json.
    ///
    /// A sequence classifier with one label (`score.weight`) is read as a model with a head. A folder with an adapter that PEFT or
    /// ``save(to:tokens:as:tokenizer:shardLimit:extras:)`` wrote (adapter_config.json) is read as its base model with the adapter.
    /// - Parameters:
    ///   - base: where the base model of an adapter is; nil where adapter_config.json is to say so.
    ///   - usesTanh: whether the head, if there is one, has a tanh before its normalisation; nil where config.json is to say so.
    ///   - families: what the folder may hold.
    ///   - note: receives one line for everything that a user should know, such as a fresh projection.
    /// - Throws: ``CheckpointError`` or ``ModelError``.
    public static func load(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn,
        note: (String) -> Void = { _ in }
    ) throws -> LanguageModel {
        let model = try load(folder, base: base, projects: true, usesTanh: usesTanh, families: families, note: note)
        guard model.decoder.isCausal else {
            throw ModelError.inFile(
                folder.path + "/" + ModelFolder.configurationName,
                .unsupported("attention in both directions (use_bidirectional_attention) in a language model"))
        }
        return model
    }

    /// Loads a decoder whose states alone are wanted, in both directions where its configuration says so, and opens its folder. An output projection
    /// that is missing is not made, and a head is not read.
    static func loadStates(_ folder: URL, families: [ModelFamily]) throws -> (
        decoder: any TransformerDecoder, contents: ModelFolder.Contents
    ) {
        let contents = try ModelFolder(folder).contents()
        let decoder = try decoder(contents, projects: false, families: families).decoder
        return (decoder, contents)
    }

    /// Builds the decoder of a folder.
    private static func decoder(
        _ contents: ModelFolder.Contents, projects: Bool, families: [ModelFamily]
    ) throws -> (decoder: any TransformerDecoder, configuration: JSONValue, weights: StoredWeights) {
        let configuration = try ModelError.naming(file: contents.file) { try families.decoderConfiguration(of: contents.configuration) }
        let weights = StoredWeights(contents.weights, projects: projects)
        let bare = try ModelError.naming(file: contents.file) {
            try families.build(ConfigurationReader(configuration), weights: weights)
        }
        try weights.checkSurplus(isTied: bare.isTied)
        let decoder = try contents.adapter.map { try $0.folder.adapted(bare, base: $0.base) } ?? bare
        return (decoder, configuration, weights)
    }

    private static func load(
        _ folder: URL, base: URL?, projects: Bool, usesTanh: Bool?, families: [ModelFamily], note: (String) -> Void
    ) throws -> LanguageModel {
        let contents = try ModelFolder(folder).contents(base: base)
        let store = contents.weights
        let (decoder, configuration, weights) = try decoder(contents, projects: projects, families: families)
        try checkEnds(of: configuration, file: contents.file)
        try checkEnds(
            of: contents.generation,
            file: (contents.adapter == nil ? contents.file : nil) ?? ModelFolder(folder).generationConfigurationPath)
        if let first = weights.unread.first {
            note("\(folder.path) holds TRL's value head (\(first)), which is not read and will not be saved")
        }
        if let first = weights.otherParts.first {
            note("\(folder.path) holds parts that read other things than text (\(first), …); they are not read and will not be saved")
        }
        if weights.madeProjection {
            note(
                "\(folder.path) holds no lm_head.weight: THE OUTPUT PROJECTION IS FRESH (random); train it before sampling from it"
            )
        }
        let width = decoder.shape.headWidth
        var model = LanguageModel(
            decoder: decoder,
            head: try contents.adapter?.folder.head(width: width, usesTanh: usesTanh)
                ?? ValueHead(reading: store, width: width, configuration: ConfigurationReader(configuration), usesTanh: usesTanh),
            source: configuration, generation: contents.generation)
        model.hasFreshProjection = weights.madeProjection
        return model
    }

    /// Loads a folder that must hold a trained head. An output projection that it lacks is not made.
    /// - Throws: ``ModelError/freshHead(folder:)`` when it holds none; see ``load(_:base:usesTanh:families:note:)``.
    public static func loadRewardModel(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn
    ) throws -> RewardModel {
        let model = try load(folder, base: base, projects: false, usesTanh: usesTanh, families: families) { _ in }
        guard let head = model.head else { throw ModelError.freshHead(folder: folder.path) }
        guard model.decoder.isCausal else { throw ModelError.noClassifier("\(folder.path) holds a model that sees in both directions") }
        try head.checkNormalisation(folder)
        return RewardModel(model.decoder, head: head)
    }
}

extension TransformerDecoder {
    /// Checks that every id of a tokenizer has a row among the embeddings. Rows without an id are common (OPT has 50272 rows for 50265
    /// tokens) and are never sampled.
    /// - Parameter folder: what the error names.
    /// - Throws: ``ModelError/tooManyTokens(folder:tokens:rows:)``.
    public func checkTokens(_ count: Int, folder: URL) throws {
        guard count <= shape.vocabularySize else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: count, rows: shape.vocabularySize)
        }
    }
}

extension ValueHead {
    /// Refuses a normalisation that makes noise of scores: by the deviation of equal scores, which was once written as 1e-6, or by one that
    /// is lost in the shift.
    fileprivate func checkNormalisation(_ folder: URL) throws {
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        guard deviation <= 1e-6 || abs(shift) > deviation * 0x1p20 else { return }
        throw CheckpointError.badTensor(
            file: folder.path, name: Self.names[3],
            reason: "is \(deviation), with a shift of \(shift): the scores that it was made from were all equal, and what is divided by it "
                + "is rounding noise; use the model without a normalisation (final in place of final-normalised), or train it again")
    }

    /// The head of a checkpoint: `v_head.*`, or the `score.weight` of a sequence classifier with one label; nil when it has neither.
    ///
    /// - Throws: ``CheckpointError`` for weights that are missing, of another shape or not finite.
    convenience init?(reading store: WeightStore, width: Int, configuration: ConfigurationReader, usesTanh: Bool?) throws {
        func number(_ name: String) throws -> Float {
            let tensor = try store.tensor(name)
            guard tensor.count == 1 else {
                throw CheckpointError.wrongShape(name: name, got: tensor.shape, expected: [1])
            }
            return try tensor.floats()[0]
        }
        if store.contains(Self.names[0]) {
            let usesTanh = try usesTanh ?? configuration.flag(Self.activationKey, or: false)
            let deviation = store.contains(Self.names[3]) ? try number(Self.names[3]) : 1
            guard deviation > 0 else {
                throw CheckpointError.badTensor(
                    file: store.path, name: Self.names[3],
                    reason: "is \(deviation); scores are divided by it, it must be above 0")
            }
            self.init(
                weight: try store.tensor(Self.names[0], shape: [1, width]).tensor(), bias: try number(Self.names[1]),
                normalisation: store.contains(Self.names[2]) ? try number(Self.names[2]) : 0,
                normalisationStd: deviation,
                usesTanh: usesTanh)
        } else if store.contains(Self.classifierName) {
            let offset = try configuration.optionalNumber(Self.classifierOffsetKey) ?? 0
            guard Float(offset).isFinite else {
                throw ModelError.configuration(key: Self.classifierOffsetKey, problem: "is not a finite number")
            }
            self.init(
                weight: try store.tensor(Self.classifierName, shape: [1, width]).tensor(), bias: Float(offset),
                usesTanh: usesTanh ?? false)
        } else {
            return nil
        }
    }
}
