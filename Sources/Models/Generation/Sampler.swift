package import Tensor

/// How the next token is chosen.
public struct SamplingOptions: Codable, Sendable, Equatable {
    /// The most tokens of a response.
    public var maxNewTokens: Int
    /// Divides the logits; 0 takes the most probable token.
    public var temperature: Float
    /// Only the k most probable tokens are drawn from; 0 for all.
    public var topK: Int
    /// Only the most probable tokens that together reach this probability are drawn from; 1 for all.
    public var topP: Float
    /// Tokens before which the end of the sequence is not allowed.
    public var minNewTokens: Int

    /// Plain sampling from the model's distribution, unless set otherwise.
    public init(maxNewTokens: Int, temperature: Float = 1, topK: Int = 0, topP: Float = 1, minNewTokens: Int = 0) {
        self.maxNewTokens = maxNewTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minNewTokens = minNewTokens
    }

    /// The most probable token at every step.
    public static func greedy(maxNewTokens: Int) -> SamplingOptions {
        SamplingOptions(maxNewTokens: maxNewTokens, temperature: 0)
    }
}

/// Chooses one token from a row of logits.
package enum Sampler {
    /// The chosen token and its log-probability under softmax(logits / temperature), before top-k and top-p cut anything off (for a
    /// temperature of 0: under softmax(logits)).
    ///
    /// Top-k keeps the k greatest logits (ties at the k-th all stay); top-p then keeps the smallest set of most probable tokens whose
    /// probability reaches p (Holtzman et al. 2020). Both only restrict the draw.
    package static func choose(
        _ logits: UnsafeMutablePointer<Float>, count: Int, options: SamplingOptions, using generator: inout Philox
    ) -> (token: Int32, logProb: Float) {
        if options.temperature == 0 {
            let token = TokenSampling.argmax(logits, count: count)
            return (Int32(token), logits[token] - TokenSampling.logSumExp(logits, count: count, temperature: 1))
        }
        let temperature = options.temperature
        let whole = TokenSampling.logSumExp(logits, count: count, temperature: temperature)
        let uniform = generator.uniform()
        var restricted = whole
        var kept: [Float]?
        if (options.topK > 0 && options.topK < count) || options.topP < 1 {
            var cut = Array(UnsafeBufferPointer(start: logits, count: count))
            restrict(&cut, options: options, logSumExp: whole)
            restricted = cut.withUnsafeBufferPointer {
                $0.baseAddress.map { TokenSampling.logSumExp($0, count: count, temperature: temperature) } ?? whole
            }
            kept = cut
        }
        func draw(_ row: UnsafePointer<Float>) -> Int {
            TokenSampling.draw(row, count: count, temperature: temperature, logSumExp: restricted, uniform: uniform)
        }
        let token = kept.flatMap { $0.withUnsafeBufferPointer { $0.baseAddress.map(draw) } } ?? draw(logits)
        return (Int32(token), logits[token] / temperature - whole)
    }

    /// Sets the logits that may not be drawn to −∞.
    static func restrict(_ logits: inout [Float], options: SamplingOptions, logSumExp: Float) {
        let order = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
        var keep = logits.count
        if options.topK > 0 && options.topK < logits.count {
            let threshold = logits[order[options.topK - 1]]
            keep = order.firstIndex { logits[$0] < threshold } ?? logits.count
        }
        if options.topP < 1 {
            let mass = order.prefix(keep).reduce(0.0) { $0 + exponential(Double(logits[$1] / options.temperature - logSumExp)) }
            var sum = 0.0
            for (place, index) in order.prefix(keep).enumerated() {
                sum += exponential(Double(logits[index] / options.temperature - logSumExp))
                if sum >= Double(options.topP) * mass {
                    keep = place + 1
                    break
                }
            }
        }
        for index in order.dropFirst(keep) { logits[index] = -.infinity }
    }
}
