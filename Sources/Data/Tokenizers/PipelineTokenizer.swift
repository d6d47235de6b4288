public import Foundation

/// A tokenizer as a tokenizer.json describes it: added tokens, normalizer, pre-tokenizer, model, post-processor and
/// decoder.
///
/// Every tokenizer of this package is one of these, whichever files it came from; `TokenizerFolder` reads them and
/// `BPETrainer` makes new ones.
public struct PipelineTokenizer: Tokenizer {
    /// The files' contents, without the model's vocabulary and merges.
    var files: TokenizerFiles
    private(set) var addedVocabulary: AddedVocabulary
    private(set) var normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let postProcessor: PostProcessor
    let decoder: TokenDecoder?
    /// Whether decoded text loses the spaces before English punctuation.
    private let cleansUpSpaces: Bool
    private let workspaces = EncodingWorkspacePool()

    public private(set) var vocabularySize: Int
    public private(set) var beginOfSequence: Int32?
    public let endOfSequence: Int32?
    public private(set) var padding: Int32?
    public private(set) var unknown: Int32?
    public private(set) var notes: [String]

    /// Builds the pipeline that `files` describe around a model.
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
            // what is written contradicts itself no more
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
                throw root.fault("model: \(token) is not in the vocabulary, and not every text has other tokens")
            }
            notes.append("\(files.pipelineName): model: \(token) is not in the vocabulary; no text needs it")
        }
        postProcessor = try PostProcessor(root["post_processor"])
        for id in postProcessor.prefix + postProcessor.suffix where Int(id) >= vocabularySize {
            throw root.fault("post_processor: the id \(id) is beyond the vocabulary of \(vocabularySize)")
        }
    }

    /// How added tokens are spelled that are searched in normalised text.
    private static func normalizing(_ normalizer: Normalizer?) -> ([UInt8]) -> [UInt8] {
        { content in
            guard let normalizer else { return content }
            var text = NormalizedText()
            content.withUnsafeBufferPointer { text.reset(to: $0) }
            normalizer.apply(to: &text)
            return text.bytes
        }
    }

    public func fitted(to rows: Int) -> (any Tokenizer)? { limited(to: rows) }

    /// This tokenizer for a model that has so many rows in its embedding; see `fitted(to:)`. It is written as it was.
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
            "the model's embedding has \(rows) rows and none for the added "
                + (lost.count == 1 ? "token \(named), which is" : "tokens \(named)\(lost.count > 3 ? " …" : ""), which are") + " not used")
        return copy
    }

    /// This tokenizer with texts in lower case, special tokens in them aside; it is written as it was.
    public func lowercasing() -> PipelineTokenizer {
        var copy = self
        let normalizer = Normalizer.sequence([.lowercase] + (normalizer.map { [$0] } ?? []))
        copy.normalizer = normalizer
        copy.addedVocabulary = addedVocabulary.dropping(from: .max, normalize: Self.normalizing(normalizer))
        return copy
    }

    public func encode(_ text: String, addingSpecialTokens: Bool) -> [Int32] {
        var text = text
        return text.withUTF8 { encode(utf8: $0, addingSpecialTokens: addingSpecialTokens) }
    }

    /// The ids of arbitrary bytes, as `encode(_:addingSpecialTokens:)` does for text.
    ///
    /// A byte-level tokenizer gives back the very bytes in `decodedBytes`, valid UTF-8 or not.
    public func encode(bytes: [UInt8], addingSpecialTokens: Bool) -> [Int32] {
        bytes.withUnsafeBufferPointer { encode(utf8: $0, addingSpecialTokens: addingSpecialTokens) }
    }

    public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
        String(decoding: decodedBytes(ids, skippingSpecialTokens: skippingSpecialTokens), as: UTF8.self)
    }

    /// The bytes of ids, before they are read as UTF-8.
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

    public func save(to folder: URL) throws {
        try files.write(to: folder, model: model)
    }

    // MARK: Encoding

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

    /// Encodes what lies between added tokens.
    private func encode(
        section: UnsafeBufferPointer<UInt8>, _ startsText: Bool, _ workspace: EncodingWorkspace, _ ids: inout [Int32]
    ) {
        guard let normalizer else { return encode(searched: section, startsText, workspace, &ids) }
        workspace.text.reset(to: section)
        normalizer.apply(to: &workspace.text)
        let startsText = startsText && workspace.text.keepsStart
        workspace.text.bytes.withUnsafeBufferPointer { encode(searched: $0, startsText, workspace, &ids) }
    }

    /// Encodes normalised text, in which more added tokens may stand.
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
