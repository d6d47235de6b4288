import Synchronization

/// What a classifier has said about pairs of texts, so that metrics that ask for the same pair run it once: labels of inference, or
/// whether they say the same.
///
/// Texts are told apart by their bytes. When there would be more pairs than it holds, all are forgotten.
final class PairMemory<Answer: Sendable>: Sendable {
    /// A pair of texts: their numbers.
    private struct Pair: Hashable {
        var premise: Int32
        var hypothesis: Int32
    }

    private struct Contents {
        /// The number of each text.
        var texts: [[UInt8]: Int32] = [:]
        /// The tokens of each text, which stands in many pairs.
        var tokens: [[Int32]] = []
        var answers: [Pair: Answer] = [:]
        /// Pairs that were classified.
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

    /// A memory for so many pairs.
    init(capacity: Int) { self.capacity = capacity }

    /// How many pairs have been classified so far.
    var classified: Int { contents.withLock { $0.classified } }

    /// How many pairs are remembered.
    var count: Int { contents.withLock { $0.answers.count } }

    /// The answers to pairs. One call runs at a time: what it finds out is there for the next one.
    /// - Parameters:
    ///   - tokenise: the tokens of a text, asked for once.
    ///   - classify: the answers to pairs of tokens that are not known, each asked for once.
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
