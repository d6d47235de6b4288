import Formats

/// The tokenizer that GGUF calls `gpt2`: byte-level BPE. The file names the rules that split texts into words.
struct GGUFByteLevel {
    private let source: GGUFTokenizerMetadata

    init(_ source: GGUFTokenizerMetadata) {
        self.source = source
    }

    /// Builds the tokenizer.
    /// - Throws: `TokenizerError`.
    func tokenizer() throws -> (files: TokenizerFiles, model: TokenModel) {
        guard let listed = source.merges else {
            throw TokenizerError.malformed(
                file: source.file, line: nil, reason: "\(GGUFTokenizerMetadata.mergesKey) is missing; tokenizers of the kind gpt2 need it"
            )
        }
        let kind = try GGUFWordKind(source)
        let vocabulary = try GGUFTokenizer.vocabulary(of: source)
        let (merges, notes) = try GGUFMerges.table(listed, source, vocabulary)
        var model = BPEModel(vocabulary: vocabulary, merges: merges, options: BPEModel.Options(ignoresMerges: kind.ignoresMerges))
        model.notes = notes + (kind.note.map { [$0] } ?? [])
        let configuration = GGUFTokenizer.configuration(
            of: source, roles: source.roles, addsBegin: source.addsBegin ?? kind.addsBegin, addsEnd: source.addsEnd ?? false)
        let known = source.types.indices.compactMap { id -> AddedToken? in
            let type = source.types[id]
            guard type.isAdded else { return nil }
            return AddedToken(id: Int32(id), content: source.text(Int32(id)), isSpecial: type != .userDefined)
        }
        let files = try GGUFTokenizer.folder(source, configuration).files(
            known: known, searchesTextAsGiven: true, vocabulary: vocabulary, normalizer: kind.normalizer,
            preTokenizer: kind.preTokenizer, decoder: ByteLevelFiles.byteLevel(addsSpace: true, usesPattern: true),
            model: [
                "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
                "fuse_unk": false, "byte_fallback": false, "ignore_merges": .bool(kind.ignoresMerges),
            ])
        return (files, .bpe(model))
    }
}
