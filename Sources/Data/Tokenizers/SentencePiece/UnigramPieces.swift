import Formats

/// The pieces of a SentencePiece Unigram model, in the order of a Transformers class.
struct UnigramPieces {
    private var pieces: [(text: [UInt8], score: Double)]
    /// The tokens that are matched in the text itself, with their IDs in the file.
    private let known: [AddedToken]

    /// Creates the pieces in the order of the file.
    init(_ source: SentencePieceModel) {
        pieces = source.pieces.map { ($0.text, Double($0.score)) }
        known = SentencePieceFiles.knownTokens(of: source)
    }

    /// Creates the pieces with the tokens that a class adds before and after them.
    init(_ source: SentencePieceModel, _ kind: TransformersClass, _ settings: TransformersSettings) {
        func token(_ role: TransformersSettings.Role, _ name: String) -> (text: [UInt8], score: Double) {
            let named = (try? settings.token(role))?.content ?? name
            return (Array(named.utf8), 0)
        }
        let all = source.pieces.map { (text: $0.text, score: Double($0.score)) }
        switch kind {
        case .xlmRoberta:
            pieces =
                [token(.begin, "<s>"), token(.padding, "<pad>"), token(.end, "</s>"), token(.unknown, "<unk>")] + all.dropFirst(3)
                + [token(.mask, "<mask>")]
        case .camembert:
            pieces =
                [(Array("<s>NOTUSED".utf8), 0), token(.padding, "<pad>"), (Array("</s>NOTUSED".utf8), 0), token(.unknown, "<unk>")]
                + [(Array("<unk>NOTUSED".utf8), -100)] + all.dropFirst() + [token(.mask, "<mask>")]
        default: pieces = all
        }
        known = SentencePieceFiles.knownTokens(of: source).filter { $0.content != "<unk>" && $0.content != "[UNK]" }
    }

    /// The Unigram model of these pieces.
    func model(unknown: Int32?, fallsBackToBytes: Bool, _ file: String) throws -> UnigramModel {
        var vocabulary = TokenTable(capacity: pieces.count)
        for (id, piece) in pieces.enumerated() {
            try UnigramModel.insert(piece.text, id, into: &vocabulary) {
                .malformed(file: file, line: nil, reason: "piece \(id): \($0)")
            }
        }
        return UnigramModel(vocabulary: vocabulary, scores: pieces.map(\.score), unknown: unknown, fallsBackToBytes: fallsBackToBytes)
    }

    /// The files and the model of the class's tokenizer.
    func files(
        _ kind: TransformersClass, _ folder: VocabularyFolder, characterMap: JSONValue?
    ) throws -> (files: TokenizerFiles, model: TokenModel) {
        var folder = folder
        var model = try model(unknown: nil, fallsBackToBytes: false, folder.name)
        // tokens with roles that are not pieces become added tokens
        for (role, token) in kind.defaults where !folder.settings.mentions(role) {
            folder.configuration = folder.configuration.setting(role.rawValue, to: .string(token))
        }
        let further = kind.furtherSpecialTokens(folder.configuration)
        if !further.isEmpty {
            folder.configuration = folder.configuration.setting("additional_special_tokens", to: .array(further.map { .string($0) }))
        }
        let pipeline = ClassPipeline(kind, folder.configuration, folder.specialTokensMap, characterMap: characterMap)
        let unknown = try pipeline.unknownID(model, file: folder.name)
        model = model.with(unknown: unknown, fallsBackToBytes: false)
        let placed = known.compactMap { token -> AddedToken? in
            guard let id = model.vocabulary.id(of: token.content) else { return nil }
            var token = token
            token.id = id
            return token
        }
        var files = try folder.files(
            known: placed, vocabulary: model.vocabulary, normalizer: pipeline.normalizer(), preTokenizer: pipeline.preTokenizer(),
            decoder: pipeline.decoder(), model: ["type": "Unigram", "unk_id": .integer(Int(unknown)), "byte_fallback": false])
        if let processor = try pipeline.postProcessor(files.pipeline, files, model.vocabulary) {
            files.pipeline = files.pipeline.setting("post_processor", to: processor)
        }
        return (files, .unigram(model))
    }
}
