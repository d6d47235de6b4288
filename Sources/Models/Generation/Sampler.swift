package import Tensor

/// How the next token is sampled.
public struct SamplingOptions: Codable, Sendable, Equatable {
    /// The maximum number of tokens of a response.
    public var maxNewTokens: Int
    /// The temperature, by which logits are divided; 0 for greedy decoding.
    public var temperature: Float
    /// Top-k: only the k most probable tokens are sampled; 0 for all.
    public var topK: Int
    /// Top-p: only the smallest set of most probable tokens that reaches this probability is sampled; 1 for all.
    public var topP: Float
    /// Min-p: only tokens with at least this fraction of the most probable token's probability are sampled; 0 for all.
    public var minP: Float
    /// The minimum number of tokens before an end token may be sampled. Like top-k, top-p and min-p, this affects sampling but
    /// not the log-probabilities.
    public var minNewTokens: Int

    /// Creates sampling options. Default: sampling from the model's distribution without restrictions.
    public init(
        maxNewTokens: Int, temperature: Float = 1, topK: Int = 0, topP: Float = 1, minP: Float = 0, minNewTokens: Int = 0
    ) {
        self.maxNewTokens = maxNewTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.minNewTokens = minNewTokens
    }

    /// Whether top-k, top-p or min-p may exclude some of `count` tokens.
    func restricts(_ count: Int) -> Bool { sorts(count) || minP > 0 }
    /// Whether top-k or top-p is active, so that tokens must be sorted.
    fileprivate func sorts(_ count: Int) -> Bool { (topK > 0 && topK < count) || topP < 1 }

    /// Greedy decoding: the most probable token at every step.
    public static func greedy(maxNewTokens: Int) -> SamplingOptions {
        SamplingOptions(maxNewTokens: maxNewTokens, temperature: 0)
    }
}

/// Samples one token from a row of logits.
package enum Sampler {
    /// Samples a token.
    ///
    /// First, the `forbidden` tokens are excluded. Then top-k keeps the k greatest logits (all ties at the k-th), top-p the
    /// smallest set of the most probable remaining tokens whose share of the remaining probability reaches p (Holtzman et al.
    /// 2020), and min-p the tokens whose probability is at least that fraction of the greatest one (Nguyen et al. 2024).
    /// - Returns: the token; its log-probability under softmax(logits / temperature), without restrictions (under softmax(logits)
    ///   if the temperature is 0); and `drawn`, its log-probability with all restrictions (0 if the temperature is 0).
    package static func choose(
        _ logits: UnsafeMutablePointer<Float>, count: Int, options: SamplingOptions, forbidden: [Int32] = [],
        using generator: inout Philox
    ) -> (token: Int32, logProb: Float, drawn: Float) {
        let isGreedy = options.temperature == 0
        let temperature = isGreedy ? 1 : options.temperature
        let whole = TokenSampling.logSumExp(logits, count: count, temperature: temperature)
        var allowed: [Float]?
        if !forbidden.isEmpty || (!isGreedy && options.restricts(count)) {
            var row = Array(UnsafeBufferPointer(start: logits, count: count))
            for token in forbidden where row.indices.contains(Int(token)) { row[Int(token)] = -.infinity }
            if !isGreedy && options.restricts(count) { restrict(&row, options: options, logSumExp: whole) }
            allowed = row
        }
        let uniform = isGreedy ? 0 : generator.uniform()
        var drawnFrom = whole
        func pick(_ row: UnsafePointer<Float>) -> Int {
            if isGreedy { return TokenSampling.argmax(row, count: count) }
            if allowed != nil { drawnFrom = TokenSampling.logSumExp(row, count: count, temperature: temperature) }
            return TokenSampling.draw(row, count: count, temperature: temperature, logSumExp: drawnFrom, uniform: uniform)
        }
        let token = allowed.flatMap { $0.withUnsafeBufferPointer { $0.baseAddress.map(pick) } } ?? pick(logits)
        let scaled = logits[token] / temperature
        return (Int32(token), scaled - whole, isGreedy ? 0 : scaled - drawnFrom)
    }

    /// The log-probability of a token, as ``choose(_:count:options:forbidden:using:)`` returns it.
    static func logProb(of token: Int32, _ logits: UnsafePointer<Float>, count: Int, options: SamplingOptions) -> Float {
        let temperature = options.temperature == 0 ? 1 : options.temperature
        return logits[Int(token)] / temperature - TokenSampling.logSumExp(logits, count: count, temperature: temperature)
    }

    /// Sets the logits of excluded tokens to −∞.
    static func restrict(_ logits: inout [Float], options: SamplingOptions, logSumExp: Float) {
        if options.sorts(logits.count) { keepMostProbable(of: &logits, options: options, logSumExp: logSumExp) }
        guard options.minP > 0, let greatest = logits.max() else { return }
        // fractions of the greatest probability, which does not depend on the tokens excluded so far
        let least = greatest / options.temperature + Float(logarithm(Double(options.minP)))
        for index in logits.indices where logits[index] / options.temperature < least { logits[index] = -.infinity }
    }

    /// Applies top-k and top-p.
    private static func keepMostProbable(of logits: inout [Float], options: SamplingOptions, logSumExp: Float) {
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
