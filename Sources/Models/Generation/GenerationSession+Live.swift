import Tensor

// What a session is at work on, and what it keeps.
extension GenerationSession {
    /// A prompt whose keys and values are in the cache.
    final class LivePrompt {
        let request: Int
        let place: KVCache.Place
        /// What the first token of each of its responses is drawn from.
        var logits: [Float] = []
        var value: Float?
        var waiting: Range<Int>
        var unfinished: Int
        /// Cache rows set aside for its first response, so that an admitted prompt can always make progress.
        var reserved: KVCache.Place?

        init(request: Int, place: KVCache.Place, reserved: KVCache.Place, streams: Int) {
            (self.request, self.place, self.reserved) = (request, place, reserved)
            (waiting, unfinished) = (0..<streams, streams)
        }
    }

    /// What the rows of a pass that reads the cache see, in layers that see everything or in those with a window.
    struct Steps {
        private let rows: KeyPath<KVCache.Place, Range<Int>>
        private(set) var all: [AttentionLayout.Segment] = []
        private(set) var wanted: [AttentionLayout.Segment] = []
        /// The row of the cache for every row of the pass.
        private(set) var places: [Int] = []

        init(_ rows: KeyPath<KVCache.Place, Range<Int>>) { self.rows = rows }

        /// The next tokens of a response as the pass's rows from `begin` on; what comes of the first is `wanted` unless the response is finished.
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

    /// A response that is being extended.
    final class LiveResponse {
        let prompt: LivePrompt
        let index: Int
        let place: KVCache.Place
        var stream: Philox
        var response = GeneratedResponse()
        /// Tokens whose keys and values are in the cache.
        var fed = 0
        /// The tokens of the next step: the last one drawn; for a finished response also the end that was not drawn.
        var next: [Int32] = []
        var finished = false

        init(prompt: LivePrompt, index: Int, place: KVCache.Place, stream: Philox) {
            (self.prompt, self.index, self.place, self.stream) = (prompt, index, place, stream)
        }
    }
    /// The states of all texts of a session in one matrix: each is written once, and stays where it is.
    struct TrunkStore {
        private let states: Tensor
        /// The first row of every response's text, with room for its prompt, all new tokens and one that closes it.
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

        /// Keeps the states of a prompt as those of all its responses.
        func keep(_ source: Tensor, rows: Range<Int>, ofPrompt request: Int) {
            for sample in begins[request].indices { keep(source, rows: rows, of: request, sample, behind: 0) }
        }

        /// Keeps some rows as those behind the first `count` of a response's text.
        func keep(_ source: Tensor, rows: Range<Int>, of request: Int, _ sample: Int, behind count: Int) {
            (states.mutablePointer + (begins[request][sample] + count) * width).update(
                from: source.pointer + rows.lowerBound * width, count: rows.count * width)
        }

        /// The first rows of a response's text.
        func rows(of request: Int, _ sample: Int, count: Int) -> TrunkRows {
            TrunkRows(states, rows: begins[request][sample]..<begins[request][sample] + count)
        }
    }
}
