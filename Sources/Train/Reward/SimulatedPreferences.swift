public import Data
public import Eval
public import Models
public import Tensor

/// Comparisons labelled by a hidden judge (Dubois et al. 2023, AlpacaFarm).
///
/// For every prompt a few summaries are drawn from a model, the reference joins them, and two different ones are compared: the judge's
/// favourite is the choice, except for a share of labels that is flipped.
public struct SimulatedPreferences {
    /// Draws the summaries.
    public var generator: Generator
    public var tokenizer: any Tokenizer
    public var judge: GoldScore
    /// How summaries are drawn.
    public var options: SamplingOptions
    /// Summaries drawn per prompt.
    public var samplesPerPrompt: Int
    /// Pairs made of each prompt's summaries.
    public var pairsPerPrompt: Int
    /// The share of labels that say the opposite of what the judge finds.
    public var flippedShare: Double
    public var random: Philox

    /// A simulation; see the properties.
    public init(
        generator: Generator, tokenizer: any Tokenizer, judge: GoldScore = GoldScore(), options: SamplingOptions,
        samplesPerPrompt: Int = 4, pairsPerPrompt: Int = 2, flippedShare: Double = 0.05, random: Philox
    ) {
        self.generator = generator
        self.tokenizer = tokenizer
        self.judge = judge
        self.options = options
        self.samplesPerPrompt = samplesPerPrompt
        self.pairsPerPrompt = pairsPerPrompt
        self.flippedShare = flippedShare
        self.random = random
    }

    /// Comparisons for some examples. Pairs of equal texts or equal scores are left out.
    /// - Parameter progress: called with the number of examples done and of tokens drawn.
    public func comparisons(
        for examples: [SummaryExample], prompts: [TokenisedPrompt], progress: (_ done: Int, _ tokens: Int) throws -> Void = { _, _ in }
    ) throws -> [Comparison] {
        precondition(examples.count == prompts.count, "\(examples.count) examples and \(prompts.count) prompts")
        var result: [Comparison] = []
        var tokens = 0
        let pass = 64
        for begin in stride(from: 0, to: prompts.count, by: pass) {
            let part = begin..<min(prompts.count, begin + pass)
            let responses = try generator.generate(
                part.map { index in
                    GenerationRequest(
                        prompt: prompts[index].tokens,
                        streams: (0..<samplesPerPrompt).map { random.split(prompts[index].id).split(UInt64($0)) })
                }, options: options)
            for (index, answers) in zip(part, responses) {
                tokens += answers.reduce(0) { $0 + $1.tokens.count }
                result += pairs(examples[index], answers.map { tokenizer.decode($0.tokens, skippingSpecialTokens: true) })
            }
            try progress(part.upperBound, tokens)
        }
        return result
    }

    private func pairs(_ example: SummaryExample, _ drawn: [String]) -> [Comparison] {
        var random = self.random.split(example.id).split("pairs")
        var seen: Set<String> = []
        // texts without their leading space; a text that occurs twice is one candidate
        let candidates = ([example.summary] + drawn)
            .map { String($0.drop(while: \.isWhitespace)) }
            .filter { seen.insert($0).inserted }
        let scores = candidates.map { judge.score($0, reference: example.summary) }
        var all: [(Int, Int)] = []
        for i in candidates.indices { for j in candidates.indices where j > i && scores[i] != scores[j] { all.append((i, j)) } }
        all.shuffle(using: &random)
        return all.prefix(pairsPerPrompt).map { i, j in
            let (first, second) = random.uniform() < 0.5 ? (i, j) : (j, i)
            let preferred = scores[first] > scores[second] ? 0 : 1
            let flipped = Double(random.uniform()) < flippedShare
            return Comparison(
                id: example.id, subreddit: example.subreddit, title: example.title, post: example.post,
                summaries: [candidates[first], candidates[second]], choice: flipped ? 1 - preferred : preferred)
        }
    }
}
