import Data
import Foundation
import Testing

/// Which files of a folder count, and what the settings beside them change.
@Suite struct TokenizerFolderTests {
    private func load(_ files: [String: [UInt8]]) throws -> any Tokenizer {
        try TokenizerFolder.load(files: files, path: "folder")
    }

    private func load(_ kind: String, _ configuration: String, _ others: [String: String] = [:]) throws -> any Tokenizer {
        var files = try TokenizerFixture.files(kind)
        files["tokenizer_config.json"] = Array(configuration.utf8)
        for (name, text) in others { files[name] = Array(text.utf8) }
        return try load(files)
    }

    @Test func prefersTokenizerJSONThenSentencePieceThenVocabularies() throws {
        var files = try TokenizerFixture.files("opt")
        files.merge(try TokenizerFixture.files("bert")) { first, _ in first }
        files["tokenizer_config.json"] = nil
        files["tokenizer.model"] = TinyTokenizers.SentencePiece().bytes
        files["tokenizer.json"] = Array(TinyTokenizers.bpe.utf8)
        #expect(try load(files).vocabularySize == 14)
        files["tokenizer.json"] = nil
        #expect(try load(files).vocabularySize == 267)
        files["tokenizer.model"] = nil
        #expect(try load(files).encode("a", addingSpecialTokens: true).count == 1)
        files["vocab.json"] = nil
        #expect(try load(files).encode("a", addingSpecialTokens: true).count == 3)
    }

    @Test func takesSpecialTokensByPresenceAndNothingElse() throws {
        // 1 is <pad>, 0 is <s>: an id of 0 is as good as any, and no token stands in for another.
        let zero = try load("opt", #"{"bos_token": "</s>", "pad_token": "<s>", "eos_token": null}"#)
        #expect(zero.padding == 0)
        #expect(zero.beginOfSequence == 2)
        #expect(zero.endOfSequence == nil && zero.unknown == nil)
        let none = try load("opt", "{}")
        #expect(none.padding == nil && none.beginOfSequence == nil && none.endOfSequence == nil)
        #expect(none.encode("a</s>", addingSpecialTokens: true).contains(2) == false)
        let mapped = try load("opt", "{}", ["special_tokens_map.json": #"{"eos_token": {"content": "</s>"}}"#])
        #expect(mapped.endOfSequence == 2)
        #expect(mapped.encode("a</s>", addingSpecialTokens: true).last == 2)
    }

    /// The flags speak of vocabulary files. A tokenizer.json has its own post-processor, which stands.
    @Test func flagsSayWhatStandsAroundTexts() throws {
        func special(_ kind: String, _ configuration: String) throws -> [Int32] {
            let tokenizer = try load(kind, configuration)
            #expect(tokenizer.encode("", addingSpecialTokens: false) == [])
            return tokenizer.encode("", addingSpecialTokens: true)
        }
        #expect(try special("sentencepiece", "{}") == [1])
        #expect(try special("sentencepiece", "{\"add_bos_token\": false}") == [])
        #expect(try special("sentencepiece", "{\"add_eos_token\": true}") == [1, 2])
        #expect(try special("sentencepiece", "{\"bos_token\": null}") == [])
        #expect(try special("opt", "{\"eos_token\": \"</s>\", \"add_eos_token\": true}") == [2])
        #expect(try special("opt", "{\"eos_token\": \"</s>\", \"add_bos_token\": true}") == [])
        let begin = #""bos_token": "<|begin_of_text|>""#
        #expect(try special("llama3", "{\(begin)}") == [0])
        #expect(try special("llama3", "{\(begin), \"add_bos_token\": false}") == [0])
    }

    @Test func addsListedTokens() throws {
        let files = ["added_tokens.json": #"{"<extra>": 267, "<pad>": 268}"#]
        let source = TinyTokenizers.SentencePiece().bytes
        var all = files.mapValues { Array($0.utf8) }
        all["tokenizer.model"] = source
        all["tokenizer_config.json"] = Array(#"{"pad_token": "<pad>"}"#.utf8)
        let tokenizer = try load(all)
        #expect(tokenizer.vocabularySize == 269)
        #expect(tokenizer.padding == 268)
        let ids = tokenizer.encode("a<extra>", addingSpecialTokens: false)
        #expect(ids.last == 267)
        #expect(tokenizer.decode([264, 267, 268], skippingSpecialTokens: true) == "a<extra>")
        #expect(tokenizer.decode([264, 267, 268], skippingSpecialTokens: false) == "a<extra><pad>")
    }

    @Test func readsSpecialTokensAsTextWhenTold() throws {
        let usual = try load("gpt2", "{}")
        #expect(usual.encode("<|endoftext|>", addingSpecialTokens: false) == [0])
        let split = try load("gpt2", #"{"split_special_tokens": true}"#)
        let ids = split.encode("a<|endoftext|>b", addingSpecialTokens: false)
        #expect(!ids.contains(0))
        #expect(split.decode(ids, skippingSpecialTokens: true) == "a<|endoftext|>b")
    }

    @Test func putsSpacesWhereLegacySays() throws {
        // SentencePiece itself, also behind a special token; or only before what begins a text.
        let old = try load("sentencepiece", "{\"legacy\": true}")
        let new = try load("sentencepiece", "{\"legacy\": false}")
        func text(_ tokenizer: any Tokenizer, _ string: String) -> String {
            tokenizer.decode(tokenizer.encode(string, addingSpecialTokens: false), skippingSpecialTokens: false)
        }
        #expect(text(old, "a<s>b") == "a<s> b")
        #expect(text(new, "a<s>b") == "a<s>b")
        #expect(text(old, " a") == " a")
        #expect(text(new, " a") == "a")
    }

    @Test func asksTheModelsConfigurationForTheClass() throws {
        var files = try TokenizerFixture.files("roberta")
        files["tokenizer_config.json"] = nil
        files["config.json"] = Array(#"{"model_type": "roberta"}"#.utf8)
        #expect(try load(files).encode("a", addingSpecialTokens: true).first == 0)
        files["config.json"] = Array(#"{"model_type": "opt"}"#.utf8)
        #expect(try load(files).encode("a", addingSpecialTokens: true).first != 0)
    }

    @Test func takesLongWordsInLinearTime() throws {
        for (kind, unit) in [
            ("sentencepiece", "a"), ("sentencepiece", " "), ("wordpiece", "the"), ("qwen", "e\u{301}"),
        ] {
            let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.folder.appendingPathComponent(kind))
            let text = String(repeating: unit, count: 200_000 / unit.unicodeScalars.count)
            let ids = tokenizer.encode(text, addingSpecialTokens: false)
            #expect(kind == "wordpiece" ? ids == [1] : ids.count > 100)
        }
    }
}
