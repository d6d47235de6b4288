public import Formats
public import Foundation
import Tensor

/// The IDs of a model's special tokens.
public struct SpecialTokens: Sendable, Equatable {
    /// The beginning-of-sequence token.
    public var begin: Int32?
    /// The end-of-sequence token, which also ends a generated response.
    public var end: Int32?
    /// The padding token.
    public var padding: Int32?

    /// The key of the end-of-sequence token.
    static var endKey: String { "eos_token_id" }

    /// Creates the IDs; nil for tokens that do not exist.
    public init(begin: Int32? = nil, end: Int32? = nil, padding: Int32? = nil) {
        self.begin = begin
        self.end = end
        self.padding = padding
    }

    fileprivate var members: [(key: String, id: Int32)] {
        [("bos_token_id", begin), (Self.endKey, end), ("pad_token_id", padding)].compactMap { key, id in
            id.map { (key, $0) }
        }
    }
}

extension LanguageModel {
    /// Writes a model folder that Transformers can load. The four tensors of a value head, if there is one, are stored with the
    /// model's. For a model with an adapter, only the adapter is written, in the format of PEFT; ``merged()`` returns a complete
    /// model.
    ///
    /// - Parameters:
    ///   - folder: the folder to create.
    ///   - tokens: the IDs of special tokens for config.json and generation_config.json.
    ///   - elementType: the format of the weights: F32, BF16 or F16. The head is always F32.
    ///   - keepingFrozen: whether frozen matrices, and trained ones that ``MasterWeights`` holds, that are stored in a narrower type
    ///     than 32-bit floats keep this type, which is exact. A checkpoint from which training resumes has them so, and needs no more memory than the model that training began
    ///     with. config.json keeps the type of the weights if the model's computation depends on it (Gemma).
    ///   - tokenizer: a folder whose tokenizer files are copied.
    ///   - shardLimit: the maximum number of bytes of tensors in one file.
    ///   - extras: called with the temporary folder before it is moved into place, to add more files.
    /// - Throws: `CheckpointError`, or any error of `extras`.
    public func save(
        to folder: URL, tokens: SpecialTokens = SpecialTokens(), as elementType: ElementType = .float32,
        keepingFrozen: Bool = false, tokenizer: ModelFolder? = nil, shardLimit: Int = 5_000_000_000, extras: (URL) throws -> Void = { _ in }
    ) throws {
        if let adapter = decoder.adapter {
            return try saveAdapter(adapter, to: folder, tokens: tokens, as: elementType, tokenizer: tokenizer, extras: extras)
        }
        let head = (head?.parameters ?? []).map { WritableTensor($0) }
        try ModelFolder.save(
            to: folder, configuration: savedConfiguration(tokens, elementType, keepingFrozen: keepingFrozen),
            generationConfiguration: savedGeneration(tokens),
            tensors: Self.tensors(decoder, decoder.parameters, as: elementType, keepingFrozen: keepingFrozen) + head,
            tokenizer: tokenizer,
            writer: SafetensorsWriter(shardLimit: shardLimit), extras: extras)
    }

    /// Writes the decoder and its value head as a sequence classifier with one label, whose logit is the score at the text's last
    /// token. An adapter is merged.
    ///
    /// Transformers' classifiers have a weight but no bias. Their scores therefore lack the constant `(bias + normalisation) /
    /// normalisation_std` of the head, which does not affect comparisons. It is stored in config.json as `score_offset`, and
    /// ``load(_:base:usesTanh:families:keepsPacking:note:)`` adds it.
    /// - Parameters:
    ///   - folder: the folder to create.
    ///   - tokens: the IDs of special tokens. Transformers needs a padding token other than the end-of-sequence token to find the
    ///     last token of padded texts.
    ///   - elementType: the format of the weights: F32, BF16 or F16.
    ///   - tokenizer: a folder whose tokenizer files are copied.
    ///   - shardLimit: the maximum number of bytes of tensors in one file.
    ///   - note: receives one line for every difference between the classifier and the model.
    ///   - extras: called with the temporary folder before it is moved into place, to add more files.
    /// - Throws: ``ModelError/noClassifier(_:)`` for a head with a tanh or a family without a classifier, ``ModelError/noHead``
    ///   without a trained head, or `CheckpointError`.
    public func saveClassifier(
        to folder: URL, tokens: SpecialTokens = SpecialTokens(), as elementType: ElementType = .float32,
        tokenizer: ModelFolder? = nil, shardLimit: Int = 5_000_000_000, note: (String) -> Void = { _ in },
        extras: (URL) throws -> Void = { _ in }
    ) throws {
        if decoder.adapter != nil {
            return try merged().saveClassifier(
                to: folder, tokens: tokens, as: elementType, tokenizer: tokenizer, shardLimit: shardLimit, note: note, extras: extras)
        }
        guard let head, !head.isFresh else { throw ModelError.noHead }
        guard !head.usesTanh else {
            throw ModelError.noClassifier("a head with a tanh cannot be saved as a sequence classifier")
        }
        var configuration = savedConfiguration(tokens, elementType)
        guard let architecture = decoder.classifierArchitecture else {
            throw ModelError.noClassifier("Transformers has no sequence classifier for this family")
        }
        configuration["architectures"] = [.string(architecture)]
        configuration["id2label"] = ["0": "LABEL_0"]
        configuration["label2id"] = ["LABEL_0": JSONValue(0)]
        let (shift, deviation) = (head.normalisation.value.item, head.normalisationStd.value.item)
        let offset = (head.bias.value.item + shift) / deviation
        if offset != 0 {
            configuration[ValueHead.classifierOffsetKey] = JSONValue(Double(offset))
            note("the saved classifier has no bias, so its scores are lower by \(offset); comparisons are not affected")
        }
        let padding = configuration["pad_token_id"]
        if padding?.int == nil {
            note("there is no pad_token_id; in Transformers, score one text at a time or set pad_token_id")
        } else if let padding, let end = configuration["eos_token_id"], (end.array ?? [end]).contains(padding) {
            note(
                "pad_token_id is the end-of-sequence token, so Transformers reads the score before a text's last token; set another one"
            )
        }
        let score = head.weight.value.scaled(by: 1 / deviation)
        let parameters = decoder.parameters.filter { $0 !== decoder.projectionBias && (decoder.isTied || $0 !== decoder.projection) }
        try ModelFolder.save(
            to: folder, configuration: configuration,
            tensors: Self.tensors(decoder, parameters, as: elementType)
                + [WritableTensor(ValueHead.classifierName, score, as: elementType)],
            tokenizer: tokenizer, writer: SafetensorsWriter(shardLimit: shardLimit), extras: extras)
    }

