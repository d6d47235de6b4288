import Models
import Tensor

/// Where numbers that are not finite come from.
///
/// Nothing is looked for while all is well: a step costs one test of its loss. When that fails, the pass is repeated without gradients,
/// tensor by tensor.
enum NonFinite {
    /// The first tensor of a pass that holds a NaN or an infinity: a weight, or the output of an embedding, a layer or the final norm.
    /// - Returns: its name (nil when all up to the final norm are finite, so that the projection or the loss overflowed), and the
    ///   sequences whose final states are not finite.
    static func first(
        in decoder: any TransformerDecoder, _ head: ValueHead? = nil, _ sequences: [[Int32]]
    ) -> (tensor: String?, sequences: [Int]) {
        let weight = (decoder.parameters + (head?.parameters ?? [])).first { $0.value.nonFiniteCount > 0 }
        var found = weight.map { "the weight \($0.name)" }
        let batch = TokenBatch(sequences)
        guard batch.count > 0 else { return (found, []) }
        func look(_ states: Tensor, _ name: String) -> Tensor {
            if found == nil, states.nonFiniteCount > 0 { found = "the output of \(name)" }
            return states
        }
        var states = look(decoder.embed(batch.ids, positions: batch.positions, on: nil), "the embedding")
        for layer in 0..<decoder.shape.layerCount {
            states = look(decoder.run(batch, layers: layer..<layer + 1, from: states), "layer \(layer)")
        }
        states = look(decoder.finish(states, on: nil), "the final norm")
        let bad = batch.rows.indices.filter { states.rows(batch.rows[$0]).nonFiniteCount > 0 }
        return (found, bad)
    }
}

extension TrainingError {
    /// A quantity of a pass is not finite: names the first tensor that is not, and the examples in whose rows that shows (all of the pass
    /// where it shows in none). `ids` has the example of every sequence.
    static func notFinite(
        _ what: String, step: Int, in decoder: any TransformerDecoder, _ head: ValueHead? = nil, ids: [String],
        sequences: [[Int32]]
    ) -> TrainingError {
        let source = NonFinite.first(in: decoder, head, sequences)
        var seen: Set<String> = []
        let examples = (source.sequences.isEmpty ? ids : source.sequences.map { ids[$0] }).filter {
            seen.insert($0).inserted
        }
        return .notFinite(what: what + (source.tensor.map { " (first: \($0))" } ?? ""), step: step, examples: examples)
    }
}

/// The batches with numbers that are not finite that a run has passed over, and how many it may.
struct BadBatches {
    let limit: Int
    private(set) var count = 0

    private static let name = "skipped_batches"

    init(limit: Int) { self.limit = limit }

    /// Counts a batch that failed with an error; false when the error is another one or the limit is reached.
    mutating func passesOver(_ error: TrainingError) -> Bool {
        guard case .notFinite = error, count < limit else { return false }
        count += 1
        return true
    }

    /// One line for people about the batch that has just been passed over.
    func note(_ error: TrainingError) -> String { "a batch was skipped (\(count) of at most \(limit)): \(error)" }

    /// What a snapshot and every line of metrics hold; nothing as long as nothing was passed over.
    var numbers: [String: Double] { count > 0 ? [Self.name: Double(count)] : [:] }

    /// Goes on from a snapshot.
    mutating func restore(_ numbers: [String: Double]) { count = TrainerSnapshot.count(numbers[Self.name] ?? 0) }
}
