import Models
import Tensor

/// Computes a model's log-probabilities of response tokens, the entropy of its predictions, and values.
struct TokenScorer {
    /// The model.
    var decoder: any TransformerDecoder
    /// The value head; nil if no values are wanted.
    var valueHead: ValueHead?
    /// The temperature, by which logits are divided.
    var temperature: Float
    /// The number of valid token IDs; logits of IDs from this number on are ignored.
    var validTokens: Int
    /// Whether entropies are computed.
    var withEntropy = false

    /// The scores of one response, one number per token; empty for those that are not computed.
    struct Scores {
        var logProbs: [Float]
        var entropies: [Float]
        var values: [Float]
    }

    /// The scores of every target of a pass, each of shape [T].
    /// - Parameter trunk: the states of all rows after the first layers, if they are known. They are computed when they are
    ///   needed, and released before the logits are computed.
    func callAsFunction(
        _ pass: TargetPass, trunk: @autoclosure () -> (states: Tensor, layers: Int)? = nil, on tape: Tape? = nil
    ) -> (logProbs: Tensor, entropies: Tensor?, values: Tensor?) {
        let hidden = decoder.hidden(pass.batch, wanted: pass.wanted, trunk: trunk(), on: tape)
        let found = decoder.logProbs(
            hidden, targets: pass.targets, temperature: temperature, validTokens: validTokens, withEntropy: withEntropy, on: tape)
        return (found.logProbs, found.entropies, valueHead?(hidden, on: tape))
    }

    /// The scores without gradients, split into the responses of the pass.
    func scores(_ pass: TargetPass, trunk: @autoclosure () -> (states: Tensor, layers: Int)? = nil) -> [Scores] {
        let found = self(pass, trunk: trunk())
        let columns = (found.logProbs.values, found.entropies?.values ?? [], found.values?.values ?? [])
        var begin = 0
        return pass.counts.map { count in
            defer { begin += count }
            func cut(_ column: [Float]) -> [Float] { column.isEmpty ? [] : Array(column[begin..<begin + count]) }
            return Scores(logProbs: cut(columns.0), entropies: cut(columns.1), values: cut(columns.2))
        }
    }
}
