import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// The tokenizers in the metadata of GGUF files give the ids of the tokenizer.json that they were made of.
@Suite struct GGUFTokenizerTests {
    static let folder = TokenizerFixture.repository.appendingPathComponent("Tests/Fixtures/gguf-tokenizers")

    private static func file(_ name: String) -> URL { folder.appendingPathComponent(name + ".gguf") }

    private func decoded<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        try JSONDecoder().decode(type, from: Foundation.Data(contentsOf: Self.folder.appendingPathComponent(name)))
    }

    /// A tokenizer, and what it is when it was saved and read again.
    private func bothForms(_ file: URL, _ body: (any Tokenizer) throws -> Void) throws {
        let tokenizer = try TokenizerFolder.load(from: file)
        try body(tokenizer)
        try withTemporaryFolder { folder in
            try tokenizer.save(to: folder)
            let saved = try TokenizerFolder.load(from: folder)
            try body(saved)
            #expect(saved.vocabularySize == tokenizer.vocabularySize)
            #expect(saved.beginOfSequence == tokenizer.beginOfSequence && saved.endOfSequence == tokenizer.endOfSequence)
            #expect(saved.padding == tokenizer.padding && saved.unknown == tokenizer.unknown)
            #expect(saved.notes.isEmpty, "what is written contradicts itself nowhere: \(saved.notes)")
        }
    }

    @Test(arguments: ["gpt2", "llama3", "sentencepiece"]) func equalsTheTokenizerThatItWasMadeOf(_ kind: String) throws {
        let strings = try TokenizerFixture.strings()
        let expected = try TokenizerFixture.decoded(TokenizerFixture.Expected.self, kind + "/expected.json")
        try bothForms(Self.file(kind)) { tokenizer in
            #expect(tokenizer.notes.isEmpty)
            for (index, string) in strings.enumerated() {
                let ids = tokenizer.encode(string, addingSpecialTokens: false)
                #expect(ids == expected.ids[index], "\(index): \(string.debugDescription)")
                let special = tokenizer.encode(string, addingSpecialTokens: true)
                #expect(special == expected.prefix + expected.ids[index] + expected.suffix, "\(index): \(string.debugDescription)")
                let text = tokenizer.decode(expected.ids[index], skippingSpecialTokens: false)
                #expect(text.isIdentical(to: expected.text[index] ?? string), "\(index): \(string.debugDescription)")
                let plain = tokenizer.decode(expected.ids[index], skippingSpecialTokens: true)
                #expect(plain.isIdentical(to: expected.plain[index] ?? expected.text[index] ?? string))
            }
        }
    }

    @Test func equalsTransformersOnATokenizerOfGemmasKind() throws {
        struct Expected: Decodable {
            var ids: [[Int32]]
            var text: [String]
        }
        let strings = try TokenizerFixture.strings()
        let expected = try decoded(Expected.self, "gemma.json")
        try bothForms(Self.file("gemma")) { tokenizer in
            for (index, string) in strings.enumerated() {
                let ids = tokenizer.encode(string, addingSpecialTokens: false)
                #expect(ids == expected.ids[index], "\(index): \(string.debugDescription)")
                let text = tokenizer.decode(ids, skippingSpecialTokens: false)
                #expect(text.isIdentical(to: expected.text[index]), "\(index): \(string.debugDescription)")
            }
            #expect(tokenizer.beginOfSequence == 2 && tokenizer.endOfSequence == 1 && tokenizer.padding == 0 && tokenizer.unknown == 3)
            #expect(tokenizer.encode("a", addingSpecialTokens: true).first == 2)
            #expect(tokenizer.decode([2, 5, 1], skippingSpecialTokens: true).isEmpty, "control tokens are special")
        }
    }

    /// The names in `tokenizer.ggml.pre`, each with the words of the tokenizer.json of such models.
    static let kinds = [
        "bloom", "command-r", "dbrx", "deepseek-coder", "deepseek-llm", "deepseek-r1-qwen", "deepseek-v3", "default", "falcon", "gpt-2",
        "gpt-4o", "gpt2", "llama-bpe", "llama3", "llama4", "mpt", "olmo", "phi-2", "qwen2", "refact", "smaug-bpe", "smollm", "stablelm2",
        "starcoder", "tekken",
    ]

    @Test(arguments: kinds) func cutsWordsByTheKindThatTheFileNames(_ kind: String) throws {
        let strings = try TokenizerFixture.strings()
        let plain = try TokenizerFixture.decoded(TokenizerFixture.Expected.self, "gpt2/expected.json")
        let others = try #require(try decoded([String: [String: [Int32]]].self, "kinds.json")[kind])
        var metadata = try GGUFFile(Self.file("gpt2")).metadata
        metadata["tokenizer.ggml.pre"] = .string(Array(kind.utf8))
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "kind.gguf")
        for (index, string) in strings.enumerated() {
            let ids = tokenizer.encode(string, addingSpecialTokens: false)
            #expect(ids == others[String(index)] ?? plain.ids[index], "\(index): \(string.debugDescription)")
        }
    }

    @Test func saysThatAFileNamesNoKind() throws {
        var metadata = try GGUFFile(Self.file("gpt2")).metadata
        metadata["tokenizer.ggml.pre"] = nil
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "old.gguf")
        #expect(tokenizer.notes == ["old.gguf: tokenizer.ggml.pre is missing; texts are split into words as in GPT-2"])
        #expect(tokenizer.encode("it's", addingSpecialTokens: false).count >= 2)
    }

    @Test func takesFlagsAndTemplatesFromTheMetadata() throws {
        var metadata = try GGUFFile(Self.file("llama3")).metadata
        let silent = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(silent.encode("a", addingSpecialTokens: true).first == 0, "this kind begins texts where the file does not say")
        metadata["tokenizer.ggml.add_bos_token"] = .bool(false)
        metadata["tokenizer.ggml.add_eos_token"] = .bool(true)
        metadata["tokenizer.ggml.padding_token_id"] = .unsigned(UInt64(UInt32.max))
        metadata["tokenizer.chat_template"] = .string(Array("{{ messages }}".utf8))
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "a")
        let ids = tokenizer.encode("a", addingSpecialTokens: true)
        #expect(ids.first != 0 && ids.last == 1)
        #expect(tokenizer.padding == nil, "the greatest number stands for none")
        metadata["tokenizer.chat_template.tool_use"] = .string(Array("{{ tools }}".utf8))
        let named = try TokenizerFolder.load(metadata: metadata, path: "a")
        try withTemporaryFolder { folder in
            func template(_ tokenizer: any Tokenizer) throws -> String {
                try tokenizer.save(to: folder)
                let text = try String(contentsOf: folder.appendingPathComponent("tokenizer_config.json"), encoding: .utf8)
                return text.filter { !$0.isWhitespace }
            }
            let (one, two) = (try template(tokenizer), try template(named))
            #expect(one.contains(#""chat_template":"{{messages}}""#))
            #expect(two.contains(#"[{"name":"default","template":"{{messages}}"},{"name":"tool_use","template":"{{tools}}"}]"#))
        }
    }

    // MARK: Pieces

    @Test func putsASpaceBeforeTextsUnlessTheFileSaysOtherwise() throws {
        var metadata = TinyGGUF.pieces
        let spaced = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(spaced.encode("ab", addingSpecialTokens: true) == [1, TinyGGUF.id("▁ab")])
        #expect(spaced.decode([TinyGGUF.id("▁ab")], skippingSpecialTokens: true) == "ab")
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
        metadata["tokenizer.ggml.add_bos_token"] = .bool(false)
        let bare = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(bare.encode("ab", addingSpecialTokens: true) == [TinyGGUF.id("ab")])
        #expect(bare.decode([TinyGGUF.id("▁ab")], skippingSpecialTokens: true) == " ab")
    }

    @Test func mergesByScoresAndNeverIntoWhatIsNoNormalToken() throws {
        var metadata = TinyGGUF.pieces
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "a")
        // "ba" has a higher score than "ab", and "bab" is control
        #expect(tokenizer.encode("aba", addingSpecialTokens: false) == [TinyGGUF.id("a"), TinyGGUF.id("ba")])
        #expect(tokenizer.encode("abab", addingSpecialTokens: false) == [TinyGGUF.id("a"), TinyGGUF.id("bab")], "found in the text")
        #expect(tokenizer.encode("xyxy", addingSpecialTokens: false) == [TinyGGUF.id("xyx"), TinyGGUF.id("y")], "user-defined")
        #expect(tokenizer.encode("é", addingSpecialTokens: false) == [TinyGGUF.id("<0xC3>"), TinyGGUF.id("<0xA9>")])
        #expect(tokenizer.decode([TinyGGUF.id("<0xC3>"), TinyGGUF.id("<0xA9>")], skippingSpecialTokens: false) == "é")
        #expect(tokenizer.encode("[PAD]", addingSpecialTokens: false) != [TinyGGUF.id("[PAD]")], "unused tokens are in no text")
        metadata["tokenizer.ggml.scores"] = nil
        metadata["tokenizer.ggml.merges"] = .array(.strings(GGUFStrings(["a b", "b a"])))
        let listed = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(listed.encode("aba", addingSpecialTokens: false) == [TinyGGUF.id("ab"), TinyGGUF.id("a")], "a list of merges counts")
    }

    @Test func guessesWhatAnOldFileDoesNotSay() throws {
        var metadata = TinyGGUF.pieces
        for key in ["token_type", "bos_token_id", "eos_token_id", "unknown_token_id"] { metadata["tokenizer.ggml." + key] = nil }
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(tokenizer.beginOfSequence == 1 && tokenizer.endOfSequence == 2 && tokenizer.unknown == 0)
        #expect(tokenizer.encode("é", addingSpecialTokens: false).suffix(2) == [TinyGGUF.id("<0xC3>"), TinyGGUF.id("<0xA9>")])
    }

    @Test func takesWhiteSpaceAlongBehindTheMarksOfPhi3() throws {
        var metadata = TinyGGUF.pieces
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
        let other = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(other.encode("bab a", addingSpecialTokens: false) == [TinyGGUF.id("bab"), TinyGGUF.id("▁a")])
        metadata["general.architecture"] = .string(Array("phi3".utf8))
        let tokenizer = try TokenizerFolder.load(metadata: metadata, path: "a")
        #expect(tokenizer.encode("bab \n a", addingSpecialTokens: false) == [TinyGGUF.id("bab"), TinyGGUF.id("a")])
        #expect(tokenizer.encode("<s> a", addingSpecialTokens: false) == [1, TinyGGUF.id("▁a")])
    }

    // MARK: Folders

    @Test func findsTheFileOfAFolder() throws {
        try withTemporaryFolder { folder in
            func copy(_ name: String, as new: String) throws {
                try FileManager.default.copyItem(at: Self.file(name), to: folder.appendingPathComponent(new))
            }
            func size(_ path: String? = nil) -> String {
                do {
                    return String(try TokenizerFolder.load(from: path.map { folder.appendingPathComponent($0) } ?? folder).vocabularySize)
                } catch {
                    return "\(error)"
                }
            }
            #expect(size().contains("no tokenizer here") && size().contains(".gguf"))
            #expect(size("none.gguf").contains("none.gguf"))
            try copy("gpt2", as: "model-00001-of-00002.gguf")
            try Foundation.Data("GGUF".utf8).write(to: folder.appendingPathComponent("model-00002-of-00002.gguf"))
            try Foundation.Data().write(to: folder.appendingPathComponent("mmproj-model.gguf"))
            #expect(size() == "600")
            #expect(size("model-00002-of-00002.gguf") == "600", "any part stands for the model")
            try copy("llama3", as: "other.GGUF")
            #expect(size().contains("2 models") && size().contains("other.GGUF"))
            #expect(size("other.GGUF") == "503")
            try FileManager.default.removeItem(at: folder.appendingPathComponent("other.GGUF"))
            try FileManager.default.removeItem(at: folder.appendingPathComponent("model-00001-of-00002.gguf"))
            #expect(size().contains("model-00001-of-00002.gguf is missing"))
            try copy("gpt2", as: "x.gguf")
            for (name, bytes) in try TokenizerFixture.files("wordpiece") {
                try Foundation.Data(bytes).write(to: folder.appendingPathComponent(name))
            }
            #expect(size() != "600", "a tokenizer.json comes first")
        }
    }

    // MARK: Real files

    static let gemma = TokenizerFixture.repository.appendingPathComponent(".build/pretrained-model/gemma-3-270m-q4_k_m.gguf")

    /// What Transformers makes of these texts, with the file that `make pretrained-model` fetches.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: gemma.path))) func equalsTransformersOnTheFileOfGemma() throws {
        let tokenizer = try TokenizerFolder.load(from: Self.gemma)
        #expect(tokenizer.vocabularySize == 262_144)
        #expect(tokenizer.encode("hello world", addingSpecialTokens: true) == [2, 23391, 1902])
        #expect(tokenizer.encode("<html><unused3>a <bos>", addingSpecialTokens: false) == [217, 9, 236746, 236743, 2])
        #expect(tokenizer.encode("a" + String(repeating: " ", count: 33) + "b", addingSpecialTokens: false) == [236746, 152, 153, 236763])
        #expect(tokenizer.decode([2, 23391, 1902], skippingSpecialTokens: true) == "hello world")
    }
}