    /// The bytes of the tensors that `save` writes.
    /// - Parameters:
    ///   - elementType: the format of the weights.
    ///   - keepingFrozen: whether frozen matrices keep the type in which they are stored.
    ///   - merging: whether an adapter is merged first, so that the whole model is written.
    package func savedBytes(as elementType: ElementType, keepingFrozen: Bool = false, merging: Bool = false) -> Int {
        let adapted = decoder.adapter?.parameters ?? []
        let head = (head?.parameters ?? []).reduce(0) { $0 + 4 * $1.value.count }
        guard adapted.isEmpty || merging else { return head + adapted.reduce(0) { $0 + elementType.width * $1.value.count } }
        let others = Set(adapted.map(ObjectIdentifier.init))
        return decoder.parameters.filter { !others.contains(ObjectIdentifier($0)) }.reduce(head) {
            $0 + Self.type(of: $1, as: elementType, keepingFrozen: keepingFrozen).width * $1.value.count
        }
    }

    // MARK: Parts

    /// The weights in the layout of checkpoints. Matrices that are stored transposed are transposed only when they are written.
    private static func tensors(
        _ decoder: any TransformerDecoder, _ parameters: [Parameter], as elementType: ElementType, keepingFrozen: Bool = false
    ) -> [WritableTensor] {
        parameters.map { parameter in
            let value = parameter.value.unrounded
            let type = type(of: parameter, as: elementType, keepingFrozen: keepingFrozen)
            guard decoder.isStoredTransposed(parameter) else { return WritableTensor(parameter, as: type) }
            return WritableTensor(parameter.name, shape: value.shape.dimensions.reversed(), as: type) { body in
                try value.transposed().withUnsafeBufferPointer(body)
            }
        }
    }

    /// The type in which a weight is stored; see `save` for the parameters.
    private static func type(of parameter: Parameter, as elementType: ElementType, keepingFrozen: Bool) -> ElementType {
        let keeps = keepingFrozen && (!parameter.isTrainable || parameter.masterFormat != .f32)
        let stored = keeps ? parameter.value.unrounded.storage.narrow?.format.elementType : nil
        return stored ?? elementType
    }

    func savedConfiguration(_ tokens: SpecialTokens, _ elementType: ElementType, keepingFrozen: Bool = false) -> JSONValue {
        let own = decoder.configuration()
        var configuration = source ?? own
        for member in own.members ?? [] { configuration[member.key] = member.value }
        // the decoder's own configuration has a type only if its computation depends on it
        if !keepingFrozen || own["dtype"]?.string == nil && own["torch_dtype"]?.string == nil {
            let type = elementType == .float32 ? "float32" : elementType == .bfloat16 ? "bfloat16" : "float16"
            // Transformers 5 renamed the key; both are read, but only one should be present
            configuration[configuration["dtype"] == nil ? "torch_dtype" : "dtype"] = .string(type)
        }
        // a head that was trained with a tanh needs it
        if let head { configuration[ValueHead.activationKey] = head.usesTanh ? .bool(true) : nil }
        set(tokens, in: &configuration)
        return configuration
    }

    func savedGeneration(_ tokens: SpecialTokens) -> JSONValue {
        var generation = generation ?? Self.emptyGeneration
        // the file takes precedence over config.json from now on, so it has to name the tokens that have ended responses so far
        if Self.endTokens(of: generation, vocabularySize: decoder.shape.vocabularySize).isEmpty {
            let ends = endTokens
            let values = ends.map { JSONValue(Int($0)) }
            if let first = values.first { generation[SpecialTokens.endKey] = values.count == 1 ? first : .array(values) }
        }
        set(tokens, in: &generation)
        return generation
    }

    /// The initial contents of a generation_config.json.
    static let emptyGeneration: JSONValue = ["transformers_version": "4.40.0"]

    /// Sets the token IDs. End-of-sequence tokens that the file already names are kept, because responses end with them.
    private func set(_ tokens: SpecialTokens, in object: inout JSONValue) {
        for (key, id) in tokens.members {
            if key == SpecialTokens.endKey, !Self.endTokens(of: object, vocabularySize: decoder.shape.vocabularySize).isEmpty { continue }
            object[key] = JSONValue(Int(id))
        }
    }
}
