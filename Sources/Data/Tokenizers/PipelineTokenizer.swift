public import Foundation

/// A tokenizer defined by a `tokenizer.json`: added tokens, normalizer, pre-tokenizer, model, post-processor and
/// decoder.
///
/// All tokenizers of this package have this type, whatever files they come from. `TokenizerFolder` reads them, and
/// `BPETrainer` trains new ones.
public struct PipelineTokenizer: Tokenizer {
    /// The contents of the files, without the model's vocabulary and merges.
    var files: TokenizerFiles
    private(set) var addedVocabulary: AddedVocabulary
    private(set) var normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let postProcessor: PostProcessor
    let decoder: TokenDecoder?
    /// Whether decoding removes spaces before English punctuation.
    private let cleansUpSpaces: Bool
    private let workspaces = EncodingWorkspacePool()

    /// The largest ID plus one, including added tokens.
    public private(set) var vocabularySize: Int
    /// The beginning-of-sequence token, if the files name one.
    public private(set) var beginOfSequence: Int32?
    /// The end-of-sequence token, if the files name one.
    public let endOfSequence: Int32?
    /// The padding token, if the files name one.
    public private(set) var padding: Int32?
    /// The unknown token, if the files name one.
    public private(set) var unknown: Int32?
    /// Notes about the tokenizer's files for the user, one line each.
    public private(set) var notes: [String]

    /// Builds the pipeline that `files` describes, with the given model.
    init(files: TokenizerFiles, model: TokenModel) throws {
        var files = files
        let root = TokenizerPart(json: files.pipeline, file: files.pipelineName, path: "")
        self.model = model
        if let version = root["version"], try version.string() != "1.0" {
            throw version.unsupported(try version.string())
        }
        let normalizer = try root["normalizer"].map { try Normalizer($0) }
        self.normalizer = normalizer
        preTokenizer = try root["pre_tokenizer"].map { try PreTokenizer($0) }
        decoder = try root["decoder"].map { try TokenDecoder($0) }
        try TextGrowth.check(root)
        let settings = TransformersSettings(files)
        let list = try AddedTokenList(files, beside: model.vocabulary)
        let tokens = list.tokens
        addedVocabulary = AddedVocabulary(
            tokens, splitsSpecialTokens: try settings.flag("split_special_tokens") ?? false,
            normalize: Self.normalizing(normalizer))
        notes = files.notes + model.notes + list.notes + (try settings.contradictions())
        if !list.notes.isEmpty, !files.hasFinalTokens {
            // save the resolved tokens, without the contradictions
            files.pipeline = files.pipeline.setting("added_tokens", to: .array(tokens.map(\.json)))
            files.configuration = files.configuration.listing(tokens)
        }
        self.files = files
        if case .wordPiece = model {
            cleansUpSpaces = try settings.flag("clean_up_tokenization_spaces") ?? false
        } else {
            cleansUpSpaces = false
        }
        vocabularySize = max(model.vocabulary.bound, (tokens.map { Int($0.id) }.max() ?? -1) + 1)
        let ids = Dictionary(tokens.map { (Array($0.content.utf8), $0.id) }, uniquingKeysWith: { $1 })
        func id(_ role: TransformersSettings.Role) throws -> Int32? {
            guard let token = try settings.token(role) else { return nil }
            return ids[Array(token.content.utf8)]
        }
        beginOfSequence = try id(.begin)
        endOfSequence = try id(.end)
        padding = try id(.padding)
        unknown = try id(.unknown)
        if case .bpe(let bpe) = model, bpe.lacksUnknownToken {
            let spells = normalizer?.spellsBytes ?? false || preTokenizer?.spellsBytes ?? false
            let token = "the unknown token \"\(bpe.options.unknownToken ?? "")\""
            guard bpe.knowsEveryText(spellsBytes: spells) else {
                throw root.fault("model: \(token) is not in the vocabulary, although some texts need it")
            }
            notes.append("\(files.pipelineName): model: \(token) is not in the vocabulary; no text needs it")
        }
        postProcessor = try PostProcessor(root["post_processor"])
        for id in postProcessor.prefix + postProcessor.suffix where Int(id) >= vocabularySize {
            throw root.fault("post_processor: the id \(id) is out of range for the vocabulary of \(vocabularySize) tokens")
        }
    }

