import Data
import Foundation
import Testing
import _TestSupport

/// Folders whose files contradict each other are read as `AutoTokenizer` of Transformers 5.24 reads them; see make_folders.py.
@Suite struct TokenizerContradictionTests {
    struct Fixture: Decodable {
        var strings: [String]
        var bases: [String: [String: String]]
        var folders: [Folder]
    }

    struct Folder: Decodable {
        var name: String
        var base: String
        var files: [String: String?]
        var expected: Expected
    }

    struct Expected: Decodable {
        var roles: [Int32?]
        var special: [Int32]
        var ids: [[Int32]]
        var prefix: [Int32]
        var suffix: [Int32]
        var text: [String?]
        var plain: [String?]
    }

    static func fixture() throws -> Fixture {
        let file = TokenizerFixture.repository.appendingPathComponent("Tests/Fixtures/tokenizer-folders/folders.json")
        return try JSONDecoder().decode(Fixture.self, from: Foundation.Data(contentsOf: file))
    }

    /// The files of a folder, with what they take from its base.
    static func files(_ folder: Folder, _ fixture: Fixture) throws -> [String: [UInt8]] {
        let base = try #require(fixture.bases[folder.base])
        var files: [String: [UInt8]] = [:]
        for (name, text) in folder.files {
            var text = try text ?? #require(base[name])
            if name == "tokenizer.json" { text = try text.dropLast(2) + "," + #require(base["model"]) + "}" }
            files[name] = Array(text.utf8)
        }
        return files
    }

    private func expect(_ tokenizer: any Tokenizer, _ expected: Expected, _ strings: [String], _ name: String) {
        #expect(
            [tokenizer.beginOfSequence, tokenizer.endOfSequence, tokenizer.padding, tokenizer.unknown] == expected.roles, "roles of \(name)"
        )
        for id in 0..<Int32(tokenizer.vocabularySize) {
            let isSpecial = tokenizer.decode([id], skippingSpecialTokens: true).isEmpty
            let isThere = !tokenizer.decode([id], skippingSpecialTokens: false).isEmpty
            if isThere { #expect(isSpecial == expected.special.contains(id), "whether \(id) is special in \(name)") }
        }
        for (index, string) in strings.enumerated() {
            let place = "\(string.debugDescription) in \(name)"
            let ids = tokenizer.encode(string, addingSpecialTokens: false)
            #expect(ids == expected.ids[index], "ids of \(place)")
            #expect(
                tokenizer.encode(string, addingSpecialTokens: true) == expected.prefix + expected.ids[index] + expected.suffix,
                "special tokens around \(place)")
            let text = tokenizer.decode(expected.ids[index], skippingSpecialTokens: false)
            #expect(text.isIdentical(to: expected.text[index] ?? string), "text of \(place)")
            let plain = tokenizer.decode(expected.ids[index], skippingSpecialTokens: true)
            #expect(plain.isIdentical(to: expected.plain[index] ?? string), "plain text of \(place)")
        }
    }

    @Test func readsFoldersAsTheReference() throws {
        let fixture = try Self.fixture()
        #expect(fixture.folders.count == 126)
        for folder in fixture.folders {
            let tokenizer = try TokenizerFolder.load(files: Self.files(folder, fixture), path: "folder")
            expect(tokenizer, folder.expected, fixture.strings, folder.name)
        }
    }

    /// What was read is written as files that do not contradict each other, and are read as the same.
    @Test func writesWhatItRead() throws {
        let fixture = try Self.fixture()
        for folder in fixture.folders {
            try withTemporaryFolder { url in
                try TokenizerFolder.load(files: Self.files(folder, fixture), path: "folder").save(to: url)
                let saved = try TokenizerFolder.load(from: url)
                expect(saved, folder.expected, fixture.strings, "what was written of \(folder.name)")
                // an unknown token that no text needs stays, and so does a map of special tokens that says otherwise
                let stays = folder.name.contains("unknown token") || folder.name.contains("map of special")
                #expect(saved.notes.isEmpty || stays, "\(folder.name): \(saved.notes)")
            }
        }
    }

