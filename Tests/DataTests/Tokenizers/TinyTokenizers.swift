/// The files of tiny tokenizers that have about every part there is, for tests of damaged files.
enum TinyTokenizers {
    /// Byte-pair encoding with most normalizers, pre-tokenizers and decoders.
    static let bpe = """
        {"version": "1.0", "truncation": null, "padding": null,
         "added_tokens": [
          {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
           "special": true},
          {"id": 13, "content": "<m>", "single_word": true, "lstrip": true, "rstrip": true, "normalized": true,
           "special": false}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"},
          {"type": "Replace", "pattern": {"String": "--"}, "content": "-"}, {"type": "StripAccents"},
          {"type": "Prepend", "prepend": "x"}, {"type": "Strip", "strip_left": true, "strip_right": true}]},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
          {"type": "Split", "pattern": {"String": "-"}, "behavior": "MergedWithNext", "invert": false},
          {"type": "Punctuation", "behavior": "Isolated"},
          {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": true}]},
         "post_processor": {"type": "TemplateProcessing",
          "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
          "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
          "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Metaspace", "replacement": "_"},
          {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 2}]},
         "model": {"type": "BPE", "dropout": null, "unk_token": "<s>", "continuing_subword_prefix": null,
          "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
          "vocab": {"<s>": 0, "a": 1, "b": 2, "c": 3, "_": 4, "ab": 5, "_ab": 6, "abc": 7, "x": 8, "1": 9, "-": 10,
           "aa": 11, "aaaa": 12},
          "merges": [["a", "b"], ["_", "ab"], ["ab", "c"], ["a", "a"], ["aa", "aa"]]}}
        """

    static let wordPiece = """
        {"version": "1.0",
         "added_tokens": [{"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": false, "special": true}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
          "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
          "max_input_chars_per_word": 100,
          "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "b": 4, "##a": 5, "##b": 6, "ab": 7, ".": 8}}}
        """

    /// What a SentencePiece model can say.
    struct SentencePiece {
        var modelType: UInt64 = 2
        var pieces: [(text: String, score: Float, type: UInt64)] =
            [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)]
            + (0..<256).map { (byteName($0), 0, 6) }
            + [
                ("\u{2581}a", -0, 1), ("ab", -1, 1), ("\u{2581}ab", -2, 1), ("aa", -3, 1), ("\u{2581}", -4, 1),
                ("a", -5, 1), ("b", -6, 1), ("日", -7, 1),
            ]
        var trainer: [(field: UInt64, value: UInt64)] = [(35, 1), (40, 0), (41, 1), (42, 2), (43, .max)]
        var normalizer: [(field: UInt64, value: UInt64)] = [(3, 1), (4, 0), (5, 1)]
        var characterMap: [UInt8] = []

        var bytes: [UInt8] {
            var output: [UInt8] = []
            for piece in pieces {
                var message: [UInt8] = []
                Self.append(1, Array(piece.text.utf8), to: &message)
                message.append(2 << 3 | 5)
                for shift in [0, 8, 16, 24] {
                    message.append(UInt8(truncatingIfNeeded: piece.score.bitPattern >> UInt32(shift)))
                }
                Self.append(3, piece.type, to: &message)
                Self.append(1, message, to: &output)
            }
            var message: [UInt8] = []
            Self.append(3, modelType, to: &message)
            for field in trainer { Self.append(field.field, field.value, to: &message) }
            Self.append(2, message, to: &output)
            message = []
            Self.append(1, Array("identity".utf8), to: &message)
            if !characterMap.isEmpty { Self.append(2, characterMap, to: &message) }
            for field in normalizer { Self.append(field.field, field.value, to: &message) }
            Self.append(3, message, to: &output)
            return output
        }

        static func byteName(_ byte: Int) -> String {
            let digits = String(byte, radix: 16, uppercase: true)
            return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
        }

        static func append(_ field: UInt64, _ value: UInt64, to output: inout [UInt8]) {
            append(varint: field << 3, to: &output)
            append(varint: value, to: &output)
        }

        static func append(_ field: UInt64, _ bytes: [UInt8], to output: inout [UInt8]) {
            append(varint: field << 3 | 2, to: &output)
            append(varint: UInt64(bytes.count), to: &output)
            output += bytes
        }

        static func append(varint: UInt64, to output: inout [UInt8]) {
            var rest = varint
            while rest >= 0x80 {
                output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            output.append(UInt8(rest))
        }
    }
}
