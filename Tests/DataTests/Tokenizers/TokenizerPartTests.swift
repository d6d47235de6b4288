import Data
import Foundation
import Testing

/// Expressions, normalizers, pre-tokenizers, models and decoders, each by itself, equal those of the reference library.
@Suite struct TokenizerPartTests {
    struct Patterns: Decodable {
        struct Case: Decodable {
            var pattern: String
            var behavior: String
            var invert: Bool
            /// The pieces of each text, with U+001F between them.
            var pieces: [String?]
        }
        var texts: [String]
        var cases: [Case]
    }

    struct Parts: Decodable {
        struct Case: Decodable {
            var name: String
            /// A tokenizer.json; its model is null where it is that of ``pieces``.
            var tokenizer: String
            var texts: [String]?
            var ids: [[Int32]]
            var decoded: [String]?
        }
        var texts: [String]
        var cases: [Case]
    }

    /// The characters of the byte alphabet by byte.
    static let alphabet: [String] = {
        var shown = [UInt32?](repeating: nil, count: 256)
        for byte in [0x21..<0x7F, 0xA1..<0xAD, 0xAE..<0x100].joined() { shown[byte] = UInt32(byte) }
        var next: UInt32 = 0x100
        return shown.map { value in
            defer { if value == nil { next += 1 } }
            return Unicode.Scalar(value ?? next).map { String(Character($0)) } ?? ""
        }
    }()

    /// A model whose token b is byte b and whose token 256 + b is byte b at the end of a piece.
    static let byteModel: String = {
        func quoted(_ text: String) -> String { text == "\"" || text == "\\" ? "\\" + text : text }
        let members = alphabet.enumerated().flatMap { byte, text in
            ["\"\(quoted(text))\": \(byte)", "\"\(quoted(text))</w>\": \(256 + byte)"]
        }
        return #"{"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null, "end_of_word_suffix": "</w>", "#
            + #""fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "merges": [], "vocab": {"#
            + members.joined(separator: ", ") + "}}"
    }()

    /// A tokenizer that shows the pieces of a Split.
    static func splitter(_ pattern: String, _ behavior: String = "Isolated", inverted: Bool = false) throws -> any Tokenizer {
        let quoted = String(decoding: try JSONEncoder().encode(pattern), as: UTF8.self)
        let json =
            #"{"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": \#(quoted)}, "#
            + #""behavior": "\#(behavior)", "invert": \#(inverted)}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}, "#
            + #""model": \#(byteModel)}"#
        return try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
    }

    /// The pieces that such a tokenizer shows.
    static func pieces(_ tokenizer: any Tokenizer, _ text: String) -> [String] {
        var pieces: [String] = []
        var bytes: [UInt8] = []
        for id in tokenizer.encode(text, addingSpecialTokens: false) {
            bytes.append(UInt8(truncatingIfNeeded: id))
            guard id >= 256 else { continue }
            pieces.append(String(decoding: bytes, as: UTF8.self))
            bytes = []
        }
        return pieces
    }

    @Test func splitsByAnyExpression() throws {
        let patterns = try TokenizerFixture.decoded(Patterns.self, "patterns.json")
        #expect(patterns.cases.count > 130)
        for test in patterns.cases {
            let tokenizer = try Self.splitter(test.pattern, test.behavior, inverted: test.invert)
            for (text, expected) in zip(patterns.texts, test.pieces) {
                guard let expected else { continue }
                let pieces = Self.pieces(tokenizer, text).joined(separator: "\u{1F}")
                #expect(pieces.isIdentical(to: expected), "\(test.pattern) \(test.behavior) \(test.invert) \(text.debugDescription)")
            }
        }
    }

