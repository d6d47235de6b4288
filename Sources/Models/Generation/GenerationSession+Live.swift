import Tensor

// What a session is at work on.
extension GenerationSession {
    /// A prompt whose keys and values are in the cache.
    final class LivePrompt {
        let request: Int
        let rows: Range<Int>
        /// What the first token of each of its responses is drawn from.
        var logits: [Float] = []
        var value: Float?
        var trunk: Tensor?
        var waiting: Range<Int>
        var unfinished: Int
        /// Cache rows set aside for its first response, so that an admitted prompt can always make progress.
        var reserved: Range<Int>?

        init(request: Int, rows: Range<Int>, reserved: Range<Int>, streams: Int) {
            (self.request, self.rows, self.reserved) = (request, rows, reserved)
            (waiting, unfinished) = (0..<streams, streams)
        }
    }

    /// A response that is being extended.
    final class LiveResponse {
        let prompt: LivePrompt
        let index: Int
        let rows: Range<Int>
        var stream: Philox
        var response = GeneratedResponse()
        /// Tokens whose keys and values are in the cache.
        var fed = 0
        /// The tokens of the next step: the last one drawn; for a finished response also the end that was not drawn.
        var next: [Int32] = []
        var finished = false

        init(prompt: LivePrompt, index: Int, rows: Range<Int>, stream: Philox) {
            (self.prompt, self.index, self.rows, self.stream) = (prompt, index, rows, stream)
        }
    }
}
