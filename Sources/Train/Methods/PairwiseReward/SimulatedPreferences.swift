public import Data
public import Eval
import Models
public import Tensor

/// Simulates comparisons that are labelled by a hidden judge (AlpacaFarm: Dubois et al. 2023).
///
/// For every prompt, a model samples summaries at several temperatures, so that their quality varies as among several models. The
/// reference summary is added, and pairs of different summaries are compared. The label is the judge's preference, except for a
/// share of labels that is flipped.
public struct SimulatedPreferences {
    /// Samples the summaries.
    public var sampler: ResponseSampler
    /// The hidden judge.
    public var judge = GoldScore()
    /// The temperatures at which summaries are sampled, in place of the sampler's own.
    public var temperatures: [Float] = [0.7, 1, 1.3]
    /// The number of summaries sampled per prompt at each temperature.
    public var samplesPerTemperature = 1
    /// The number of pairs per prompt.
    public var pairsPerPrompt = 2
    /// The least difference of the scores of a pair: pairs whose scores differ by less are left out.
    public var minimumMargin = 0.1
    /// The share of labels that are flipped.
    public var flippedShare = 0.05
    /// The random stream, from which every prompt's streams are derived.
    public var random: Philox

    /// A simulation with default properties.
    public init(_ sampler: ResponseSampler, random: Philox) {
        (self.sampler, self.random) = (sampler, random)
    }

    /// Simulates comparisons for some examples. Pairs with equal texts or equal scores are left out, and so are pairs whose scores
    /// differ by less than `minimumMargin`.
    /// - Parameters:
    ///   - examples: the examples with their reference summaries.
    ///   - prompts: the tokenised prompts of the examples, in the same order.
    ///   - progress: called with the numbers of examples done and of tokens sampled.
    /// - Throws: `GenerationError`; errors of `progress`.
    public func comparisons(
        for examples: [SummaryExample], prompts: [TokenisedPrompt], progress: (_ done: Int, _ tokens: Int) throws -> Void = { _, _ in }
    ) throws -> [Comparison] {
        precondition(examples.count == prompts.count, "\(examples.count) examples and \(prompts.count) prompts")
        var result: [Comparison] = []
        var tokens = 0
        let pass = 64
        for begin in stride(from: 0, to: prompts.count, by: pass) {
            let part = begin..<min(prompts.count, begin + pass)
            var drawn: [[String]] = part.map { _ in [] }
            for (number, temperature) in temperatures.enumerated() {
                var sampler = sampler
                sampler.options.temperature = temperature
                let responses = try sampler.responses(to: Array(prompts[part])) { place in
                    let stream = random.split(prompts[part.lowerBound + place].id).split(UInt64(number))
                    return (0..<samplesPerTemperature).map { stream.split(UInt64($0)) }
                }
                for (place, answers) in responses.enumerated() {
                    tokens += answers.reduce(0) { $0 + $1.drawn.tokens.count }
                    drawn[place] += answers.map(\.text)
                }
            }
            for (place, index) in part.enumerated() { result += pairs(examples[index], drawn[place]) }
            try progress(part.upperBound, tokens)
        }
        return result
    }

    private func pairs(_ example: SummaryExample, _ drawn: [String]) -> [Comparison] {
        var random = self.random.split(example.id).split("pairs")
        var seen: Set<String> = []
        // leading whitespace is removed, and a text that occurs twice is one candidate
        let candidates = ([example.summary] + drawn)
            .map { String($0.drop(while: \.isWhitespace)) }
            .filter { seen.insert($0).inserted }
        let scores = candidates.map { judge.score($0, reference: example.summary) }
        var all: [(Int, Int)] = []
        for i in candidates.indices {
            for j in candidates.indices.dropFirst(i + 1) {
                let (better, worse) = (max(scores[i], scores[j]), min(scores[i], scores[j]))
                if PairMargin.separates(better, from: worse, by: minimumMargin) { all.append((i, j)) }
            }
        }
        all.shuffle(using: &random)
        return all.prefix(pairsPerPrompt).map { i, j in
            let (first, second) = random.uniform() < 0.5 ? (i, j) : (j, i)
            let preferred = scores[first] > scores[second] ? 0 : 1
            let flipped = Double(random.uniform()) < flippedShare
            return Comparison(
                of: example, summaries: [candidates[first], candidates[second]], choice: flipped ? 1 - preferred : preferred)
        }
    }
}