    @Test func notesContradictionsOnceAndNothingElse() throws {
        let fixture = try Self.fixture()
        func notes(_ name: String) throws -> [String] {
            let folder = try #require(fixture.folders.first { $0.name == name }, "\(name)")
            return try TokenizerFolder.load(files: Self.files(folder, fixture), path: "folder").notes
        }
        func one(_ name: String, _ words: String..., location: SourceLocation = #_sourceLocation) throws {
            let notes = try notes(name)
            #expect(notes.count == 1, "\(notes)", sourceLocation: location)
            for word in words { #expect(notes.first?.contains(word) ?? false, "\(word) in \(notes)", sourceLocation: location) }
        }
        try one("bert cased file, lower-case class BertTokenizer bert", "tokenizer.json", "normalizer", "BertTokenizer", "Transformers")
        try one("bert lower-case file, cased class BertTokenizer bert", "normalizer", "do_lower_case false")
        try one("bert {\"tokenize_chinese_chars\": false}", "normalizer", "tokenize_chinese_chars false")
        try one("gpt2 GPT2Tokenizer gpt2, prefix space asked for", "pre_tokenizer", "add_prefix_space true")
        try one("llama Prepend {\"legacy\": false}", "normalizer", "pre_tokenizer", "legacy false")
        try one("tokens: one role says special", "eos_token \"</s>\" is treated as special")
        try one("tokens: padding without an id", "pad_token \"[PAD]\" has no id")
        try one("tokens: id that is not the vocabulary's", "\"the\" has id 345", "from the vocabulary")
        try one("tokens: two tokens of one id", "\"<y>\" has id 340", "using id 341")
        try one("tokens: unknown token without an id", "\"<nothing>\"", "no text needs it")
        try one("merges that repeat", "merges[", "appears twice")
        #expect(try notes("tokens: listed flags").count == 3)
        for name in [
            "bert lower-case file, cased class PreTrainedTokenizerFast bert", "gpt2 PreTrainedTokenizerFast gpt2, prefix space asked for",
            "llama file as it is PreTrainedTokenizerFast llama", "llama Metaspace {\"legacy\": false}", "split deepseek Isolated",
        ] {
            #expect(try notes(name) == [], "\(name)")
        }
    }

    /// A padding token beyond the rows of a model is not used, and the tokenizer is written as it was.
    @Test func dropsAddedTokensWithoutARow() throws {
        let fixture = try Self.fixture()
        func read(_ name: String) throws -> any Tokenizer {
            let folder = try #require(fixture.folders.first { $0.name == name }, "\(name)")
            return try TokenizerFolder.load(files: Self.files(folder, fixture), path: "folder")
        }
        let whole = try read("tokens: padding and others without ids")
        let rows = whole.vocabularySize - 3
        let fitted = try #require(whole.fitted(to: rows))
        #expect(whole.padding != nil && fitted.padding == nil && fitted.endOfSequence == whole.endOfSequence)
        #expect(fitted.vocabularySize <= rows)
        let text = "the [PAD] dog<a> <b>"
        #expect(whole.encode(text, addingSpecialTokens: true).contains { $0 >= rows })
        #expect(fitted.encode(text, addingSpecialTokens: true).allSatisfy { $0 < rows })
        #expect(fitted.decode(fitted.encode(text, addingSpecialTokens: false), skippingSpecialTokens: true) == text)
        let notes = fitted.notes.filter { $0.contains("\(rows) rows") }
        #expect(notes.count == 1 && notes[0].contains("[PAD]"), "\(fitted.notes)")
        #expect(try #require(whole.fitted(to: rows + 3)).notes == whole.notes)
        try withTemporaryFolder { url in
            try fitted.save(to: url)
            #expect(try TokenizerFolder.load(from: url).padding == whole.padding)
        }
        // a word of the vocabulary, and an end of sequence, must have their rows
        #expect(whole.fitted(to: rows - 1) == nil)
        #expect(try read("tokens: role of a word of the vocabulary").fitted(to: 3) == nil)
    }

    /// Python writes numbers that are not finite; where nobody reads them they refuse nothing and stay.
    @Test func letsNonFiniteNumbersStand() throws {
        var files = [
            "tokenizer.json": TinyTokenizers.bpe.replacing(#""padding": null"#, with: #""padding": {"direction": [NaN, -Infinity]}"#)
        ]
        files["tokenizer_config.json"] = #"{"model_max_length": Infinity, "x": {"y": NaN}, "eos_token": "<s>"}"#
        files["special_tokens_map.json"] = #"{"weights": [NaN]}"#
        let read = try TokenizerFolder.load(files: files.mapValues { Array($0.utf8) }, path: "folder")
        #expect(read.endOfSequence == 0 && read.notes == [])
        try withTemporaryFolder { url in
            try read.save(to: url)
            let saved = try String(contentsOf: url.appendingPathComponent("tokenizer_config.json"), encoding: .utf8)
            #expect(saved.contains("Infinity") && saved.contains("NaN"))
            #expect(try TokenizerFolder.load(from: url).endOfSequence == 0)
        }
        files["tokenizer_config.json"] = #"{"eos_token": NaN}"#
        #expect(throws: TokenizerError.self) { try TokenizerFolder.load(files: files.mapValues { Array($0.utf8) }, path: "folder") }
    }
}
