public import Foundation
public import Tensor

/// An encoder with a classifier on the first token: natural language inference, sentiment.
///
/// Reads what Transformers' `BertForSequenceClassification` (pooler with tanh, then a matrix) and
/// `RobertaForSequenceClassification` (a matrix with tanh, then another) write. Unchecked: the weights are written when the
/// classifier is made and read from then on.
public struct SequenceClassifier: @unchecked Sendable {
    /// What reads the tokens.
    public let encoder: BERT
    /// The labels in the order of the logits, as `id2label` of config.json names them.
    public let labels: [String]
    /// Whether each label is true or false by itself (`problem_type`, or a single label), instead of one of them.
    public let isMultiLabel: Bool
    private let inner: Projection
    private let outer: Projection

    /// Loads a Hugging Face folder.
    /// - Throws: ``CheckpointError`` or ``ModelError``.
    public static func load(_ folder: URL) throws -> SequenceClassifier { try SequenceClassifier(folder) }

    private init(_ url: URL) throws {
        let folder = ModelFolder(url)
        let file = ConfigurationReader(try folder.configuration())
        let settings = try BERTConfiguration(reading: file)
        let weights = EncoderWeights(try folder.weights(), family: settings.family)
        encoder = try BERT(settings, weights: weights)
        labels = try Self.labels(reading: file)
        isMultiLabel = try file.optionalString("problem_type") == "multi_label_classification" || labels.count == 1
        let (inner, outer) =
            switch settings.family {
            case .bert: ("pooler.dense", "classifier")
            case .roberta: ("classifier.dense", "classifier.out_proj")
            }
        let hidden = settings.hiddenSize
        self.inner = try Projection(weights, inner, outputs: hidden, inputs: hidden, bias: true)
        self.outer = try Projection(weights, outer, outputs: labels.count, inputs: hidden, bias: true)
        try weights.checkSurplus()
    }

    /// `id2label`, else as many numbered labels as `num_labels` says, else two.
    private static func labels(reading file: ConfigurationReader) throws -> [String] {
        guard let members = try file.section("id2label")?.object.members, !members.isEmpty else {
            let count = try file.optionalCount("num_labels") ?? 2
            guard count <= 100_000 else {
                throw ModelError.configuration(key: "num_labels", problem: "is \(count), more than any classifier has")
            }
            return (0..<count).map { "LABEL_\($0)" }
        }
        var labels = [String?](repeating: nil, count: members.count)
        for member in members {
            guard let index = Int(member.key), labels.indices.contains(index), let label = member.value.string else {
                throw ModelError.configuration(key: "id2label", problem: "does not number its labels from 0")
            }
            labels[index] = label
        }
        return labels.compactMap { $0 }
    }

    /// The place of a label, whatever its case.
    /// - Throws: ``EncoderError/noLabel(_:known:)``.
    public func index(ofLabel name: String) throws -> Int {
        guard let index = labels.firstIndex(where: { $0.lowercased() == name.lowercased() }) else {
            throw EncoderError.noLabel(name, known: labels)
        }
        return index
    }

    /// The logits of inputs, [N, labels], in their order.
    /// - Throws: ``EncoderError`` for an input that the encoder cannot read.
    public func logits(of inputs: [EncoderInput]) throws -> Tensor {
        let hidden = encoder.settings.hiddenSize
        // filled by rows from several threads
        let first = Tensor.uninitialized([inputs.count, hidden]) { _ in }
        let out = first.mutablePointer
        try encoder.forEach(inputs) { index, states, rows in
            Pooling.cls.apply(
                states.pointer + rows.lowerBound * hidden, rows: rows.count, width: hidden, into: out + index * hidden)
        }
        return outer(inner(first, on: nil).tanh(), on: nil)
    }

    /// The probabilities of the labels for each input: a softmax, or a logistic function of each logit where ``isMultiLabel``.
    /// - Throws: ``EncoderError`` for an input that the encoder cannot read.
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
