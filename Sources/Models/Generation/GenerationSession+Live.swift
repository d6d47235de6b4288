import Tensor

// The prompts and responses that a session is working on, and their stored states.
extension GenerationSession {
    /// A prompt whose keys and values are in the cache.
    final class LivePrompt {
        let request: Int
        let place: KVCache.Place
        /// The logits from which the first token of each response is sampled.
        var logits: [Float] = []
        var value: Float?
        var waiting: Range<Int>
        var unfinished: Int
        /// Cache rows reserved for the first response, so that an admitted prompt can always make progress.
        var reserved: KVCache.Place?

        init(request: Int, place: KVCache.Place, reserved: KVCache.Place, streams: Int) {
            (self.request, self.place, self.reserved) = (request, place, reserved)
            (waiting, unfinished) = (0..<streams, streams)
        }
    }

    /// The attention layout of a decoding pass: for layers without a window or for those with one.
    struct Steps {
        private let rows: KeyPath<KVCache.Place, Range<Int>>
        private(set) var all: [AttentionLayout.Segment] = []
        private(set) var wanted: [AttentionLayout.Segment] = []
        /// The cache row of every row of the pass.
        private(set) var places: [Int] = []

        init(_ rows: KeyPath<KVCache.Place, Range<Int>>) { self.rows = rows }

        /// Adds the next tokens of a response, as the pass's rows from `begin` on. The output of the first one is wanted unless
        /// the response is finished.
        mutating func add(_ response: LiveResponse, begin: Int) {
            let (own, prefix) = (response.place[keyPath: rows], response.prompt.place[keyPath: rows])
            let first = own.lowerBound + response.fed
            all.append(
                .init(
                    queries: begin..<begin + response.next.count, keyBegin: own.lowerBound, firstKey: first, prefix: prefix))
            places += first..<first + response.next.count
            guard !response.finished else { return }
            wanted.append(
                .init(
                    queries: wanted.count..<wanted.count + 1, keyBegin: own.lowerBound, firstKey: first, prefix: prefix))
        }
    }

    /// A response that is being generated.
    final class LiveResponse {
        let prompt: LivePrompt
        let index: Int
        let place: KVCache.Place
        var stream: Philox
        var response = GeneratedResponse()
        /// The number of tokens whose keys and values are in the cache.
        var fed = 0
        /// The tokens of the next step: the last sampled one and, for a finished response, an end token that was not sampled.
        var next: [Int32] = []
        var finished = false

        init(prompt: LivePrompt, index: Int, place: KVCache.Place, stream: Philox) {
            (self.prompt, self.index, self.place, self.stream) = (prompt, index, place, stream)
        }
    }
    /// The trunk states of all texts of a session, in one matrix. Each row is written once and stays in place.
    struct TrunkStore {
        private let states: Tensor
        /// The first row of every response's text, which has room for its prompt, all new tokens and a closing token.
        private let begins: [[Int]]
        private let width: Int

        init(_ requests: [GenerationRequest], maxNewTokens: Int, width: Int) {
            self.width = width
            var count = 0
            begins = requests.map { request in
                request.streams.map { _ in
                    defer { count += request.prompt.count + maxNewTokens + 1 }
                    return count
                }
            }
            states = .uninitialized([count, width]) { _ in }
        }

        /// Stores the states of a prompt for all of its responses.
        func keep(_ source: Tensor, rows: Range<Int>, ofPrompt request: Int) {
            for sample in begins[request].indices { keep(source, rows: rows, of: request, sample, behind: 0) }
        }

        /// Stores rows of states after the first `count` tokens of a response's text.
        func keep(_ source: Tensor, rows: Range<Int>, of request: Int, _ sample: Int, behind count: Int) {
            (states.mutablePointer + (begins[request][sample] + count) * width).update(
                from: source.pointer + rows.lowerBound * width, count: rows.count * width)
        }

        /// The first `count` rows of a response's text.
        func rows(of request: Int, _ sample: Int, count: Int) -> TrunkRows {
            TrunkRows(states, rows: begins[request][sample]..<begins[request][sample] + count)
        }
    }
}
