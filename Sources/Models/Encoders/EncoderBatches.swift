import Tensor

/// How inputs are put together for passes.
package enum EncoderBatches {
    /// How many tokens run at once on one thread: enough to fill the tiles of a product, few enough for the caches.
    package static let tokensPerBatch = 512

    /// Indices in batches of at most so many tokens (or of one input), the longest inputs first.
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
    /// Runs the encoder over any number of inputs and hands over the states of each, [tokens, C] as rows of a batch.
    ///
    /// Inputs are sorted by length and packed without padding. Where there are enough batches every thread runs batches
    /// of its own, if the encoder allows it.
    /// - Parameter body: called once for every input, from several threads at once: index, states of the batch, the input's rows.
    /// - Throws: ``EncoderError`` for the first input that does not fit, before anything runs.
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
            // the pool's threads know nothing of this scope
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
