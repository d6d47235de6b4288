/// A number of floating-point operations of matrix products, in which a multiplication and its addition are two operations.
public struct OperationCount: Codable, Sendable, Equatable, AdditiveArithmetic {
    /// The operations of products with weight matrices, including the output projection and heads.
    public var products: Int
    /// The operations of the products of queries, keys, values and attention weights, counting for each query only the keys that it
    /// sees.
    public var attention: Int

    /// Creates a count.
    public init(products: Int = 0, attention: Int = 0) { (self.products, self.attention) = (products, attention) }

    /// All operations.
    public var total: Int { products + attention }

    /// No operations.
    public static var zero: OperationCount { OperationCount() }

    /// The sums of both properties.
    public static func + (a: OperationCount, b: OperationCount) -> OperationCount {
        OperationCount(products: a.products + b.products, attention: a.attention + b.attention)
    }

    /// The differences of both properties.
    public static func - (a: OperationCount, b: OperationCount) -> OperationCount {
        OperationCount(products: a.products - b.products, attention: a.attention - b.attention)
    }

    /// The operations of several equal computations.
    public static func * (count: Int, operations: OperationCount) -> OperationCount {
        OperationCount(products: count * operations.products, attention: count * operations.attention)
    }
}

/// How many numbers are read from memory to decode answers.
public struct DecodingReads: Codable, Sendable, Equatable {
    /// The weights, counted once for each step of decoding.
    public var weights: Int
    /// The numbers in keys and values.
    public var keysAndValues: Int

    /// Creates a count.
    public init(weights: Int, keysAndValues: Int) { (self.weights, self.keysAndValues) = (weights, keysAndValues) }
}

/// The lengths of a prompt and of the texts that continue it. The rows of the prompt are computed once for all of them.
public struct PromptLengths: Sendable, Equatable {
    /// The rows whose final states are needed.
    public enum Wanted: Sendable {
        /// All rows.
        case all
        /// The rows that predict the continuations: the last row of the prompt, and all rows of the continuations.
        case predictions
        /// The last row of each continuation, or of the prompt if there is none.
        case last
    }

    /// The number of tokens of the prompt.
    public var prompt: Int
    /// The number of tokens of each continuation.
    public var continuations: [Int]

    /// Creates the lengths of a prompt and its continuations.
    public init(prompt: Int, continuations: [Int] = []) { (self.prompt, self.continuations) = (prompt, continuations) }

    /// The lengths with another number of tokens in every continuation.
    func lengthened(by count: Int) -> PromptLengths {
        PromptLengths(prompt: prompt, continuations: continuations.map { max(0, $0 + count) })
    }

    /// What a model reads that predicts the continuations: their last tokens are predicted, but not read.
    package var read: PromptLengths { lengthened(by: -1) }

    /// The lengths with one more token in every continuation, such as an end-of-sequence token.
    package var ended: PromptLengths { lengthened(by: 1) }

    /// The number of wanted rows.
    package func rows(_ wanted: Wanted) -> Int {
        switch wanted {
        case .all: prompt + continuations.reduce(0, +)
        case .predictions: min(prompt, 1) + continuations.reduce(0, +)
        case .last: max(continuations.count, 1)
        }
    }

    /// The number of keys that the wanted rows see, summed over these rows: each sees its own text up to itself, or the last `window`
    /// tokens of that.
    package func keys(_ wanted: Wanted, window: Int? = nil) -> Int {
        /// The keys of the rows of a text from the row `begin` on, up to a length.
        func keys(from begin: Int, to end: Int) -> Int {
            func sum(_ length: Int) -> Int {
                let short = min(length, window ?? length)
                return short * (short + 1) / 2 + (length - short) * short
            }
            return sum(end) - sum(min(max(begin, 0), end))
        }
        let own = continuations.reduce(0) { $0 + keys(from: prompt, to: prompt + $1) }
        switch wanted {
        case .all: return keys(from: 0, to: prompt) + own
        case .predictions: return keys(from: prompt - 1, to: prompt) + own
        case .last:
            return (continuations.isEmpty ? [0] : continuations).reduce(0) { $0 + keys(from: prompt + $1 - 1, to: prompt + $1) }
        }
    }
}
