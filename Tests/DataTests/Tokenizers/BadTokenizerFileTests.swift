import Data
import Foundation
import Testing

/// What is wrong with a file, or what it asks for in vain, is an error that names it.
@Suite struct BadTokenizerFileTests {
    /// The error of loading `files`, in words.
    private func message(_ files: [String: [UInt8]]) -> String {
        do {
            _ = try TokenizerFolder.load(files: files, path: "folder")
            return "(no error)"
        } catch {
            return (error as? TokenizerError)?.description ?? "(another error) \(error)"
        }
    }

    private func message(json: String, _ others: [String: String] = [:]) -> String {
        message(others.merging(["tokenizer.json": json]) { $1 }.mapValues { Array($0.utf8) })
    }

    /// The message for the tiny BPE with a text replaced.
    private func message(
        _ old: String, _ new: String, in json: String = TinyTokenizers.bpe,
        _ location: SourceLocation = #_sourceLocation
    ) -> String {
        #expect(json.contains(old), "the test's own text", sourceLocation: location)
        return message(json: json.replacing(old, with: new))
    }

    @Test func tinyTokenizersAreSound() throws {
        #expect(message(json: TinyTokenizers.bpe) == "(no error)")
        #expect(message(json: TinyTokenizers.wordPiece) == "(no error)")
        let model = TinyTokenizers.SentencePiece().bytes
        let tokenizer = try TokenizerFolder.load(files: ["tokenizer.model": model], path: "folder")
        let ids = tokenizer.encode("ab aab日é", addingSpecialTokens: true)
        #expect(tokenizer.decode(ids, skippingSpecialTokens: true) == "ab aab日é")
        #expect(ids.first == 1 && ids.suffix(2) == [3 + 0xC3, 3 + 0xA9])
    }

    @Test(arguments: ["tokenizer_config.json", "special_tokens_map.json"], ["2", "-1", "1.5", "true", "[\"</s>\"]", "[[2]]"])
    func namesRolesThatAreNoTokens(_ file: String, _ value: String) {
        let text = message(json: TinyTokenizers.bpe, [file: "{\"eos_token\": \(value)}"])
        #expect(text.contains("\(file)") && text.contains("eos_token: expected a string, or an object with content, found "), "\(text)")
        #expect(!text.contains("\n"))
    }

