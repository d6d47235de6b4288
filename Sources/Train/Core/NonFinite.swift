import Models
import Tensor

/// Finds the source of NaN or Inf.
///
/// A normal step only tests its loss. If this test fails, the pass is repeated without gradients, and each tensor is tested.
enum NonFinite {
    /// Finds the first tensor of a pass that holds NaN or Inf: a weight, or the output of the embedding, a layer or the final
    /// norm.
    /// - Returns: the tensor's name, and the indices of the sequences whose final states are not finite. The name is nil when all
    ///   tensors up to the final norm are finite, so that the projection or the loss overflowed.
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
    /// An error about a quantity of a pass that is NaN or Inf. It names the first such tensor and the affected examples (all
    /// examples of the pass if no sequence stands out).
    /// - Parameter ids: the ID of the example of every sequence.
    static func notFinite(
        _ what: String, step: Int, in decoder: any TransformerDecoder, _ head: ValueHead? = nil, ids: [String],
        sequences: [[Int32]]
    ) -> TrainingError {
        let source = NonFinite.first(in: decoder, head, sequences)
        var seen: Set<String> = []
        let examples = (source.sequences.isEmpty ? ids : source.sequences.map { ids[$0] }).filter {
            seen.insert($0).inserted
        }
        return .notFinite(what: what + (source.tensor.map { " (first seen in \($0))" } ?? ""), step: step, examples: examples)
    }
}

/// Counts the batches with NaN or Inf that a run has skipped, up to a limit.
struct BadBatches {
    let limit: Int
    private(set) var count = 0

    private static let name = "skipped_batches"

    init(limit: Int) { self.limit = limit }

    /// Counts a skipped batch. Returns false, without counting, for another kind of error or when the limit is reached.
    mutating func passesOver(_ error: TrainingError) -> Bool {
        guard case .notFinite = error, count < limit else { return false }
        count += 1
        return true
    }

    /// A message about the batch that was just skipped.
    func note(_ error: TrainingError) -> String { "a batch was skipped (\(count) of at most \(limit)): \(error)" }

    /// The count, for snapshots and metrics; empty while no batch was skipped.
    var numbers: [String: Double] { count > 0 ? [Self.name: Double(count)] : [:] }

    /// Restores the count from a snapshot.
    mutating func restore(_ numbers: [String: Double]) { count = TrainerSnapshot.count(numbers[Self.name] ?? 0) }
}
