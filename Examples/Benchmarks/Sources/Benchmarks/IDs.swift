import Data
import Foundation

/// A tokenizer without text, because a workload consists of token IDs.
struct IDs: Tokenizer {
    let vocabularySize: Int
    var beginOfSequence: Int32? { 1 }
    var endOfSequence: Int32? { 2 }
    var padding: Int32? { 0 }
    var unknown: Int32? { nil }

    func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] { [] }
    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String { "" }
    func save(to folder: URL) throws { throw BenchmarkError("a tokenizer without text cannot be saved") }
}
