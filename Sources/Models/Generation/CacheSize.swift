import Tensor

/// How large the cache of a session is.
struct CacheSize {
    /// How many rows there are.
    let rows: KVCache.Capacity
    /// Which layers keep what their window reaches and no more. None where every prompt fits the window.
    let isWindowed: [Bool]
    /// How many prompts are in the cache at once.
    let promptsAtOnce: Int
    /// The widest window of a layer.
    private let reach: Int

    /// The rows for prompts of given lengths with given numbers of responses.
    init(_ decoder: any TransformerDecoder, prompts: [Int], streams: [Int], maxActive: Int, maxNewTokens: Int) {
        let windows = (0..<decoder.shape.layerCount).map(decoder.window(ofLayer:))
        let reach = windows.compactMap { $0 }.max() ?? .max
        let isBounded = prompts.contains { $0 > reach }
        isWindowed = windows.map { $0 != nil && isBounded }
        self.reach = reach
        let longest = prompts.sorted(by: >)
        let responses = min(maxActive, streams.reduce(0, +))
        let alone = streams.contains { $0 <= 1 }
        let promptsAtOnce = max(1, min(prompts.count, alone ? responses : max(2, responses / 2)))
        let gaps = responses + promptsAtOnce + 1
        func count(atMost bound: Int) -> Int {
            let lengths = longest.map { min($0, bound) }
            return lengths.prefix(promptsAtOnce).reduce(0, +) + (lengths.first ?? 0) + gaps * (maxNewTokens + 1)
        }
        self.promptsAtOnce = promptsAtOnce
        rows = KVCache.Capacity(whole: count(atMost: .max), windowed: isBounded ? count(atMost: reach) : 0)
    }

    /// The rows of a prompt in layers with a window: of its last tokens.
    func windowed(prompt count: Int) -> Int { rows.windowed == 0 ? 0 : min(count, reach) }
    /// The rows of a response in layers with a window.
    func windowed(response count: Int) -> Int { rows.windowed == 0 ? 0 : count }
}
