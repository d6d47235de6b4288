/// The tokens that are put around every text.
struct PostProcessor: Sendable, Equatable {
    var prefix: [Int32] = []
    var suffix: [Int32] = []
    /// How two texts are put together; the texts one behind the other if the files say nothing.
    var pair = PairTemplate()

    /// Reads the `post_processor` of a tokenizer.json: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel
    /// (which adds nothing) and Sequence.
    init(_ part: TokenizerPart?) throws {
        guard let part else { return }
        let type = try part.required("type").string()
        switch type {
        case "ByteLevel": break
        case "BertProcessing", "RobertaProcessing":
            prefix = [try Self.pairedID(part.required("cls"))]
            suffix = [try Self.pairedID(part.required("sep"))]
            pair = type == "BertProcessing" ? .bert(prefix, suffix) : .roberta(prefix, suffix)
        case "TemplateProcessing": try readTemplate(part)
        case "Sequence":
            for element in try part.required("processors").elements() {
                let inner = try PostProcessor(element)
                prefix = inner.prefix + prefix
                suffix += inner.suffix
                // one of the processors builds pairs, the others (ByteLevel) leave them as they are
                if inner.pair != PairTemplate() { pair = inner.pair }
            }
        default: throw part.unsupported(type)
        }
    }

    /// The id of a `["[CLS]", 101]` pair.
    private static func pairedID(_ part: TokenizerPart) throws -> Int32 {
        let elements = try part.elements()
        guard elements.count == 2 else { throw part.fault("expected a pair of token and id") }
        return try elements[1].tokenID()
    }

    private mutating func readTemplate(_ part: TokenizerPart) throws {
        let specials = part["special_tokens"]
        var isBehindText = false
        for element in try part.required("single").elements() {
            if let sequence = element["Sequence"] {
                guard try sequence.required("id").string() == "A", !isBehindText else {
                    throw element.fault("expected the sequence A once")
                }
                isBehindText = true
            } else {
                let name = try element.required("SpecialToken").required("id").string()
                guard let special = specials?[name] else {
                    throw element.fault("\"\(name)\" is not in special_tokens")
                }
                let ids = try special.required("ids").elements().map { try $0.tokenID() }
                if isBehindText { suffix += ids } else { prefix += ids }
            }
        }
        if !isBehindText { throw part.fault("the template has no sequence A") }
        if let template = part["pair"] { pair = try PairTemplate(template, specials: specials) }
    }
}
