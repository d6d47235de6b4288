import Tensor

/// The size of a generation session's key/value cache.
struct CacheSize {
    /// The number of rows.
    let rows: KVCache.Capacity
    /// Which layers store only as many rows of a prompt as their window covers. None if every prompt fits into the window.
    let isWindowed: [Bool]
    /// The maximum number of prompts that are in the cache at the same time.
    let promptsAtOnce: Int
    /// The size of the largest window of any layer.
    private let reach: Int

    /// Computes the size for prompts of the given lengths (`prompts`) with the given numbers of responses (`streams`).
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

    /// The number of rows for a prompt of `count` tokens in layers with a window; these hold its last tokens.
    func windowed(prompt count: Int) -> Int { rows.windowed == 0 ? 0 : min(count, reach) }
    /// The number of rows for a response of `count` tokens in layers with a window.
    func windowed(response count: Int) -> Int { rows.windowed == 0 ? 0 : count }
}
