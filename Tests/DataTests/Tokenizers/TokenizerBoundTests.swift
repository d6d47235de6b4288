import Data
import Foundation
import Testing

/// What a small file of a tokenizer can ask for is bounded.
@Suite struct TokenizerBoundTests {
    private func load(_ json: String) throws -> any Tokenizer {
        try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
    }

    private func message(_ json: String) -> String {
        do {
            _ = try load(json)
            return "(no error)"
        } catch {
            return (error as? TokenizerError)?.description ?? "(another error) \(error)"
        }
    }

    /// A tokenizer of a few letters with these parts.
    private func tokenizer(normalizer: String = "null", pre: String = "null", decoder: String = "null", processor: String = "null")
        -> String
    {
        #"{"version": "1.0", "added_tokens": [], "normalizer": \#(normalizer), "pre_tokenizer": \#(pre), "#
            + #""post_processor": \#(processor), "decoder": \#(decoder), "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2}, "merges": []}}"#
    }

    private func replace(_ pattern: String, _ content: String) -> String {
        #"{"type": "Replace", "pattern": {"String": "\#(pattern)"}, "content": "\#(content)"}"#
    }

    private func sequence(_ name: String, _ steps: [String]) -> String {
        #"{"type": "Sequence", "\#(name)": [\#(steps.joined(separator: ", "))]}"#
    }