    /// The spelling of added tokens that are matched in normalised text.
    private static func normalizing(_ normalizer: Normalizer?) -> ([UInt8]) -> [UInt8] {
        { content in
            guard let normalizer else { return content }
            var text = NormalizedText()
            content.withUnsafeBufferPointer { text.reset(to: $0) }
            normalizer.apply(to: &text)
            return text.bytes
        }
    }

    /// This tokenizer for a model whose embedding has `rows` rows; nil if that is not possible. See
    /// ``Tokenizer/fitted(to:)``.
    public func fitted(to rows: Int) -> (any Tokenizer)? { limited(to: rows) }

    /// This tokenizer for a model whose embedding has `rows` rows, without added tokens beyond them; nil if other
    /// tokens are beyond them. See `fitted(to:)`. Saving it writes the original files.
    public func limited(to rows: Int) -> PipelineTokenizer? {
        if vocabularySize <= rows { return self }
        func fits(_ ids: [Int32]) -> Bool { ids.allSatisfy { $0 < rows } }
        let pairs = postProcessor.pair.elements.allSatisfy { if case .special(let ids, _) = $0 { fits(ids) } else { true } }
        guard model.vocabulary.bound <= rows, endOfSequence ?? 0 < rows, pairs, fits(postProcessor.prefix + postProcessor.suffix)
        else { return nil }
        let lost = addedVocabulary.tokens.filter { $0.id >= rows }
        var copy = self
        copy.addedVocabulary = addedVocabulary.dropping(from: rows, normalize: Self.normalizing(normalizer))
        copy.vocabularySize = max(model.vocabulary.bound, Int(copy.addedVocabulary.tokens.map(\.id).max() ?? -1) + 1)
        func kept(_ id: Int32?) -> Int32? { id.flatMap { $0 < rows ? $0 : nil } }
        copy.beginOfSequence = kept(beginOfSequence)
        copy.padding = kept(padding)
        copy.unknown = kept(unknown)
        let named = lost.prefix(3).map { "\"\($0.content)\" (\($0.id))" }.joined(separator: ", ")
        copy.notes.append(
            "the model's embedding has only \(rows) rows; the added "
                + (lost.count == 1 ? "token \(named) is" : "tokens \(named)\(lost.count > 3 ? " …" : "") are") + " not used")
        return copy
    }

    /// This tokenizer with texts converted to lower case, except special tokens in them. Saving it writes the original
    /// files.
    public func lowercasing() -> PipelineTokenizer {
        var copy = self
        let normalizer = Normalizer.sequence([.lowercase] + (normalizer.map { [$0] } ?? []))
        copy.normalizer = normalizer
        copy.addedVocabulary = addedVocabulary.dropping(from: .max, normalize: Self.normalizing(normalizer))
        return copy
    }