    @Test func namesWhatIsNotSupported() {
        #expect(message("\"type\": \"NFKC\"", "\"type\": \"Other\"").contains("normalizer.normalizers[0] \"Other\""))
        for (pattern, part) in [
            ("(?<n>a)\\\\k<n>", "a named group"), ("\\\\X", "\\X"), ("\\\\Ga", "\\G"), ("a\\\\K", "\\K"), ("(?~a)", "(?~"),
            ("(?s:.)", "(?s"),
            ("\\\\p{Klingon}", "Klingon"), ("\\\\101", "an octal escape"), ("(?i:ss)", "case-insensitive ss"),
            ("(?i:ß)", "folds to several"),
            ("a{3,1}", "in the wrong order"), ("[a&&]", "nothing after it"), ("\\\\xe9", "a byte beyond ASCII"),
            (String(repeating: "(?:", count: 60) + "a" + String(repeating: ")", count: 60), "nested more than 50 deep"),
        ] {
            let text = message("{\"String\": \"-\"}", "{\"Regex\": \"\(pattern)\"}")
            #expect(
                text.contains("pre_tokenizer.pretokenizers[1].pattern.Regex") && text.contains("is not supported"), "\(pattern): \(text)")
            #expect(text.contains(part), "\(pattern): \(text)")
        }
        for pattern in ["(a", "a)", "[a", "*a", "[z-a]", "[[:foo:]]", "(a)\\\\2", "a\\\\", "\\\\x{110000}"] {
            for (place, name) in [("{\"String\": \"-\"}", "pretokenizers[1]"), ("{\"String\": \"--\"}", "normalizers[2]")] {
                let text = message(place, "{\"Regex\": \"\(pattern)\"}")
                #expect(text.contains(name) && text.contains("is not a valid regular expression"), "\(pattern): \(text)")
            }
        }
        let long = message("{\"String\": \"-\"}", "{\"Regex\": \"\(String(repeating: "a", count: 5000))\"}")
        #expect(long.contains("has 5000 bytes") && long.count < 250, "\(long)")
        #expect(message("MergedWithNext", "Merged").contains("\"Merged\" is not supported"))
        #expect(message("\"type\": \"Punctuation\"", "\"type\": \"Sentences\"").contains("Sentences"))
        #expect(message("\"type\": \"Fuse\"", "\"type\": \"DTC\"").contains("decoder.decoders[2] \"DTC\""))
        #expect(message("\"type\": \"TemplateProcessing\"", "\"type\": \"Other\"").contains("post_processor \"Other\""))
        #expect(message("\"type\": \"BPE\"", "\"type\": \"Bigram\"").contains("model \"Bigram\""))
        #expect(message("\"dropout\": null", "\"dropout\": 1.5").contains("dropout: expected a number from 0 to 1"))
        #expect(message("\"dropout\": null", "\"dropout\": 0.0") == "(no error)")
        #expect(message("\"version\": \"1.0\"", "\"version\": \"2.0\"").contains("2.0"))
        #expect(message("\"prepend_scheme\": \"first\"", "\"prepend_scheme\": \"last\"").contains("last"))
    }

    @Test func namesWhatContradictsItself() {
        #expect(message("[\"a\", \"a\"]", "[\"a\", \"q\"]").contains("\"q\" is not in the vocabulary"))
        #expect(message("[\"a\", \"a\"]", "[\"c\", \"c\"]").contains("\"cc\" is not in the vocabulary"))
        #expect(message("[\"a\", \"a\"]", "[\"a\"]").contains("expected two tokens"))
        #expect(message("\"unk_token\": \"<s>\"", "\"unk_token\": \"<x>\"").contains("<x>"))
        #expect(message("\"c\": 3", "\"c\": -3").contains("expected a token id"))
        #expect(message("\"c\": 3", "\"c\": 99999999999").contains("expected a token id"))
        #expect(message("\"c\": 3", "\"c\": \"3\"").contains("expected a token id"))
        #expect(message("\"c\": 3", "\"c\": 3, \"c\": 40").contains("twice"))
        #expect(message("\"ids\": [0]", "\"ids\": [77]").contains("77"))
        #expect(message("{\"SpecialToken\": {\"id\": \"<s>\"", "{\"SpecialToken\": {\"id\": \"<t>\"").contains("<t>"))
        #expect(
            message("\"replacement\": \"_\", \"pre", "\"replacement\": \"__\", \"pre").contains("a single character"))
        #expect(message("{\"String\": \"--\"}", "{\"String\": \"\"}").contains("the pattern is empty"))
        let unknown = message("\"[UNK]\": 0,", "", in: TinyTokenizers.wordPiece)
        #expect(unknown.contains("\"[UNK]\" is not in the vocabulary"))
    }

    @Test func namesTheLineOfWhatIsNoJSON() {
        let lines = TinyTokenizers.bpe.split(separator: "\n", omittingEmptySubsequences: false)
        let cut = lines[..<9].joined(separator: "\n") + " \"norm"
        #expect(message(json: cut).contains("tokenizer.json:9: not JSON: the text ends inside a string"))
        #expect(message(json: "").contains("tokenizer.json:1"))
        #expect(message(json: "[1]").contains("expected an object"))
        #expect(message(json: String(repeating: "[", count: 100_000)).contains("nested deeper"))
        var bytes = Array(TinyTokenizers.bpe.utf8)
        if let index = bytes.firstIndex(of: UInt8(ascii: "<")) { bytes[index] = 0xFF }
        #expect(message(["tokenizer.json": bytes]).contains("not valid UTF-8"))
    }

    @Test func namesSettingsOfAWrongKind() {
        let wrong = ["tokenizer_config.json": "{\"split_special_tokens\": \"yes\"}"]
        #expect(message(json: TinyTokenizers.bpe, wrong).contains("split_special_tokens: expected true or false"))
    }

    @Test func namesWhatIsWrongWithVocabularyFiles() {
        let vocabulary = "{\"a\": 0, \"b\": 1, \"ab\": 2}"
        func message(_ merges: String, _ configuration: String = "{}", _ vocabulary: String = vocabulary) -> String {
            self.message([
                "vocab.json": Array(vocabulary.utf8), "merges.txt": Array(merges.utf8),
                "tokenizer_config.json": Array(configuration.utf8),
            ])
        }
        #expect(message("#version: 0.2\na b\n") == "(no error)")
        #expect(message("a b\nb c\n").contains("line 2: \"c\" is not in the vocabulary"))
        #expect(message("a b\na b c\n").contains("merges.txt:2: expected two tokens"))
        #expect(message("a b", "{}", "{\"a\": 0").contains("vocab.json:1: not JSON"))
        #expect(message("a b", "{\"tokenizer_class\": \"CLIPTokenizer\"}").contains("CLIPTokenizer"))
        let other = ["vocab.json": vocabulary, "merges.txt": "a b", "config.json": "{\"model_type\": \"clip\"}"]
        #expect(self.message(other.mapValues { Array($0.utf8) }).contains("model_type \"clip\""))
        #expect(self.message(["vocab.json": Array(vocabulary.utf8)]).contains("merges.txt: cannot be read"))
        #expect(self.message(["vocab.txt": Array("[UNK]\n[CLS]\n[SEP]\na\na\n".utf8)]).contains("vocab.txt:5"))
        #expect(self.message(["vocab.txt": Array("a\nb\n".utf8)]).contains("unk_token is missing or not in the vocabulary"))
        #expect(self.message(["vocab.txt": [0x61, 0x0A, 0xFF, 0x0A]]).contains("vocab.txt:2: the token is not UTF-8"))
        #expect(self.message([:]).contains("no tokenizer here"))
    }

    @Test func namesWhatASentencePieceModelAsksFor() {
        func message(_ change: (inout TinyTokenizers.SentencePiece) -> Void) -> String {
            var model = TinyTokenizers.SentencePiece()
            change(&model)
            return self.message(["tokenizer.model": model.bytes])
        }
        #expect(message { $0.modelType = 3 }.contains("model_type \"words\""))
        #expect(message { $0.modelType = 1 } == "(no error)")
        #expect(message { $0.characterMap = [1, 2, 3] }.contains("normalizer identity: the compiled rules have only 3 bytes"))
        #expect(message { $0.normalizer[1].value = 1 } == "(no error)")
        #expect(message { $0.normalizer[2].value = 0 }.contains("escape_whitespaces"))
        #expect(message { $0.trainer.append((24, 1)) } == "(no error)")
        #expect(message { $0.trainer[1].value = 5000 }.contains("unk_id is 5000, but there are only 267 pieces"))
        // a piece that is not used is never put together
        #expect(message { $0.pieces[260].type = 5 } == "(no error)")
        #expect(message { $0.pieces[5].type = 9 }.contains("piece 5 has the unknown type 9"))
        #expect(message { $0.pieces[5].text = "a" }.contains("appears twice in the file"))
        #expect(message { $0.pieces[5].text = "q" }.contains("there is no piece <0x02>"))
        #expect(message { $0.pieces[5].text = "" }.contains("piece 5 is empty"))
        #expect(message { $0.pieces[5].score = .nan }.contains("is NaN"))
        #expect(message { $0.pieces[5].text = String(repeating: "a", count: 600) }.contains("600 bytes"))
        #expect(message { $0.pieces = [] }.contains("it has no pieces"))
    }

    @Test func readsNoFurtherThanTheModelGoes() {
        let bytes = TinyTokenizers.SentencePiece().bytes
        #expect(message(["tokenizer.model": Array(bytes.dropLast(3))]).contains("only"))
        // A piece that claims to be 2^60 bytes long.
        var long: [UInt8] = [0x0A]
        TinyTokenizers.SentencePiece.append(varint: 1 << 60, to: &long)
        #expect(message(["tokenizer.model": long]).contains("has 1152921504606846976 bytes, but only 0 follow"))
        #expect(message(["tokenizer.model": Array(repeating: 0xFF, count: 40)]).contains("more than ten bytes"))
        #expect(message(["tokenizer.model": [0x0B]]).contains("wire type 3"))
        #expect(message(["tokenizer.model": [0x08, 0x01]]).contains("field 1 is not a message"))
        #expect(message(["tokenizer.model": [0x0A, 0x02, 0x08, 0x01]]).contains("field 1 has the wrong wire type"))
        #expect(message(["tokenizer.model": []]).contains("it has no pieces"))
    }
}
