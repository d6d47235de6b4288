import Synchronization

/// Caches a classifier's results for pairs of texts, so that metrics that ask about the same pair run the classifier once. The
/// results are entailment probabilities, or the probability that two texts say the same thing.
///
/// Texts are distinguished by their bytes. The whole cache is cleared when it would exceed its capacity.
final class PairMemory<Answer: Sendable>: Sendable {
    /// A pair of text numbers.
    private struct Pair: Hashable {
        var premise: Int32
        var hypothesis: Int32
    }

    private struct Contents {
        /// The number of each text.
        var texts: [[UInt8]: Int32] = [:]
        /// The token IDs of each text, shared by all pairs that contain it.
        var tokens: [[Int32]] = []
        var answers: [Pair: Answer] = [:]
        /// The number of pairs that were classified.
        var classified = 0

        mutating func number(of text: String, _ tokenise: (String) -> [Int32]) -> Int32 {
            let key = Array(text.utf8)
            if let known = texts[key] { return known }
            let number = Int32(tokens.count)
            texts[key] = number
            tokens.append(tokenise(text))
            return number
        }
    }

    private let capacity: Int
    private let contents = Mutex(Contents())

    /// A cache for at most `capacity` pairs.
    init(capacity: Int) { self.capacity = capacity }

    /// The number of pairs classified so far.
    var classified: Int { contents.withLock { $0.classified } }

    /// The number of cached pairs.
    var count: Int { contents.withLock { $0.answers.count } }

    /// The results for pairs. Calls are serialised, so a concurrent call finds the results of the previous one in the cache.
    /// - Parameters:
    ///   - pairs: the pairs; the same pair may appear several times.
    ///   - tokenise: the token IDs of a text; called once per text.
    ///   - classify: the results for pairs of token sequences that are not cached, each of them once.
    /// - Throws: what `classify` throws.
    func answers(
        to pairs: [EntailmentPair], tokenise: (String) -> [Int32],
        classify: ([(premise: [Int32], hypothesis: [Int32])]) throws -> [Answer]
    ) throws -> [Answer] {
        try contents.withLock { contents in
            if contents.answers.count + pairs.count > capacity { contents = Contents(classified: contents.classified) }
            let wanted = pairs.map { pair in
                Pair(premise: contents.number(of: pair.premise, tokenise), hypothesis: contents.number(of: pair.hypothesis, tokenise))
            }
            var seen: Set<Pair> = []
            let missing = wanted.filter { contents.answers[$0] == nil && seen.insert($0).inserted }
            let tokens = contents.tokens
            let found = try classify(missing.map { (tokens[Int($0.premise)], tokens[Int($0.hypothesis)]) })
            precondition(found.count == missing.count, "\(found.count) answers to \(missing.count) pairs")
            contents.classified += missing.count
            for (pair, answer) in zip(missing, found) { contents.answers[pair] = answer }
            let result = wanted.compactMap { contents.answers[$0] }
            if contents.answers.count > capacity { contents = Contents(classified: contents.classified) }
            return result
        }
    }
}