    /// Encodes a text.
    /// - Parameters:
    ///   - text: The text.
    ///   - addingSpecialTokens: Whether the special tokens that surround every text are added.
    public func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
        var text = text
        return text.withUTF8 { encode(utf8: $0, addingSpecialTokens: addingSpecialTokens) }
    }

    /// Encodes arbitrary bytes, like `encode(_:addingSpecialTokens:)` for text.
    ///
    /// For a byte-level tokenizer, `decodedBytes` returns the same bytes, even if they are not valid UTF-8.
    public func encode(bytes: [UInt8], addingSpecialTokens: Bool) -> [Int32] {
        bytes.withUnsafeBufferPointer { encode(utf8: $0, addingSpecialTokens: addingSpecialTokens) }
    }

    /// Decodes token IDs to text. Bytes that are not valid UTF-8 become U+FFFD.
    public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        String(decoding: decodedBytes(ids, skippingSpecialTokens: skippingSpecialTokens), as: UTF8.self)
    }

    /// Decodes token IDs to bytes. IDs without a token are skipped.
    public func decodedBytes(_ ids: [Int32], skippingSpecialTokens: Bool) -> [UInt8] {
        var tokens: [[UInt8]] = []
        tokens.reserveCapacity(ids.count)
        for id in ids {
            if let added = addedVocabulary[id] {
                if !(added.isSpecial && skippingSpecialTokens) { tokens.append(added.bytes) }
            } else if let token = model.vocabulary.bytes(of: id) {
                tokens.append(Array(token))
            }
        }
        var text: [UInt8]
        if let decoder {
            decoder.apply(to: &tokens)
            text = tokens.count == 1 ? tokens[0] : Array(tokens.joined())
        } else {
            text = Array(tokens.joined(separator: [UInt8(ascii: " ")]))
        }
        if cleansUpSpaces { SpaceCleanup.apply(to: &text, expands: false) }
        return text
    }

    /// Writes the tokenizer's files to a folder.
    /// - Throws: `FileError`.
    public func save(to folder: URL) throws {
        try files.write(to: folder, model: model)
    }

    // MARK: Encoding

    /// Encodes a text: splits it at added tokens and encodes the sections between them.
    private func encode(utf8 text: UnsafeBufferPointer<UInt8>, addingSpecialTokens: Bool) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(text.count / 3 + 8)
        if addingSpecialTokens { ids.append(contentsOf: postProcessor.prefix) }
        workspaces.withWorkspace { workspace in
            addedVocabulary.split(text, normalized: false) { range, id in
                if let id {
                    ids.append(id)
                } else {
                    encode(section: UnsafeBufferPointer(rebasing: text[range]), range.lowerBound == 0, workspace, &ids)
                }
            }
        }
        if addingSpecialTokens { ids.append(contentsOf: postProcessor.suffix) }
        return ids
    }

    /// Encodes a section between added tokens.
    private func encode(
        section: UnsafeBufferPointer<UInt8>, _ startsText: Bool, _ workspace: EncodingWorkspace, _ ids: inout [Int32]
    ) {
        guard let normalizer else { return encode(searched: section, startsText, workspace, &ids) }
        workspace.text.reset(to: section)
        normalizer.apply(to: &workspace.text)
        let startsText = startsText && workspace.text.keepsStart
        workspace.text.bytes.withUnsafeBufferPointer { encode(searched: $0, startsText, workspace, &ids) }
    }

    /// Encodes a normalised section, which may contain further added tokens.
    private func encode(
        searched text: UnsafeBufferPointer<UInt8>, _ startsText: Bool, _ workspace: EncodingWorkspace,
        _ ids: inout [Int32]
    ) {
        addedVocabulary.split(text, normalized: true) { range, id in
            if let id {
                ids.append(id)
            } else {
                let part = UnsafeBufferPointer(rebasing: text[range])
                encode(normalized: part, startsText && range.lowerBound == 0, workspace, &ids)
            }
        }
    }

    /// Encodes normalised text without added tokens.
    private func encode(
        normalized text: UnsafeBufferPointer<UInt8>, _ startsText: Bool, _ workspace: EncodingWorkspace,
        _ ids: inout [Int32]
    ) {
        workspace.pieces.reset(to: text, startsText: startsText)
        preTokenizer?.apply(to: &workspace.pieces)
        model.cut(&workspace.pieces)
        workspace.pieces.bytes.withUnsafeBufferPointer { bytes in
            for range in workspace.pieces.ranges {
                let word = UnsafeBufferPointer(rebasing: bytes[range])
                workspace.cache.append(word, to: &ids) { model.encode(word, with: &workspace.scratch, to: &$0) }
            }
        }
    }
}
