import Data
import Foundation
import Testing
import _TestSupport

/// Ids and decoded text equal those of the reference libraries, string by string.
@Suite struct TokenizerParityTests {
    static let kinds = [
        "gpt2", "llama3", "qwen", "metaspace", "unknown", "suffix", "prefix", "wordpiece", "bert", "opt", "roberta",
        "sentencepiece", "sentencepiece-first", "unigram", "t5", "xlm-roberta", "camembert", "deberta", "albert", "cohere", "codegen",
        "qwen3.5", "gemma", "code-llama", "mpnet",
    ]

    @Test(arguments: kinds) func equalsReference(_ kind: String) throws {
        let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.folder.appendingPathComponent(kind))
        try expectParity(of: tokenizer, with: kind)
    }

    /// What was read from any file is written as a tokenizer.json that gives the same.
    @Test(arguments: kinds) func survivesSaving(_ kind: String) throws {
        let original = TokenizerFixture.folder.appendingPathComponent(kind)
        let tokenizer = try TokenizerFolder.load(from: original)
        try withTemporaryFolder { folder in
            try tokenizer.save(to: folder)
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("tokenizer.json").path))
            let saved = try TokenizerFolder.load(from: folder)
            try expectParity(of: saved, with: kind)
            #expect(saved.vocabularySize == tokenizer.vocabularySize)
            #expect(saved.beginOfSequence == tokenizer.beginOfSequence)
            #expect(saved.endOfSequence == tokenizer.endOfSequence)
            #expect(saved.padding == tokenizer.padding)
            #expect(saved.unknown == tokenizer.unknown)
            for name in [
                "tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt",
            ] {
                let bytes = try? Foundation.Data(contentsOf: original.appendingPathComponent(name))
                let copy = try? Foundation.Data(contentsOf: folder.appendingPathComponent(name))
                #expect(bytes == copy, "\(name) is carried along")
            }
        }
    }

    static let hasRealFiles = FileManager.default.fileExists(atPath: TokenizerFixture.real.path)

    @Test(.enabled(if: hasRealFiles)) func equalsSentencePieceOnTheFileOfLLaMA() throws {
        let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.real.appendingPathComponent("llama"))
        try expectParity(of: tokenizer, with: "real-llama")
        #expect(tokenizer.beginOfSequence == 1 && tokenizer.endOfSequence == 2 && tokenizer.unknown == 0)
        // The file has no padding token: none is assumed.
        #expect(tokenizer.padding == nil)
        #expect(tokenizer.vocabularySize == 32000)
    }

    @Test(.enabled(if: hasRealFiles)) func equalsTransformersOnTheFilesOfOPT() throws {
        var files: [String: [UInt8]] = [:]
        for name in ["vocab.json", "merges.txt"] {
            let file = TokenizerFixture.real.appendingPathComponent("opt").appendingPathComponent(name)
            files[name] = [UInt8](try Foundation.Data(contentsOf: file))
        }
        files["tokenizer_config.json"] = Array(
            """
            {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>",
             "add_bos_token": true, "tokenizer_class": "GPT2Tokenizer"}
            """.utf8)
        let tokenizer = try TokenizerFolder.load(files: files, path: "opt")
        try expectParity(of: tokenizer, with: "real-opt")
        #expect(tokenizer.beginOfSequence == 2 && tokenizer.endOfSequence == 2 && tokenizer.padding == 1)
        #expect(tokenizer.vocabularySize == 50265)
    }

    static let hasDeepSeek = FileManager.default.fileExists(atPath: TokenizerFixture.real.appendingPathComponent("deepseek").path)

    @Test(.enabled(if: hasDeepSeek)) func equalsTokenizersOnTheFileOfDeepSeek() throws {
        let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.real.appendingPathComponent("deepseek"))
        try expectParity(of: tokenizer, with: "real-deepseek")
        #expect(tokenizer.beginOfSequence == 0 && tokenizer.endOfSequence == 1 && tokenizer.padding == 1 && tokenizer.unknown == nil)
    }

    private func expectParity(of tokenizer: any Tokenizer, with kind: String) throws {
        let strings = try TokenizerFixture.strings()
        let expected = try TokenizerFixture.decoded(TokenizerFixture.Expected.self, kind + "/expected.json")
        try #require(expected.ids.count == strings.count)
        try #require(expected.text.count == strings.count && expected.plain.count == strings.count)
        for (index, string) in strings.enumerated() {
            let shown = string.debugDescription
            let ids = tokenizer.encode(string, addingSpecialTokens: false)
            #expect(ids == expected.ids[index], "ids of \(index): \(shown)")
            let special = tokenizer.encode(string, addingSpecialTokens: true)
            #expect(
                special == expected.prefix + expected.ids[index] + expected.suffix,
                "with special tokens, \(index): \(shown)")
            let text = tokenizer.decode(expected.ids[index], skippingSpecialTokens: false)
            let expectedText = expected.text[index] ?? string
            #expect(text.isIdentical(to: expectedText), "text of \(index): \(shown)")
            let plain = tokenizer.decode(expected.ids[index], skippingSpecialTokens: true)
            #expect(plain.isIdentical(to: expected.plain[index] ?? expectedText), "plain text of \(index): \(shown)")
        }
        let wrapped = expected.prefix + (expected.ids.last ?? []) + expected.suffix
        let text = tokenizer.decode(wrapped, skippingSpecialTokens: false)
        #expect(text.isIdentical(to: expected.wrapped))
    }
}
