public import Foundation
public import Tensor

/// An encoder with a classification head on its pooled states, such as for natural language inference, sentiment or rewards.
///
/// It loads checkpoints of the `…ForSequenceClassification` classes of Transformers (``EncoderFamily/head``). `@unchecked
/// Sendable`: the weights are only written when the classifier is created.
public struct SequenceClassifier: @unchecked Sendable {
    /// The encoder of the tokens.
    public let encoder: any Encoder
    /// The names of the labels, in the order of the logits (`id2label` in config.json).
    public let labels: [String]
    /// Whether labels are independent of each other (multi-label classification by `problem_type`, or a single label), so that
    /// each has its own probability.
    public let isMultiLabel: Bool
    private let head: ClassifierHead
    /// The padding token, which a decoder's classifier skips at the end of a text.
    private let padding: Int32?

    /// Loads a classifier from a Hugging Face folder.
    /// - Parameters:
    ///   - folder: the folder.
    ///   - families: the supported encoders.
    ///   - decoders: the supported decoders, whose classifier reads the last token.
    /// - Throws: `CheckpointError` or ``ModelError``.
    public static func load(
        _ folder: URL, families: [EncoderFamily] = EncoderFamily.builtIn, decoders: [ModelFamily] = ModelFamily.builtIn
    ) throws -> SequenceClassifier {
        try EncoderFolder.isDecoder(folder, families: families, decoders: decoders)
            ? SequenceClassifier(decoder: folder, decoders) : SequenceClassifier(EncoderFolder(folder, families: families))
    }

    private init(_ folder: EncoderFolder) throws {
        encoder = try folder.encoder()
        (labels, isMultiLabel, head) = try folder.naming { file in
            let labels = try Self.labels(reading: file)
            let head = try folder.family.head(file, WeightScope(folder.weights), labels.count)
            return (labels, try Self.isMultiLabel(file, labels), head)
        }
        padding = nil
        try folder.weights.checkSurplus()
    }

    private init(decoder folder: URL, _ families: [ModelFamily]) throws {
        let (decoder, contents) = try LanguageModel.loadStates(folder, families: families)
        let file = ConfigurationReader(contents.configuration)
        encoder = DecoderEncoder(decoder)
        (labels, isMultiLabel, padding) = try ModelError.naming(folder.path) {
            let labels = try Self.labels(reading: file)
            return (labels, try Self.isMultiLabel(file, labels), try file.optionalInteger("pad_token_id").flatMap { Int32(exactly: $0) })
        }
        let weight = try contents.weights.parameter(
            "score.weight", [labels.count, decoder.shape.headWidth], transposed: false, storedAs: "score.weight")
        head = ClassifierHead(pooling: .last, [.dense(Projection(weight: weight), then: nil)])
    }

    private static func isMultiLabel(_ file: ConfigurationReader, _ labels: [String]) throws -> Bool {
        try file.optionalString("problem_type") == "multi_label_classification" || labels.count == 1
    }

    /// The labels from `id2label`, otherwise `num_labels` numbered labels, two by default.
    private static func labels(reading file: ConfigurationReader) throws -> [String] {
        guard let members = try file.section("id2label")?.object.members, !members.isEmpty else {
            let count = try file.optionalCount("num_labels") ?? 2
            guard count <= 100_000 else {
                throw ModelError.configuration(key: "num_labels", problem: "is \(count); at most 100000 is supported")
            }
            return (0..<count).map { "LABEL_\($0)" }
        }
        var labels = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.key), labels.indices.contains(index), let label = member.value.string else {
                throw ModelError.configuration(key: "id2label", problem: "must number its labels from 0")
            }
            labels[index] = label
        }
        return labels.compactMap { $0 }
    }

    /// The index of a label, ignoring case.
    /// - Throws: ``EncoderError/noLabel(_:known:)`` if there is no such label.
    public func index(ofLabel name: String) throws -> Int {
        guard let index = labels.firstIndex(where: { $0.lowercased() == name.lowercased() }) else {
            throw EncoderError.noLabel(name, known: labels)
        }
        return index
    }

    /// Computes the logits of inputs, in their order: [N, labels].
    /// - Throws: ``EncoderError`` for an input that the encoder does not support.
    public func logits(of inputs: [EncoderInput]) throws -> Tensor {
        let hidden = encoder.shape.hiddenSize
        // rows are filled by several threads
        let pooled = Tensor.uninitialized([inputs.count, hidden]) { _ in }
        let out = pooled.mutablePointer
        try encoder.forEach(inputs) { index, states, rows in
            let counted = padding.flatMap { padding in inputs[index].ids.lastIndex { $0 != padding }.map { $0 + 1 } } ?? rows.count
            head.pooling.apply(states.pointer + rows.lowerBound * hidden, rows: counted, width: hidden, into: out + index * hidden)
        }
        return head(pooled)
    }

    /// Computes the probabilities of the labels for each input, in the order of ``labels``: the softmax of the logits, or the
    /// sigmoid of each logit if ``isMultiLabel``.
    /// - Throws: ``EncoderError`` for an input that the encoder does not support.
    public func probabilities(of inputs: [EncoderInput]) throws -> [[Double]] {
        let logits = try logits(of: inputs).values.map(Double.init)
        return inputs.indices.map { row in
            let logits = logits[row * labels.count..<(row + 1) * labels.count]
            if isMultiLabel { return logits.map { 1 / (1 + exp(-$0)) } }
            let peak = logits.max() ?? 0
            let powers = logits.map { exp($0 - peak) }
            let sum = powers.reduce(0, +)
            return powers.map { $0 / sum }
        }
    }
}
