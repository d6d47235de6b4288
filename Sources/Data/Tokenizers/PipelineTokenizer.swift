public import Foundation

/// A tokenizer as a tokenizer.json describes it: added tokens, normalizer, pre-tokenizer, model, post-processor and
/// decoder.
///
/// Every tokenizer of this package is one of these, whichever files it came from; `TokenizerFolder` reads them and
/// `BPETrainer` makes new ones.
public struct PipelineTokenizer: Tokenizer {
    /// The files' contents, without the model's vocabulary and merges.
    let files: TokenizerFiles
    let addedVocabulary: AddedVocabulary
    let preTokenizer: PreTokenizer?
    let model: TokenModel
    let postProcessor: PostProcessor
    let decoder: TokenDecoder?
    private let workspaces = EncodingWorkspacePool()

    public let vocabularySize: Int
    public let beginOfSequence: Int32?
    public let endOfSequence: Int32?
    public let padding: Int32?
    public let unknown: Int32?

    /// Builds the pipeline that `files` describe around a model.
    init(files: TokenizerFiles, model: TokenModel) throws {
        let root = TokenizerPart(json: files.pipeline, file: files.pipelineName, path: "")
        self.files = files
        self.model = model
        if let normalizer = root["normalizer"] {
            throw normalizer.unsupported(try normalizer.required("type").string())
        }
        preTokenizer = try root["pre_tokenizer"].map { try PreTokenizer($0) }
        postProcessor = try PostProcessor(root["post_processor"])
        decoder = try root["decoder"].map { try TokenDecoder($0) }
        let tokens = try files.addedTokens(beside: model.vocabulary)
        addedVocabulary = AddedVocabulary(tokens, normalize: { $0 })
        vocabularySize = max(model.vocabulary.bound, (tokens.map { Int($0.id) }.max() ?? -1) + 1)
        let ids = Dictionary(tokens.map { (Array($0.content.utf8), $0.id) }, uniquingKeysWith: { $1 })
        func id(_ key: String) throws -> Int32? {
            guard let content = try files.specialToken(key) else { return nil }
            if let id = ids[Array(content.utf8)] ?? model.vocabulary.id(of: content) { return id }
            throw root.fault("the \(key) \"\(content)\" of the tokenizer's configuration is not in the vocabulary")
        }
        beginOfSequence = try id("bos_token")
        endOfSequence = try id("eos_token")
        padding = try id("pad_token")
        unknown = try id("unk_token")
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
                if !(added.isSpecial && skippingSpecialTokens) { tokens.append(Array(added.content.utf8)) }
            } else if let token = model.vocabulary.bytes(of: id) {
                tokens.append(Array(token))
            }
        }
        guard let decoder else { return Array(tokens.joined(separator: [UInt8(ascii: " ")])) }
        decoder.apply(to: &tokens)
        return tokens.count == 1 ? tokens[0] : Array(tokens.joined())
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
        guard addedVocabulary.searchesNormalizedText else {
            return encode(normalized: section, startsText, workspace, &ids)
        }
        addedVocabulary.split(section, normalized: true) { range, id in
            if let id {
                ids.append(id)
            } else {
                let part = UnsafeBufferPointer(rebasing: section[range])
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
        workspace.pieces.bytes.withUnsafeBufferPointer { bytes in
            for range in workspace.pieces.ranges {
                let word = UnsafeBufferPointer(rebasing: bytes[range])
                workspace.cache.append(word, to: &ids) { model.encode(word, with: &workspace.merger, to: &$0) }
            }
        }
    }
}
