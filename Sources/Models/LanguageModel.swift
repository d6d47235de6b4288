public import Formats
public import Foundation
import Tensor

/// A language model in a model folder: a decoder and, optionally, a value or reward head.
public struct LanguageModel {
    /// The decoder.
    public var decoder: any TransformerDecoder
    /// The value head; nil if the folder has none.
    public var head: ValueHead?
    /// The contents of config.json, so that unknown keys survive saving; nil for a newly created model.
    public var source: JSONValue?
    /// The contents of generation_config.json; nil if there was none.
    public var generation: JSONValue?
    /// Whether the output projection is randomly initialised because the folder has none. Such a model can be trained, but not
    /// sampled from.
    public var hasFreshProjection = false

    /// Creates a model from its parts.
    public init(decoder: any TransformerDecoder, head: ValueHead? = nil, source: JSONValue? = nil, generation: JSONValue? = nil) {
        self.decoder = decoder
        self.head = head
        self.source = source
        self.generation = generation
    }

    /// Loads a model folder, which contains config.json and weights in any format that ``WeightStore`` reads, or a GGUF file,
    /// whose metadata replace config.json.
    ///
    /// A sequence classifier with one label (`score.weight`) is loaded as a model with a head. A folder with an adapter
    /// (adapter_config.json), written by PEFT or ``save(to:tokens:as:keepingFrozen:tokenizer:shardLimit:extras:)``, is loaded as
    /// its base model with the adapter.
    /// - Parameters:
    ///   - folder: the model folder or GGUF file.
    ///   - base: the folder of an adapter's base model. Default: the one that adapter_config.json names.
    ///   - usesTanh: whether the head has a tanh before its normalisation. Default: as config.json says.
    ///   - families: the supported model families.
    ///   - keepsPacking: whether products in bf16 precision keep packed copies of the matrices that a GGUF file holds in Q8_0
    ///     blocks. If not, such a matrix takes no memory besides the file (34 bytes for 32 elements), but every product packs it
    ///     again, also at every step of decoding. If so, a copy of 2 bytes per element is made at the first product, and another
    ///     one at the first gradient that passes through the matrix; products are faster, and the file is rarely read again.
    ///     Results have the same bits. It has no effect in f32 precision, on other formats, whose copies are always kept, and on
    ///     matrices that are trained, which become floats at the first update. Default: false, for the least memory.
    ///   - note: receives one line for everything that the user should know, such as a randomly initialised projection.
    /// - Throws: `CheckpointError` or ``ModelError``.
    public static func load(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn,
        keepsPacking: Bool = false, note: (String) -> Void = { _ in }
    ) throws -> LanguageModel {
        let model = try load(
            folder, base: base, projects: true, usesTanh: usesTanh, families: families, keepsPacking: keepsPacking, note: note)
        guard model.decoder.isCausal else {
            throw ModelError.inFile(
                folder.path + "/" + ModelFolder.configurationName,
                .unsupported("bidirectional attention (use_bidirectional_attention) in a language model"))
        }
        return model
    }

    /// Loads a decoder of which only the hidden states are needed, and opens its folder. It may be bidirectional, if its
    /// configuration says so. A missing output projection is not initialised, and a value head is not read.
    static func loadStates(_ folder: URL, families: [ModelFamily]) throws -> (
        decoder: any TransformerDecoder, contents: ModelFolder.Contents
    ) {
        let contents = try ModelFolder(folder).contents()
        let decoder = try decoder(contents, projects: false, families: families, keepsPacking: false).decoder
        return (decoder, contents)
    }

    /// Builds the decoder of a folder.
    private static func decoder(
        _ contents: ModelFolder.Contents, projects: Bool, families: [ModelFamily], keepsPacking: Bool
    ) throws -> (decoder: any TransformerDecoder, configuration: JSONValue, weights: StoredWeights) {
        let configuration = try ModelError.naming(file: contents.file) { try families.decoderConfiguration(of: contents.configuration) }
        let weights = StoredWeights(contents.weights, projects: projects, keepsPacking: keepsPacking)
        let bare = try ModelError.naming(file: contents.file) {
            try families.build(ConfigurationReader(configuration), weights: weights)
        }
        try weights.checkSurplus(isTied: bare.isTied)
        let decoder = try contents.adapter.map { try $0.folder.adapted(bare, base: $0.base) } ?? bare
        return (decoder, configuration, weights)
    }