/// The metadata of a tiny tokenizer of pieces.
enum TinyGGUF {
    /// Text, score and type, in the order of ids.
    static let tokens: [(text: String, score: Float, type: Int64)] =
        [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3)] + (0..<256).map { (TinyTokenizers.SentencePiece.byteName($0), 0, 6) }
        + [
            ("ba", -1, 1), ("ab", -2, 1), ("\u{2581}ab", -3, 1), ("\u{2581}a", -4, 1), ("\u{2581}", -5, 1), ("a", -6, 1), ("b", -7, 1),
            ("x", -8, 1), ("y", -9, 1), ("bab", 0, 3), ("xyx", 0, 4), ("xy", 0, 4), ("[PAD]", 0, 5),
        ]

    static func id(_ text: String) -> Int32 { Int32(tokens.firstIndex { $0.text == text } ?? -1) }

    static let pieces: [String: GGUFValue] = [
        "general.architecture": .string(Array("llama".utf8)), "tokenizer.ggml.model": .string(Array("llama".utf8)),
        "tokenizer.ggml.tokens": .array(.strings(GGUFStrings(tokens.map(\.text)))),
        "tokenizer.ggml.scores": .array(.floats(tokens.map(\.score))),
        "tokenizer.ggml.token_type": .array(.signed(tokens.map(\.type))),
        "tokenizer.ggml.bos_token_id": .unsigned(1), "tokenizer.ggml.eos_token_id": .unsigned(2),
        "tokenizer.ggml.unknown_token_id": .unsigned(0),
    ]
}
