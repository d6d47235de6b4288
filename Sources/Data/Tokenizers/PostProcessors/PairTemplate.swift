/// How the tokens of two texts are put together, and the type id of each token.
struct PairTemplate: Sendable, Equatable {
    /// A piece of the whole, from left to right.
    enum Element: Sendable, Equatable {
        case first(type: Int32)
        case second(type: Int32)
        case special([Int32], type: Int32)
    }

    /// What tokenizers without a rule of their own do: the texts one behind the other.
    var elements: [Element] = [.first(type: 0), .second(type: 1)]

    /// The special tokens in front of, between and behind the texts.
    var specialCount: Int {
        elements.reduce(0) { if case .special(let ids, _) = $1 { $0 + ids.count } else { $0 } }
    }

    /// `[CLS] first [SEP] second [SEP]`, the second text and its separator of type 1.
    static func bert(_ prefix: [Int32], _ suffix: [Int32]) -> PairTemplate {
        PairTemplate(elements: [
            .special(prefix, type: 0), .first(type: 0), .special(suffix, type: 0), .second(type: 1),
            .special(suffix, type: 1),
        ])
    }

    /// `<s> first </s> </s> second </s>`, all of one type.
    static func roberta(_ prefix: [Int32], _ suffix: [Int32]) -> PairTemplate {
        PairTemplate(elements: [
            .special(prefix, type: 0), .first(type: 0), .special(suffix + suffix, type: 0), .second(type: 0),
            .special(suffix, type: 0),
        ])
    }

    /// A template of these elements.
    init(elements: [Element]) { self.elements = elements }

    /// The default.
    init() {}

    /// Reads the `pair` of a TemplateProcessing.
    init(_ part: TokenizerPart, specials: SpecialTokenDefinitions) throws {
        var count = 0
        elements = try part.elements().map { element in
            if let sequence = element["Sequence"] {
                let type = try sequence.required("type_id").tokenID()
                switch try sequence.required("id").string() {
                case "A": return .first(type: type)
                case "B": return .second(type: type)
                case let name: throw element.fault("the sequence \(name) is neither A nor B")
                }
            }
            let token = try element.required("SpecialToken")
            let ids = try specials.ids(token)
            count += ids.count
            try PostProcessor.check(count, element)
            return .special(ids, type: try token.required("type_id").tokenID())
        }
    }
}
