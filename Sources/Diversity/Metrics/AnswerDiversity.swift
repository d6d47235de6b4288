import Eval
import Tensor

/// How much each of several answers to one prompt differs from the other answers. It is used to choose or weight single
/// answers, whereas a ``DiversityMetric`` gives one number for the whole set.
///
/// To define a custom measure, create a value of this type.
public struct AnswerDiversity: Sendable {
    /// The name of the measure.
    public let name: String
    /// One number per answer, in the order of the answers; larger means more different from the others.
    public let values: @Sendable (_ answers: [String]) throws -> [Double]

    /// A measure with a name and a function from answers to numbers.
    public init(_ name: String, values: @escaping @Sendable (_ answers: [String]) throws -> [Double]) {
        (self.name, self.values) = (name, values)
    }

    /// One minus the mean cosine between an answer's n-gram counts and those of the other answers; 0 for a single answer. The
    /// cosine of two answers is the mean over the orders for which at least one of them has an n-gram, and 1 if neither has a
    /// word.
    public static func ngrams(orders: ClosedRange<Int> = 1...3, tokenisation: NGramTokenisation = .words) -> AnswerDiversity {
        AnswerDiversity("ngrams") { answers in
            let count = answers.count
            guard count > 1 else { return answers.map { _ in 0 } }
            let index = NGramIndex(answers, maximumOrder: orders.upperBound, tokenisation: tokenisation)
            var (sums, used) = ([Double](repeating: 0, count: count * count), [Double](repeating: 0, count: count * count))
            for order in orders {
                let kernel = NGramCosine.kernel(of: Array(answers.indices), in: index, order: order)
                let has = answers.indices.map { !index.ngrams(of: $0, order: order).isEmpty }
                for i in 0..<count {
                    for j in 0..<count where has[i] || has[j] {
                        sums[i * count + j] += kernel[i * count + j]
                        used[i * count + j] += 1
                    }
                }
            }
            return (0..<count).map { i in
                let similarity = (0..<count).reduce(0.0) { sum, j in
                    guard j != i else { return sum }
                    let place = i * count + j
                    return sum + (used[place] > 0 ? sums[place] / used[place] : 1)
                }
                return 1 - similarity / Double(count - 1)
            }
        }
    }

    /// How rare an answer's words are among the answers: the mean over its words of −log of the fraction of answers that
    /// contain the word (natural logarithm). 0 for an answer without words.
    public static func wordRarity(tokenisation: NGramTokenisation = .words) -> AnswerDiversity {
        AnswerDiversity("words") { answers in
            let words = answers.map { tokenisation.words(of: $0) }
            var holders: [String: Int] = [:]
            for answer in words {
                for word in Set(answer) { holders[word, default: 0] += 1 }
            }
            return words.map { answer in
                guard !answer.isEmpty else { return 0 }
                let sum = answer.reduce(0.0) { $0 - logarithm(Double(holders[$1] ?? 1) / Double(answers.count)) }
                return sum / Double(answer.count)
            }
        }
    }

    /// One minus the mean cosine between an answer's embedding and those of the other answers; 0 for an answer that was not
    /// encoded, and for all answers if fewer than two were encoded.
    public static func embeddings(_ encoder: any TextEncoder) -> AnswerDiversity {
        AnswerDiversity("embeddings by \(encoder.name)") { answers in
            let vectors = try TextCollection(answers).embeddings(by: encoder).map { $0.map(unit) }
            let known = vectors.compactMap { $0 }
            guard known.count > 1, let width = known.first?.count else { return answers.map { _ in 0 } }
            var sum = [Double](repeating: 0, count: width)
            for vector in known { for channel in 0..<width { sum[channel] += vector[channel] } }
            return vectors.map { vector in
                guard let vector else { return 0 }
                let similarity = zip(vector, sum).reduce(0) { $0 + $1.0 * ($1.1 - $1.0) }
                return 1 - similarity / Double(known.count - 1)
            }
        }
    }

    private static func unit(_ vector: [Float]) -> [Double] {
        let norm = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        return vector.map { norm > 0 ? Double($0) / norm : 0 }
    }
}
