/// The special tokens that are added around every text.
struct PostProcessor: Sendable, Equatable {
    /// The tokens before a text.
    var prefix: [Int32] = []
    /// The tokens after a text.
    var suffix: [Int32] = []
    /// The template for pairs of texts. Default: the first text followed by the second.
    var pair = PairTemplate()

    /// Reads the `post_processor` of a `tokenizer.json`: TemplateProcessing, BertProcessing, RobertaProcessing,
    /// ByteLevel (which adds nothing) or Sequence.
    /// - Throws: `TokenizerError`.
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
                try Self.check(prefix.count + suffix.count, element)
                // only one of the processors defines pairs; others (ByteLevel) leave the template unchanged
                if inner.pair != PairTemplate() { pair = inner.pair }
            }
        default: throw part.unsupported(type)
        }
    }

    /// The ID in a pair such as `["[CLS]", 101]`.
    private static func pairedID(_ part: TokenizerPart) throws -> Int32 {
        let elements = try part.elements()
        guard elements.count == 2 else { throw part.fault("expected a pair of a token and its id") }
        return try elements[1].tokenID()
    }

    /// Reads a TemplateProcessing.
    private mutating func readTemplate(_ part: TokenizerPart) throws {
        let specials = try SpecialTokenDefinitions(part["special_tokens"])
        var isBehindText = false
        for element in try part.required("single").elements() {
            if let sequence = element["Sequence"] {
                guard try sequence.required("id").string() == "A", !isBehindText else {
                    throw element.fault("expected the sequence A, exactly once")
                }
                isBehindText = true
            } else {
                let ids = try specials.ids(element.required("SpecialToken"))
                if isBehindText { suffix += ids } else { prefix += ids }
                try Self.check(prefix.count + suffix.count, element)
            }
        }
        if !isBehindText { throw part.fault("the template has no sequence A") }
        if let template = part["pair"] { pair = try PairTemplate(template, specials: specials) }
    }

    /// Limits the number of special tokens around a text. A few lines of a file could otherwise ask for 10^8 of them.
    static func check(_ count: Int, _ part: TokenizerPart) throws {
        if count > tokenLimit { throw part.fault("the template has more than \(tokenLimit) special tokens") }
    }

    private static let tokenLimit = 1000
}

/// The `special_tokens` of a template: token IDs by name.
struct SpecialTokenDefinitions {
    private var definitions: [String: TokenizerPart] = [:]

    init(_ part: TokenizerPart?) throws {
        guard let part else { return }
        for member in part.json.members ?? [] {
            definitions[member.key] = TokenizerPart(json: member.value, file: part.file, path: part.path + "." + member.key)
        }
    }

    /// The IDs of a `SpecialToken` element.
    func ids(_ element: TokenizerPart) throws -> [Int32] {
        let name = try element.required("id").string()
        guard let special = definitions[name] else { throw element.fault("\"\(name)\" is not in special_tokens") }
        let ids = try special.required("ids").elements()
        try PostProcessor.check(ids.count, special)
        return try ids.map { try $0.tokenID() }
    }
}
