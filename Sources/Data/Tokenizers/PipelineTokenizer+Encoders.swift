/// A pair of texts as encoders read it.
public struct EncodedPair: Sendable, Equatable {
    /// The tokens of both texts with the special tokens around them.
    public var ids: [Int32]
    /// The type of each token: which of the two texts it belongs to, for the models that tell them apart.
    public var typeIDs: [Int32]

    /// A pair; see the properties.
    public init(ids: [Int32], typeIDs: [Int32]) {
        self.ids = ids
        self.typeIDs = typeIDs
    }
}

extension PipelineTokenizer {
    /// The most tokens of a text that the files name (`model_max_length`), special ones included; nil if they name none or a
    /// number that only says so.
    public var maximumLength: Int? {
        guard let length = files.configuration["model_max_length"]?.integer, length > 0, length < 1 << 31 else {
            return nil
        }
        return length
    }

    public var closingTokens: [Int32] { postProcessor.suffix }

    /// The ids of a text with its special tokens, at most `maximumLength` of them: the end of the text is cut off, or its beginning.
    public func encode(_ text: String, maximumLength: Int, keepingEnd: Bool = false) -> [Int32] {
        let ids = encode(text, addingSpecialTokens: false)
        let room = max(0, maximumLength - postProcessor.prefix.count - postProcessor.suffix.count)
        return postProcessor.prefix + (keepingEnd ? ids.suffix(room) : ids.prefix(room)) + postProcessor.suffix
    }

    /// Two texts, each encoded without special tokens, as one sequence of at most `maximumLength` tokens.
    ///
    /// If there are too many, tokens are cut off at the end of the longer text until both are of one length, then of
    /// both, the first being the shorter one where the number is odd (`longest_first` of Transformers). A second text of
    /// nothing is no second text, as there: the first one stands alone.
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

    /// How much is left of two lengths when there is room for so many tokens.
    static func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
        guard first + second > room else { return (first, second) }
        let (shorter, longer) = (min(first, second), max(first, second))
        // the longer one pays as long as it stays the longer one
        var left = (shorter: shorter, longer: max(shorter, room - shorter))
        if left.shorter + left.longer > room { left = (room / 2, room / 2 + room % 2) }
        left.longer = min(left.longer, longer)
        return first > second ? (left.longer, left.shorter) : (left.shorter, left.longer)
    }
}
