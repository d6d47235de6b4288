import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// What is wrong with the tokenizer in a GGUF file is an error of one line that names the file and the key.
@Suite struct BadGGUFTokenizerTests {
    private func message(_ metadata: [String: GGUFValue]) -> String {
        do {
            _ = try TokenizerFolder.load(metadata: metadata, path: "bad.gguf")
            return "(no error)"
        } catch {
            return (error as? TokenizerError)?.description ?? "(another error) \(error)"
        }
    }

    private static func text(_ text: String) -> GGUFValue { .string(Array(text.utf8)) }
    private static func texts(_ texts: [String]) -> GGUFValue { .array(.strings(GGUFStrings(texts))) }

    /// The message for metadata of which one value is another one, or missing.
    private func expect(
        _ words: String..., with value: GGUFValue?, for key: String, in metadata: [String: GGUFValue] = TinyGGUF.pieces,
        _ location: SourceLocation = #_sourceLocation
    ) {
        var metadata = metadata
        metadata[key] = value
        let message = message(metadata)
        #expect(message.hasPrefix("bad.gguf: \(key)"), "\(message)", sourceLocation: location)
        #expect(!message.contains("\n"), "\(message)", sourceLocation: location)
        for word in words { #expect(message.contains(word), "\(message)", sourceLocation: location) }
    }

    /// The tiny tokenizer as a byte-level one.
    private static let byteLevel: [String: GGUFValue] = {
        var metadata: [String: GGUFValue] = ["general.architecture": text("llama"), "tokenizer.ggml.model": text("gpt2")]
        metadata["tokenizer.ggml.tokens"] = texts(["<s>", "a", "b", "ab", "Ġ"])
        metadata["tokenizer.ggml.token_type"] = .array(.signed([3, 1, 1, 1, 1]))
        metadata["tokenizer.ggml.merges"] = texts(["a b"])
        metadata["tokenizer.ggml.pre"] = text("gpt-2")
        return metadata
    }()

    @Test func soundOnesAreRead() throws {
        #expect(message(TinyGGUF.pieces) == "(no error)")
        #expect(message(Self.byteLevel) == "(no error)")
        let tokenizer = try TokenizerFolder.load(metadata: Self.byteLevel, path: "a")
        #expect(tokenizer.encode("ab<s>ab a", addingSpecialTokens: true) == [3, 0, 3, 4, 1])
    }

    @Test func namesWhatIsNotSupported() {
        for model in ["bert", "t5", "rwkv", "plamo2", "gemma4", "none", ""] {
            expect("\"\(model)\" is not supported", with: Self.text(model), for: "tokenizer.ggml.model")
        }
        for kind in ["hal-9000", "", "chatglm-bpe\n"] {
            expect("is not supported", with: Self.text(kind), for: "tokenizer.ggml.pre", in: Self.byteLevel)
        }
        // pieces are cut from texts as a whole, whatever the name
        var metadata = TinyGGUF.pieces
        metadata["tokenizer.ggml.pre"] = Self.text("hal-9000")
        #expect(message(metadata) == "(no error)")
    }

    @Test func namesWhatIsMissing() {
        #expect(message([:]).contains("tokenizer.ggml.model is missing"))
        expect("is missing", with: nil, for: "tokenizer.ggml.model")
        expect("is missing", with: nil, for: "tokenizer.ggml.tokens")
        expect("the list is empty", with: Self.texts([]), for: "tokenizer.ggml.tokens")
        expect("neither scores nor merges", with: nil, for: "tokenizer.ggml.scores")
        expect("is missing", "tokenizers of the kind gpt2 need it", with: nil, for: "tokenizer.ggml.merges", in: Self.byteLevel)
    }

    @Test func namesValuesOfAnotherType() {
        for key in ["model", "pre"] {
            expect("expected a UTF-8 string", "found a whole number", with: .signed(1), for: "tokenizer.ggml." + key)
        }
        expect("expected an array of strings, found an array of whole numbers", with: .array(.signed([1])), for: "tokenizer.ggml.tokens")
        expect("expected an array of strings, found a string", with: Self.text("a b"), for: "tokenizer.ggml.merges", in: Self.byteLevel)
        expect("expected an array of 32-bit numbers", "found an array of strings", with: Self.texts(["1"]), for: "tokenizer.ggml.scores")
        expect("expected an array of whole numbers", with: .array(.floats([1])), for: "tokenizer.ggml.token_type")
        for role in ["bos", "eos", "unknown", "padding"] {
            expect("expected a whole number, found a string", with: Self.text("1"), for: "tokenizer.ggml.\(role)_token_id")
        }
        for flag in ["add_bos_token", "add_eos_token", "add_space_prefix"] {
            expect("expected true or false, found a whole number", with: .unsigned(1), for: "tokenizer.ggml." + flag)
        }
        expect("expected a UTF-8 string", with: .string([0xFF]), for: "tokenizer.chat_template")
        expect("expected a UTF-8 string", with: .bool(true), for: "tokenizer.chat_template.rag")
    }

    @Test func namesListsThatDoNotBelongTogether() {
        let count = TinyGGUF.tokens.count
        expect("it has 1 value for \(count) tokens", with: .array(.floats([0])), for: "tokenizer.ggml.scores")
        expect("it has 0 values for \(count) tokens", with: .array(.signed([])), for: "tokenizer.ggml.token_type")
        expect(
            "token 0 has the unknown type 7", with: .array(.signed([7, 1, 1, 1, 1])), for: "tokenizer.ggml.token_type", in: Self.byteLevel
        )
        expect(
            "token 1 has the unknown type -1", with: .array(.signed([3, -1, 1, 1, 1])), for: "tokenizer.ggml.token_type",
            in: Self.byteLevel)
        var scores = TinyGGUF.tokens.map(\.score)
        scores[5] = .nan
        expect("the score of token 5 is NaN", with: .array(.floats(scores)), for: "tokenizer.ggml.scores")
        for role in ["bos", "eos", "unknown", "padding"] {
            let key = "tokenizer.ggml.\(role)_token_id"
            expect("it is \(count), but there are only \(count) tokens", with: .unsigned(UInt64(count)), for: key)
            expect("it is -2,", with: .signed(-2), for: key)
            expect("expected a whole number", with: .unsigned(.max), for: key)
        }
    }

    @Test func namesTokensThatAreNone() {
        func tokens(_ last: [UInt8]) -> GGUFValue {
            var strings = GGUFStrings(["<s>", "a", "b", "ab"])
            strings.append(last)
            return .array(.strings(strings))
        }
        let key = "tokenizer.ggml.tokens"
        expect("the tokens 1 and 4 are both \"a\"", with: tokens(Array("a".utf8)), for: key, in: Self.byteLevel)
        expect("token 4 is not UTF-8", with: tokens([0x61, 0xC3]), for: key, in: Self.byteLevel)
        expect("token 4 has 16385 bytes", with: tokens([UInt8](repeating: 0x61, count: 16385)), for: key, in: Self.byteLevel)
        // canonically equivalent, and not the same
        var metadata = Self.byteLevel
        metadata[key] = Self.texts(["<s>", "é", "e\u{301}", "b", ""])
        metadata["tokenizer.ggml.merges"] = Self.texts([])
        #expect(message(metadata) == "(no error)")
        metadata[key] = .array(.strings(GGUFStrings(["<s>", "a", "b", "ab", String(repeating: "x", count: 2000)])))
        metadata["tokenizer.ggml.eos_token_id"] = .signed(4)
        #expect(message(metadata) == "bad.gguf: tokenizer.ggml.eos_token_id: token 4 has 2000 bytes; at most 1024 are supported here")
    }

    @Test func namesMergesThatAreNone() {
        let key = "tokenizer.ggml.merges"
        for merge in ["ab", "a b ab", " a", "a ", " ", ""] {
            expect("[1]: expected two tokens separated by a space", with: Self.texts(["a b", merge]), for: key, in: Self.byteLevel)
        }
        expect("[0]: \"c\" is not in the vocabulary", with: Self.texts(["a c"]), for: key, in: Self.byteLevel)
        expect("[0]: \"ba\" is not in the vocabulary", with: Self.texts(["b a"]), for: key, in: Self.byteLevel)
        var metadata = Self.byteLevel
        metadata[key] = Self.texts(["a b", "a b"])
        #expect(message(metadata) == "(no error)", "as in a tokenizer.json")
    }

    /// All parts of one long text: each token can be put together in as many ways as it has characters.
    @Test func namesAVocabularyOfTooManyMerges() {
        var generator = SplitMix(state: 3)
        let text = (0..<200).map { _ in UInt8.random(in: 0x61...0x7A, using: &generator) }
        var parts: Set<[UInt8]> = []
        for start in text.indices { for end in start..<text.count { parts.insert(Array(text[start...end])) } }
        let tokens = parts.sorted { ($0.count, $0[0]) < ($1.count, $1[0]) }.map { String(decoding: $0, as: UTF8.self) }
        var metadata = TinyGGUF.pieces
        metadata["tokenizer.ggml.scores"] = .array(.floats(tokens.map { Float($0.utf8.count) }))
        metadata["tokenizer.ggml.token_type"] = .array(.signed(tokens.map { _ in 1 }))
        expect("in more than 1048576 ways", with: Self.texts(tokens), for: "tokenizer.ggml.tokens", in: metadata)
    }

    @Test func longPiecesArePutTogetherFromNoOthers() throws {
        var metadata = TinyGGUF.pieces
        let tokens = ["<unk>", "<s>", "</s>"] + (1...600).map { String(repeating: "a", count: $0) }
        metadata["tokenizer.ggml.tokens"] = Self.texts(tokens)
        metadata["tokenizer.ggml.scores"] = .array(.floats(tokens.map { Float($0.utf8.count) }))
        metadata["tokenizer.ggml.token_type"] = .array(.signed(tokens.indices.map { $0 < 3 ? 3 : 1 }))
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "a")
        let ids = tokenizer.encode(String(repeating: "a", count: 1000), addingSpecialTokens: false)
        #expect(ids.reduce(0) { $0 + Int($1) - 2 } == 1000 && ids.allSatisfy { $0 - 2 <= 512 })
    }

    @Test func filesThatAreNoneAreNamed() throws {
        try withTemporaryFolder { folder in
            func message(_ bytes: [UInt8]) throws -> String {
                let file = try folder.adding("broken.gguf", bytes: bytes)
                do {
                    _ = try TokenizerFolder.load(from: file)
                    return "(no error)"
                } catch { return "\(error)" }
            }
            let sound = [UInt8](try Foundation.Data(contentsOf: GGUFTokenizerTests.folder.appendingPathComponent("gemma.gguf")))
            for bytes in [[], Array("GGUF".utf8), Array("{}".utf8), Array(sound.prefix(sound.count / 2))] {
                let text = try message(bytes)
                #expect(text.contains("broken.gguf") && !text.contains("\n"), "\(text)")
            }
            #expect(try message(sound) == "(no error)")
        }
    }
}
