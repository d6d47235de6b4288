import Tensor

/// Grouping of inputs into batches.
package enum EncoderBatches {
    /// The maximum number of tokens that one thread processes at a time: enough to fill the tiles of a product, few enough for
    /// the caches.
    package static let tokensPerBatch = 512

    /// The indices of inputs in batches of at most `tokens` tokens (or a single longer input), the longest inputs first.
    package static func indices(lengths: [Int], tokens: Int = tokensPerBatch) -> [[Int]] {
        var batches: [[Int]] = []
        var sum = 0
        for index in lengths.indices.sorted(by: { (lengths[$1], $0) < (lengths[$0], $1) }) {
            if batches.isEmpty || sum + lengths[index] > tokens {
                batches.append([])
                sum = 0
            }
            batches[batches.count - 1].append(index)
            sum += lengths[index]
        }
        return batches
    }
}

extension Encoder {
    /// Runs the encoder on any number of inputs, and passes on the states of each.
    ///
    /// Inputs are sorted by length and packed without padding. If there are enough batches and the encoder allows it, every
    /// thread runs separate batches.
    /// - Parameters:
    ///   - inputs: the tokens of each text.
    ///   - body: called once for every input, concurrently from several threads: with the input's index, the states [T, C] of its
    ///     batch and its rows there.
    /// - Throws: ``EncoderError`` for the first invalid input, before anything runs.
    func forEach(_ inputs: [EncoderInput], _ body: (Int, Tensor, Range<Int>) -> Void) throws {
        for input in inputs { try check(input) }
        let batches = EncoderBatches.indices(lengths: inputs.map(\.ids.count))
        func run(_ batch: [Int]) {
            let states = states(of: batch.map { inputs[$0] })
            var row = 0
            for index in batch {
                let count = inputs[index].ids.count
                body(index, states, row..<row + count)
                row += count
            }
        }
        if !runsConcurrently || batches.count < 2 * Compute.threads {
            batches.forEach(run)
        } else {
            // threads of the pool do not inherit task-local values
            let precision = Compute.precision
            prepare()
            Compute.forEach(batches.count) { index in
                Compute.$threads.withValue(1) {
                    Compute.$precision.withValue(precision) { run(batches[index]) }
                }
            }
        }
    }
}
