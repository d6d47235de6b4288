/// The template that combines the tokens of two texts, with the type ID of each token.
struct PairTemplate: Sendable, Equatable {
    /// An element of the sequence.
    enum Element: Sendable, Equatable {
        /// The tokens of the first text.
        case first(type: Int32)
        /// The tokens of the second text.
        case second(type: Int32)
        /// Special tokens.
        case special([Int32], type: Int32)
    }

    /// The elements in order. Default: the first text followed by the second.
    var elements: [Element] = [.first(type: 0), .second(type: 1)]

    /// The number of special tokens before, between and after the texts.
    var specialCount: Int {
        elements.reduce(0) { if case .special(let ids, _) = $1 { $0 + ids.count } else { $0 } }
    }

    /// `[CLS] first [SEP] second [SEP]`, with type 1 for the second text and its separator.
    static func bert(_ prefix: [Int32], _ suffix: [Int32]) -> PairTemplate {
        PairTemplate(elements: [
            .special(prefix, type: 0), .first(type: 0), .special(suffix, type: 0), .second(type: 1),
            .special(suffix, type: 1),
        ])
    }

    /// `<s> first </s> </s> second </s>`, with type 0 throughout.
    static func roberta(_ prefix: [Int32], _ suffix: [Int32]) -> PairTemplate {
        PairTemplate(elements: [
            .special(prefix, type: 0), .first(type: 0), .special(suffix + suffix, type: 0), .second(type: 0),
            .special(suffix, type: 0),
        ])
    }

    /// Creates a template from its elements.
    init(elements: [Element]) { self.elements = elements }

    /// Creates the default template.
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
