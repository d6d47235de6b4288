import Models
import Tensor

/// What a model makes of the tokens of responses: log p, the entropy of its predictions, and values.
struct TokenScorer {
    /// The model.
    var decoder: any TransformerDecoder
    /// Gives the values, where they are wanted.
    var valueHead: ValueHead?
    /// What divides the logits.
    var temperature: Float
    /// Ids at and above this have no token.
    var validTokens: Int
    /// Whether entropies are wanted.
    var withEntropy = false

    /// The numbers of one response, one a token; empty where they are not wanted.
    struct Scores {
        var logProbs: [Float]
        var entropies: [Float]
        var values: [Float]
    }

    /// One number for every target of a pass: [T].
    /// - Parameter trunk: the states of all rows behind the first layers, when they are known; they are made when they are needed, and gone
    ///   before the vocabulary comes.
    func callAsFunction(
        _ pass: TargetPass, trunk: @autoclosure () -> (states: Tensor, layers: Int)? = nil, on tape: Tape? = nil
    ) -> (logProbs: Tensor, entropies: Tensor?, values: Tensor?) {
        let hidden = decoder.hidden(pass.batch, wanted: pass.wanted, trunk: trunk(), on: tape)
        let found = decoder.logProbs(
            hidden, targets: pass.targets, temperature: temperature, validTokens: validTokens, withEntropy: withEntropy, on: tape)
        return (found.logProbs, found.entropies, valueHead?(hidden, on: tape))
    }

    /// The same without gradients, cut into the responses of the pass.
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