    @Test func everyPartEqualsTheReference() throws {
        let parts = try TokenizerFixture.decoded(Parts.self, "parts.json")
        #expect(parts.cases.count >= 27)
        for part in parts.cases {
            let json = part.tokenizer.replacing("\"model\": null", with: "\"model\": " + Self.byteModel)
            let tokenizer = try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
            for (index, text) in (part.texts ?? parts.texts).enumerated() {
                let ids = tokenizer.encode(text, addingSpecialTokens: false)
                #expect(ids == part.ids[index], "\(part.name) \(text.debugDescription)")
                guard let decoded = part.decoded?[index] else { continue }
                #expect(
                    tokenizer.decode(part.ids[index], skippingSpecialTokens: false).isIdentical(to: decoded),
                    "\(part.name) \(text.debugDescription)")
            }
        }
    }

    /// What a text becomes does not depend on what is not UTF-8 around it, and such bytes are never lost on the byte level.
    @Test(arguments: [#"\p{L}+"#, #"(\w)\1"#, #"(?<=é|日)."#]) func keepsBytesThatAreNoText(_ pattern: String) throws {
        guard let tokenizer = try Self.splitter(pattern) as? PipelineTokenizer else { return }
        let bytes: [UInt8] = [
            0xFF, 0x61, 0x61, 0xC3, 0xA9, 0x62, 0xE6, 0x97, 0x80, 0xE6, 0x97, 0xA5, 0x62, 0xF0, 0x9F, 0x98, 0x80, 0x63, 0x63, 0xC3,
        ]
        let ids = tokenizer.encode(bytes: bytes, addingSpecialTokens: false)
        #expect(ids.map { UInt8(truncatingIfNeeded: $0) } == bytes)
    }

    /// Texts of a million characters without a place to cut take time by their length.
    @Test(arguments: [
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\s+"#,
        #" {2,}"#, #"(\w)\1+"#, #"\s+(?!\S)|\s+"#, #"a+b"#,
    ]) func longTexts(_ pattern: String) throws {
        let tokenizer = try Self.splitter(pattern)
        for letter in ["a", "A", " "] {
            let text = String(repeating: letter, count: 60_000)
            let start = ContinuousClock.now
            #expect(tokenizer.encode(text, addingSpecialTokens: false).count == 60_000)
            #expect(ContinuousClock.now - start < .seconds(6))
        }
    }

    /// Dropout is for training: it changes nothing here, and is noted.
    @Test func notesDropout() throws {
        let json = TinyTokenizers.bpe.replacing("\"dropout\": null", with: "\"dropout\": 0.3")
        let plain = try TokenizerFolder.load(files: ["tokenizer.json": Array(TinyTokenizers.bpe.utf8)], path: "folder")
        let tokenizer = try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
        #expect(tokenizer.encode("ab abc aaaa", addingSpecialTokens: false) == plain.encode("ab abc aaaa", addingSpecialTokens: false))
        #expect(tokenizer.notes.contains { $0.contains("model.dropout is 0.3") })
    }

    private func message(_ json: String) -> String {
        do {
            _ = try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
            return "(no error)"
        } catch {
            return (error as? TokenizerError)?.description ?? "(another error) \(error)"
        }
    }

    @Test func namesWhatIsWrongWithAUnigramModel() {
        func message(_ vocab: String, _ rest: String = "\"unk_id\": 0") -> String {
            self.message("{\"model\": {\"type\": \"Unigram\", \"vocab\": \(vocab), \(rest)}}")
        }
        #expect(message("[[\"<unk>\", 0], [\"a\", -1.5]]") == "(no error)")
        #expect(message("[]").contains("model.vocab: the vocabulary is empty"))
        #expect(message("[[\"a\", NaN]]").contains("model.vocab[0]: "))
        #expect(message("[[\"a\", -Infinity]]").contains("model.vocab[0]: "))
        #expect(message("[[\"a\", 1e999]]").contains("not JSON"))
        #expect(message("[[\"a\", 0], [\"a\", -1]]").contains("model.vocab[1]: \"a\" appears twice"))
        #expect(message("[[\"a\", 0], [\"b\"]]").contains("model.vocab[1]: expected a token and its score"))
        #expect(message("{\"a\": 0}").contains("model.vocab: expected an array"))
        for id in ["7", "-1", "1e30", "\"a\""] {
            #expect(message("[[\"a\", 0]]", "\"unk_id\": \(id)").contains("model.unk_id: expected the id of a token, 0 to 0"), "\(id)")
        }
        #expect(message("[[\"\(String(repeating: "a", count: 1025))\", 0]]").contains("1025 bytes"))
    }

    @Test func leavesUnknownCharactersOutWhereNoTokenStandsForThem() throws {
        let json = "{\"model\": {\"type\": \"Unigram\", \"unk_id\": null, \"vocab\": [[\"ab\", -1], [\"b\", -2]]}}"
        let tokenizer = try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
        #expect(tokenizer.encode("xabyb", addingSpecialTokens: false) == [0, 1])
        #expect(tokenizer.notes.contains { $0.contains("defines no unknown token") })
    }

    @Test func namesWhatIsWrongWithCompiledRules() {
        func message(_ bytes: [UInt8]) -> String {
            let map = Foundation.Data(bytes).base64EncodedString()
            return self.message(
                "{\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\(map)\"}, \"model\": \(Self.byteModel)}")
        }
        #expect(message([4, 0, 0, 0, 0, 0, 0, 0]) == "(no error)")
        #expect(message([]).contains("normalizer.precompiled_charsmap: the compiled rules have only 0 bytes"))
        #expect(message([9, 0, 0, 0, 1, 2]).contains("the trie's size is given as 9 bytes, but only 2 bytes follow"))
        #expect(message([255, 255, 255, 255, 1, 2]).contains("the trie's size is given as 4294967295 bytes"))
        #expect(message([4, 0, 0, 0, 0, 0, 0, 0, 0xFF]).contains("are not UTF-8"))
        let text = self.message(
            "{\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"*\"}, \"model\": \(Self.byteModel)}")
        #expect(text.contains("normalizer.precompiled_charsmap: it is not valid base64"))
    }

    @Test func namesWhatIsWrongWithPreTokenizersAndDecoders() {
        func pre(_ json: String) -> String { message("{\"pre_tokenizer\": \(json), \"model\": \(Self.byteModel)}") }
        #expect(pre("{\"type\": \"FixedLength\", \"length\": 0}").contains("pre_tokenizer.length: the length must be at least 1"))
        #expect(
            pre("{\"type\": \"CharDelimiterSplit\", \"delimiter\": \"ab\"}").contains(
                "pre_tokenizer.delimiter: expected a single character"))
        let ctc = message(
            "{\"decoder\": {\"type\": \"CTC\", \"pad_token\": \"a\", \"word_delimiter_token\": \"\", \"cleanup\": true}, \"model\": \(Self.byteModel)}"
        )
        #expect(ctc.contains("decoder.word_delimiter_token: the delimiter is empty"))
    }
}