    private static func load(
        _ folder: URL, base: URL?, projects: Bool, usesTanh: Bool?, families: [ModelFamily], keepsPacking: Bool, note: (String) -> Void
    ) throws -> LanguageModel {
        let contents = try ModelFolder(folder).contents(base: base)
        let store = contents.weights
        let (decoder, configuration, weights) = try decoder(contents, projects: projects, families: families, keepsPacking: keepsPacking)
        try checkEnds(of: configuration, file: contents.file)
        try checkEnds(
            of: contents.generation,
            file: (contents.adapter == nil ? contents.file : nil) ?? ModelFolder(folder).generationConfigurationPath)
        if let first = weights.unread.first {
            note("\(folder.path) has TRL's value head (\(first)), which is ignored and will not be saved")
        }
        if let first = weights.otherParts.first {
            note("\(folder.path) has weights for inputs other than text (\(first), …); they are ignored and will not be saved")
        }
        if weights.madeProjection {
            note(
                "\(folder.path) has no lm_head.weight: THE OUTPUT PROJECTION IS FRESH (random); train it before sampling from it"
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

    /// Loads a reward model from a folder, which must contain a trained head. A missing output projection is not initialised. See
    /// ``load(_:base:usesTanh:families:keepsPacking:note:)`` for the parameters.
    /// - Throws: ``ModelError/freshHead(folder:)`` if there is no head; `CheckpointError` or ``ModelError`` for other faults.
    public static func loadRewardModel(
        _ folder: URL, base: URL? = nil, usesTanh: Bool? = nil, families: [ModelFamily] = ModelFamily.builtIn
    ) throws -> RewardModel {
        let model = try load(folder, base: base, projects: false, usesTanh: usesTanh, families: families, keepsPacking: false) { _ in }
        guard let head = model.head else { throw ModelError.freshHead(folder: folder.path) }
        guard model.decoder.isCausal else { throw ModelError.noClassifier("the model in \(folder.path) has bidirectional attention") }
        try head.checkNormalisation(folder)
        return RewardModel(model.decoder, head: head)
    }
}

extension TransformerDecoder {
    /// Checks that every ID of a tokenizer has a row in the embedding. The reverse is not required: unused rows are common (OPT
    /// has 50272 rows for 50265 tokens) and are never sampled.
    /// - Parameters:
    ///   - count: the number of IDs of the tokenizer.
    ///   - folder: the folder that the error names.
    /// - Throws: ``ModelError/tooManyTokens(folder:tokens:rows:)``.
    public func checkTokens(_ count: Int, folder: URL) throws {
        guard count <= shape.vocabularySize else {
            throw ModelError.tooManyTokens(folder: folder.path, tokens: count, rows: shape.vocabularySize)
        }
    }
}

extension ValueHead {
    /// Rejects a normalisation that would turn scores into rounding noise: one whose standard deviation is that of equal scores
    /// (formerly stored as 1e-6), or one that is negligible compared to the shift.
    fileprivate func checkNormalisation(_ folder: URL) throws {
        let (shift, deviation) = (normalisation.value.item, normalisationStd.value.item)
        guard deviation <= 1e-6 || abs(shift) > deviation * 0x1p20 else { return }
        throw CheckpointError.badTensor(
            file: folder.path, name: Self.names[3],
            reason: "is \(deviation), with a shift of \(shift): all scores were equal when it was computed, so normalised scores "
                + "are rounding noise; use the model without normalisation (final instead of final-normalised), or train it again")
    }

    /// Reads the head of a checkpoint: `v_head.*`, or the `score.weight` of a sequence classifier with one label. Returns nil if
    /// there is neither.
    ///
    /// - Throws: `CheckpointError` for weights that are missing, have another shape or are not finite.
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
                    reason: "is \(deviation); it must be above 0, because scores are divided by it")
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
