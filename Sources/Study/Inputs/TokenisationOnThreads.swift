package import Data
import Tensor

// Tokenisation on all threads: rows are cut into parts, and the results are joined in the order of the rows.

/// The number of rows that a thread tokenises at a time.
private let rowsAtOnce = 32

extension SFTTokenisation {
    /// The same as `tokenise(_:with:)`, computed on the threads of the scope.
    /// - Throws: As `tokenise`; with several bad rows, the error of the first.
    package func tokenisedOnThreads(_ examples: [SummaryExample], with tokenizer: any Tokenizer) throws -> Result {
        guard examples.count > rowsAtOnce else { return try tokenise(examples, with: tokenizer) }
        let parts = try Compute.mapParts(of: examples, grain: rowsAtOnce) { try tokenise($0, with: tokenizer) }
        var whole = parts[0]
        for part in parts.dropFirst() {
            whole.examples += part.examples
            whole.dropped += part.dropped
            whole.truncatedPrompts += part.truncatedPrompts
            whole.truncatedTargets += part.truncatedTargets
        }
        return whole
    }

    /// The same as `prompts(_:with:)`, computed on the threads of the scope.
    /// - Throws: As `prompts`; with several bad rows, the error of the first.
    package func promptsOnThreads(_ examples: [SummaryExample], with tokenizer: any Tokenizer) throws -> [TokenisedPrompt] {
        guard examples.count > rowsAtOnce else { return try prompts(examples, with: tokenizer) }
        return try Compute.mapParts(of: examples, grain: rowsAtOnce) { try prompts($0, with: tokenizer) }.flatMap { $0 }
    }
}

extension RewardTokenisation {
    /// The same as `tokenise(_:with:)`, computed on the threads of the scope.
    /// - Throws: As `tokenise`; with several bad rows, the error of the first.
    package func tokenisedOnThreads(
        _ comparisons: [Comparison], with tokenizer: any Tokenizer
    ) throws -> (comparisons: [TokenisedComparison], truncated: Int) {
        guard comparisons.count > rowsAtOnce else { return try tokenise(comparisons, with: tokenizer) }
        let parts = try Compute.mapParts(of: comparisons, grain: rowsAtOnce) { try tokenise($0, with: tokenizer) }
        return (parts.flatMap(\.comparisons), parts.reduce(0) { $0 + $1.truncated })
    }
}
