import Formats

/// Trains a byte-level byte-pair encoding on texts.
///
/// Texts are split by GPT-2's pattern, words are counted, and the most frequent pair of adjacent symbols is merged
/// repeatedly (Sennrich et al. 2016, on bytes as in Radford et al. 2019). Training is deterministic: of equally
/// frequent pairs, the one with the lower left ID, then the lower right ID, is merged first.
public struct BPETrainer: Sendable {
    /// The maximum number of IDs, including special tokens and the 256 bytes.
    public var vocabularySize: Int
    /// The special tokens, which get the IDs 0, 1, ….
    ///
    /// `<s>` is the beginning-of-sequence token, `</s>` the end-of-sequence token, `<pad>` the padding token and
    /// `<unk>` the unknown token. `<|endoftext|>` is used for the first two if they are absent. Other tokens are
    /// special without a role.
    public var specialTokens: [String]
    /// The minimum number of occurrences of a pair to be merged.
    public var minimumCount: Int

    /// Creates a trainer.
    /// - Parameters:
    ///   - vocabularySize: The maximum number of IDs, at least the number of special tokens plus 256.
    ///   - specialTokens: The special tokens, distinct and not empty.
    ///   - minimumCount: The minimum number of occurrences of a pair to be merged.
    public init(
        vocabularySize: Int, specialTokens: [String] = ["<pad>", "<s>", "</s>"], minimumCount: Int = 2
    ) {
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
        self.minimumCount = minimumCount
    }

    /// Trains a tokenizer on texts.
    ///
    /// - Returns: A tokenizer with the special tokens first, then the 256 bytes in order, then the merged tokens. It
    ///   has fewer IDs than `vocabularySize` if the texts have too few pairs. It adds the beginning-of-sequence token,
    ///   if there is one, before every text.
    /// - Throws: `TokenizerError.training` if the settings are invalid.
    public func train(on texts: [String]) throws -> PipelineTokenizer {
        let least = specialTokens.count + 256
        guard vocabularySize >= least, TokenizerPart.ids.contains(vocabularySize) else {
            throw TokenizerError.training(
                "the vocabulary size \(vocabularySize) is outside "
                    + "\(least)…\(TokenizerPart.ids.upperBound) (the special tokens and the 256 bytes are always included)")
        }
        var vocabulary = TokenTable(capacity: vocabularySize)
        for (id, token) in specialTokens.enumerated() {
            guard !token.isEmpty, vocabulary.insert(token.utf8, id: Int32(id)) else {
                throw TokenizerError.training("the special token \"\(token)\" is empty or repeated")
            }
        }
        let firstByte = specialTokens.count
        for byte in 0..<256 {
            guard vocabulary.insert(ByteAlphabet.spelled([UInt8(byte)]), id: Int32(firstByte + byte)) else {
                throw TokenizerError.training("a special token equals the token of byte \(byte)")
            }
        }
        var learner = MergeLearner(firstByte: Int32(firstByte), words: WordCounts(texts))
        var merges: [(left: Int32, right: Int32, result: Int32)] = []
        while vocabulary.count < vocabularySize, let pair = learner.mostFrequentPair(atLeast: max(1, minimumCount)) {
            let token = (vocabulary.bytes(of: pair.left) ?? []) + (vocabulary.bytes(of: pair.right) ?? [])
            var result = Int32(vocabulary.count)
            if let known = token.withUnsafeBufferPointer({ vocabulary.id(of: $0) }) {
                // Two pairs may spell the same token. A pair that spells a special token is not merged.
                if known < Int32(firstByte) {
                    learner.discard(pair)
                    continue
                }
                result = known
            } else {
                _ = vocabulary.insert(token, id: result)
            }
            merges.append((pair.left, pair.right, result))
            learner.merge(pair, into: result)
        }
        return try tokenizer(vocabulary, merges)
    }

    /// The tokenizer with the given vocabulary and merges.
    private func tokenizer(
        _ vocabulary: TokenTable, _ merges: [(left: Int32, right: Int32, result: Int32)]
    ) throws -> PipelineTokenizer {
        var table = MergeTable(capacity: merges.count)
        for (rank, merge) in merges.enumerated() {
            _ = table.insert(
                left: merge.left, right: merge.right, MergeTable.Merge(rank: Int32(rank), result: merge.result))
        }
        let files = TokenizerFiles(
            pipeline: pipeline, pipelineName: "tokenizer.json", configuration: configuration,
            specialTokensMap: .object(roles.map { .init($0.key, .string($0.token)) }))
        let model = BPEModel(vocabulary: vocabulary, merges: table, options: BPEModel.Options())
        return try PipelineTokenizer(files: files, model: .bpe(model))
    }

    // MARK: The contents of the files besides vocabulary and merges

    private var roles: [(key: String, token: String)] {
        let candidates = [
            ("bos_token", ["<s>", "<|endoftext|>"]), ("eos_token", ["</s>", "<|endoftext|>"]),
            ("pad_token", ["<pad>"]), ("unk_token", ["<unk>"]),
        ]
        return candidates.compactMap { key, tokens in
            tokens.first { specialTokens.contains($0) }.map { (key, $0) }
        }
    }

    private var configuration: JSONValue {
        var members: [JSONValue.Member] = [.init("tokenizer_class", "PreTrainedTokenizerFast")]
        members += roles.map { .init($0.key, .string($0.token)) }
        members.append(.init("clean_up_tokenization_spaces", false))
        return .object(members)
    }

    private var pipeline: JSONValue {
        let added = specialTokens.enumerated().map { id, token -> JSONValue in
            [
                "id": .integer(id), "content": .string(token), "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            ]
        }
        let byteLevel: JSONValue = [
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
        ]
        return [
            "version": "1.0", "truncation": nil, "padding": nil, "added_tokens": .array(added), "normalizer": nil,
            "pre_tokenizer": byteLevel, "post_processor": template, "decoder": byteLevel,
            "model": [
                "type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil,
                "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            ],
        ]
    }

    private var template: JSONValue {
        guard let begin = roles.first(where: { $0.key == "bos_token" })?.token,
            let id = specialTokens.firstIndex(of: begin)
        else { return nil }
        return TemplateJSON(prefix: [.init(text: begin, id: Int32(id))], suffix: []).json
    }
}
