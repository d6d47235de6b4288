import Data
import Foundation

/// The error that `body` throws, as a data error.
func dataError(_ body: () throws -> Void) -> DataError? {
    do {
        try body()
        return nil
    } catch {
        return error as? DataError
    }
}

func example(
    _ id: String = "a", subreddit: String = "tifu", title: String = "T", post: String = "P", summary: String = "S"
) -> SummaryExample {
    SummaryExample(id: id, subreddit: subreddit, title: title, post: post, summary: summary)
}

/// A tokenizer of one id per byte, 3 upwards; 1 begins, 2 ends, 0 pads. Like SentencePiece it can put a space before
/// what it reads.
struct ByteTokenizer: Tokenizer {
    var vocabularySize: Int { 259 }
    var beginOfSequence: Int32? = 1
    var endOfSequence: Int32? = 2
    var padding: Int32? = 0
    var unknown: Int32?
    var addsSpace = false
    /// Whether the end of sequence is put behind every text.
    var closes = false
    /// Whether a begin of sequence that a text begins with in writing is one.
    var spellsBegin = false

    func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
        var ids: [Int32] = []
        if addingSpecialTokens, let beginOfSequence { ids.append(beginOfSequence) }
        var text = text
        if spellsBegin, let beginOfSequence, text.hasPrefix("<s>") {
            ids.append(beginOfSequence)
            text.removeFirst(3)
        }
        for (index, part) in text.components(separatedBy: "</s>").enumerated() {
            if index > 0, let endOfSequence { ids.append(endOfSequence) }
            ids += Array(((addsSpace && index == 0 ? " " : "") + part).utf8).map { Int32($0) + 3 }
        }
        if addingSpecialTokens, closes, let endOfSequence { ids.append(endOfSequence) }
        return ids
    }

    func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        var text = ""
        for id in ids {
            if id >= 3 {
                text += String(decoding: [UInt8(id - 3)], as: UTF8.self)
            } else if !skippingSpecialTokens {
                text += ["<pad>", "<s>", "</s>"][Int(id)]
            }
        }
        return text
    }

    func save(to folder: URL) throws {}
}
