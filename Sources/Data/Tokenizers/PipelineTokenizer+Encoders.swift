/// A pair of texts encoded as one sequence, as encoder models read it.
public struct EncodedPair: Sendable, Equatable {
    /// The token IDs of both texts, with special tokens.
    public var ids: [Int32]
    /// The type ID of each token, which tells models which of the two texts it belongs to.
    public var typeIDs: [Int32]

    /// Creates a pair from token IDs and type IDs.
    public init(ids: [Int32], typeIDs: [Int32]) {
        self.ids = ids
        self.typeIDs = typeIDs
    }
}

extension PipelineTokenizer {
    /// The maximum length of a text in tokens, including special tokens (`model_max_length`). Nil if the files state
    /// none, or a placeholder of 2³¹ or more.
    public var maximumLength: Int? {
        guard let length = files.configuration["model_max_length"]?.integer, length > 0, length < 1 << 31 else {
            return nil
        }
        return length
    }

    /// The special tokens after every text that is encoded with special tokens.
    public var closingTokens: [Int32] { postProcessor.suffix }

    /// Encodes a text with special tokens, truncated to at most `maximumLength` tokens: at its end, or at its beginning
    /// if `keepingEnd` is true.
    public func encode(_ text: String, maximumLength: Int, keepingEnd: Bool = false) -> [Int32] {
        let ids = encode(text, addingSpecialTokens: false)
        let room = max(0, maximumLength - postProcessor.prefix.count - postProcessor.suffix.count)
        return postProcessor.prefix + (keepingEnd ? ids.suffix(room) : ids.prefix(room)) + postProcessor.suffix
    }

    /// Combines two texts, each encoded without special tokens, into one sequence of at most `maximumLength` tokens.
    ///
    /// Truncates the end of the longer text until both have the same length, then both equally, like Transformers'
    /// `longest_first`. If the remaining room is odd, the text that was longer keeps one more token (of texts of equal
    /// length, the second). If the second text is empty, the first one is encoded alone, as in Transformers.
    public func pair(_ first: [Int32], _ second: [Int32], maximumLength: Int) -> EncodedPair {
        guard !second.isEmpty else {
            let room = max(0, maximumLength - postProcessor.prefix.count - postProcessor.suffix.count)
            let ids = postProcessor.prefix + first.prefix(room) + postProcessor.suffix
            return EncodedPair(ids: ids, typeIDs: Array(repeating: 0, count: ids.count))
        }
        let template = postProcessor.pair
        let room = max(0, maximumLength - template.specialCount)
        let (firstCount, secondCount) = Self.longestFirst(first.count, second.count, room: room)
        var pair = EncodedPair(ids: [], typeIDs: [])
        func append(_ ids: some Collection<Int32>, _ type: Int32) {
            pair.ids += ids
            pair.typeIDs += repeatElement(type, count: ids.count)
        }
        for element in template.elements {
            switch element {
            case .first(let type): append(first.prefix(firstCount), type)
            case .second(let type): append(second.prefix(secondCount), type)
            case .special(let ids, let type): append(ids, type)
            }
        }
        return pair
    }

    /// The lengths to which two texts of the given lengths are truncated to fit `room` tokens.
    static func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
        guard first + second > room else { return (first, second) }
        let (shorter, longer) = (min(first, second), max(first, second))
        // truncate the longer one as long as it stays the longer one
        var left = (shorter: shorter, longer: max(shorter, room - shorter))
        if left.shorter + left.longer > room { left = (room / 2, room / 2 + room % 2) }
        left.longer = min(left.longer, longer)
        return first > second ? (left.longer, left.shorter) : (left.shorter, left.longer)
    }
}