    @Test func replacementsThatFeedEachOther() {
        let ten = String(repeating: "a", count: 10)
        let twelve = [String](repeating: replace("a", ten), count: 12)
        // of twelve the last three make a thousand; the fourth from the end is too many
        let normalizer = message(tokenizer(normalizer: sequence("normalizers", twelve)))
        #expect(normalizer.contains("normalizer.normalizers[8]") && normalizer.contains("10000 bytes of one byte"), "\(normalizer)")
        let decoder = message(tokenizer(decoder: sequence("decoders", twelve)))
        #expect(decoder.contains("decoder.decoders[8]") && decoder.contains("at most 1000"), "\(decoder)")
        // in sequences of sequences, in a ring, by two letters, by one long text, and between normalizer and pre-tokenizer
        let nested = sequence("normalizers", [sequence("normalizers", Array(twelve[..<6])), sequence("normalizers", Array(twelve[6...]))])
        #expect(message(tokenizer(normalizer: nested)).contains("normalizer.normalizers[1].normalizers[2]"))
        let ring = [String](
            repeating: [replace("a", "bbbbb"), replace("b", "ccccc"), replace("c", "aaaaa")].joined(separator: ", "), count: 4)
        #expect(message(tokenizer(normalizer: sequence("normalizers", ring))).contains("bytes of one byte"))
        let pairs = [String](repeating: replace("aa", String(repeating: "aa", count: 10)), count: 12)
        #expect(message(tokenizer(normalizer: sequence("normalizers", pairs))).contains("bytes of one byte"))
        #expect(message(tokenizer(normalizer: replace("a", String(repeating: "b", count: 1001)))).contains("normalizer: "))
        let prepends = [String](repeating: #"{"type": "Prepend", "prepend": "\#(ten)"}"#, count: 12)
        #expect(message(tokenizer(normalizer: sequence("normalizers", prepends + twelve[..<3]))).contains("bytes of one byte"))
        let forms = [String](repeating: #"{"type": "NFKC"}, "# + replace("\u{1D160}", String(repeating: "\u{1D160}", count: 10)), count: 6)
        #expect(message(tokenizer(normalizer: sequence("normalizers", forms))).contains("bytes of one byte"))
    }

    @Test func replacementsThatDoNotFeedEachOther() throws {
        // as many as one likes, each of which makes nine letters of one that no later one takes up
        let letters = "defghijklmnopqrstuvwxyz".map { replace(String($0), String(repeating: "a", count: 9)) }
        let read = try load(tokenizer(normalizer: sequence("normalizers", letters)))
        #expect(read.encode("dz", addingSpecialTokens: false).count == 18)
        // what shrinks again does not grow
        let there = [String](repeating: replace("a", "bb") + ", " + replace("bb", "a"), count: 100)
        #expect(message(tokenizer(normalizer: sequence("normalizers", there))) == "(no error)")
        // the limit itself is allowed
        let ten = String(repeating: "a", count: 10)
        let three = try load(tokenizer(normalizer: sequence("normalizers", [String](repeating: replace("a", ten), count: 3))))
        #expect(three.encode("a", addingSpecialTokens: false).count == 1000)
        #expect(
            message(tokenizer(normalizer: sequence("normalizers", [String](repeating: replace("x", "y"), count: 1001)))).contains("1001"))
    }

    /// Expressions longer than those of tokenizers are not compiled, sets of many categories are quick, and neither is quoted whole.
    @Test(
        "expressions of splits are bounded",
        arguments: [
            (String(repeating: #"\\p{L}"#, count: 20_000), "100000 bytes"), (String(repeating: "a|", count: 100_000), "200000 bytes"),
            (String(repeating: "a", count: 4097), "4097 bytes"),
            // Foundation's engine would be given megabytes
            (String(repeating: #"(\\p{L})\\1"#, count: 300), "is not supported"),
            // of less than the bound
            (String(repeating: "a", count: 4096), nil), ("[" + String(repeating: #"\\p{Sk}"#, count: 600) + "]a++", nil),
            (String(repeating: #"\\p{L}"#, count: 700) + "++", nil), ("((a{99}|b){1,99}){1,99}", nil), ("(?:a?){30}a{30}", nil),
        ] as [(String, String?)])
    func expressions(pattern: String, problem: String?) {
        let start = ContinuousClock.now
        let text = message(
            tokenizer(pre: #"{"type": "Split", "pattern": {"Regex": "\#(pattern)"}, "behavior": "Isolated", "invert": false}"#))
        let normalizer = message(
            tokenizer(normalizer: #"{"type": "Replace", "pattern": {"Regex": "\#(pattern)"}, "content": "b"}"#))
        if let problem {
            #expect(text.contains("pre_tokenizer.pattern.Regex") && text.contains(problem), "\(text)")
            #expect(text.count < 250)
            #expect(normalizer.contains(problem) && normalizer.count < 250)
        } else {
            #expect(text == "(no error)" && normalizer == "(no error)", "\(text) \(normalizer)")
        }
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// Expressions that look at each character again and again are stopped: texts of any length take time by their length.
    @Test(arguments: ["(?:a+)+\\\\d\\\\1|(b)", "(?:a|aa)+$(?<=xx)", "a*b|a", "(a*)*b", "a*?b(?<=ab)"])
    func expressionsThatGoBack(pattern: String) throws {
        let json = tokenizer(pre: #"{"type": "Split", "pattern": {"Regex": "\#(pattern)"}, "behavior": "Isolated", "invert": false}"#)
        let loaded = try TokenizerFolder.load(files: ["tokenizer.json": Array(json.utf8)], path: "folder")
        let start = ContinuousClock.now
        for count in [40, 3000] { _ = loaded.encode(String(repeating: "a", count: count), addingSpecialTokens: false) }
        #expect(ContinuousClock.now - start < .seconds(8))
    }

    @Test func templatesOfManyTokens() {
        let ids = [String](repeating: "0", count: 1000).joined(separator: ",")
        func template(_ single: Int, _ pair: Int) -> String {
            let special = #"{"SpecialToken": {"id": "x", "type_id": 0}}"#
            func side(_ count: Int, _ sequences: [String]) -> String {
                ([String](repeating: special, count: count) + sequences.map { #"{"Sequence": {"id": "\#($0)", "type_id": 0}}"# }).joined(
                    separator: ",")
            }
            return tokenizer(
                processor: #"{"type": "TemplateProcessing", "single": [\#(side(single, ["A"]))], "pair": [\#(side(pair, ["A", "B"]))], "#
                    + #""special_tokens": {"x": {"id": "x", "ids": [\#(ids)], "tokens": []}}}"#)
        }
        #expect(message(template(1, 1)) == "(no error)")
        #expect(message(template(2, 1)).contains("post_processor.single[1]"))
        #expect(message(template(1, 2)).contains("post_processor.pair[1]"))
        // 10^5 mentions of 1000 ids
        #expect(message(template(100_000, 1)).contains("the template has more than 1000 special tokens"))
    }

    /// Tokens that all had one hash before hashes were drawn anew in each process cost no more than others.
    @Test func tokensThatWereMadeToCollide() throws {
        func fold(_ value: UInt64) -> UInt64 {
            let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            return product.high ^ product.low
        }
        var colliding: [String] = []
        var plain: [String] = []
        var number: UInt64 = 0
        while colliding.count < 10_000 {
            number += 1
            // eight letters, and the eight bytes that take the hash to 0
            var first: UInt64 = 0
            for place in 0..<UInt64(8) {
                let nibble = (number >> (place * 4)) & 15
                first = first << 8 | (0x61 + nibble)
            }
            let second = fold(0x9E37_79B9_7F4A_7C15 ^ 16 ^ first)
            if second & 0x8080_8080_8080_8080 != 0 { continue }
            let bytes = withUnsafeBytes(of: (first, second), Array.init)
            colliding.append(String(decoding: bytes, as: UTF8.self))
            plain.append("token\(String(number, radix: 36))")
        }
        func time(_ tokens: [String]) throws -> Duration {
            let vocabulary = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1, $0) })
            let json = try JSONEncoder().encode(vocabulary)
            let text = tokenizer().replacing(#"{"a": 0, "b": 1, "c": 2}"#, with: String(decoding: json, as: UTF8.self))
            return try ContinuousClock().measure {
                let size = try load(text).vocabularySize
                #expect(size == tokens.count)
            }
        }
        _ = try time(plain)
        let (usual, made) = (try time(plain), try time(colliding))
        #expect(made < usual * 5 + .milliseconds(100), "\(made), where \(usual) are usual")
    }
}
