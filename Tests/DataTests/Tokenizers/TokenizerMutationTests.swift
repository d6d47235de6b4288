import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Damaged files end in a `TokenizerError` or in a tokenizer that works; never in a crash, never in a runaway.
///
/// With `FUZZ_SECONDS` in the environment every test goes on for so long, with other seeds each time.
@Suite struct TokenizerMutationTests {
    /// Unoptimised builds try fewer.
    #if DEBUG
        static let share = 5
    #else
        static let share = 1
    #endif

    static let texts = [
        "", "ab abc -- 1-2 <m> <s>x", "ＡＢ Ünïcödé 日本", String(repeating: "ab", count: 60) + "\u{0} \u{301}",
    ]

    @Test(arguments: ["bpe", "wordPiece"]) func survivesMutatedJSON(_ kind: String) throws {
        let original = Array((kind == "bpe" ? TinyTokenizers.bpe : TinyTokenizers.wordPiece).utf8)
        try mutate(original, name: "tokenizer.json", count: 1000, seed: kind == "bpe" ? 1 : 2)
    }

    @Test func survivesMutatedSentencePieceModels() throws {
        try mutate(TinyTokenizers.SentencePiece().bytes, name: "tokenizer.model", count: 1000, seed: 3)
    }

    @Test(arguments: ["gemma", "llama3", "sentencepiece"]) func survivesMutatedGGUFFiles(_ name: String) throws {
        let original = [UInt8](try Foundation.Data(contentsOf: GGUFTokenizerTests.folder.appendingPathComponent(name + ".gguf")))
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("mutated.gguf")
            try mutate(original, name: "mutated.gguf", count: 600, seed: UInt64(name.count)) { files in
                try Foundation.Data(files["mutated.gguf"] ?? []).write(to: file)
                return try TokenizerFolder.load(from: file)
            }
        }
    }

    /// Unigram models with compiled rules, from a tokenizer.json and from SentencePiece.
    @Test(arguments: [("albert", "tokenizer.json"), ("unigram", "tokenizer.model"), ("t5", "spiece.model")])
    func survivesMutatedUnigramModels(_ kind: String, _ name: String) throws {
        var files = try TokenizerFixture.files(kind)
        let original = try #require(files[name])
        files[name] = nil
        try mutate(original, name: name, count: 300, seed: UInt64(kind.utf8.count), beside: files)
    }

    @Test func survivesMutatedConfigurations() throws {
        let json = """
            {"bos_token": "<s>", "eos_token": {"content": "<s>", "lstrip": true}, "add_bos_token": true,
             "added_tokens_decoder": {"14": {"content": "<n>", "special": true}}, "additional_special_tokens": ["<m>"]}
            """
        try mutate(
            Array(json.utf8), name: "tokenizer_config.json", count: 500, seed: 4,
            beside: ["tokenizer.json": Array(TinyTokenizers.bpe.utf8)])
    }

    private func mutate(
        _ original: [UInt8], name: String, count: Int, seed: UInt64, beside others: [String: [UInt8]] = [:],
        load: ([String: [UInt8]]) throws -> any Tokenizer = { try TokenizerFolder.load(files: $0, path: "memory") }
    ) throws {
        var loaded = 0
        var generator = Generator(state: seed)
        for _ in 0..<count / Self.share where try tryOne(original, name: name, beside: others, load, &generator) {
            loaded += 1
        }
        // Some damage goes unnoticed, and most does not.
        #expect(loaded > 0 && loaded < count / Self.share)

        guard let text = ProcessInfo.processInfo.environment["FUZZ_SECONDS"], let seconds = Double(text) else { return }
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            let seed = UInt64.random(in: 1 ... .max)
            var generator = Generator(state: seed)
            do {
                _ = try tryOne(original, name: name, beside: others, load, &generator)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    /// Damages the file and loads it; true if that went well.
    private func tryOne(
        _ original: [UInt8], name: String, beside others: [String: [UInt8]], _ load: ([String: [UInt8]]) throws -> any Tokenizer,
        _ generator: inout Generator
    ) throws -> Bool {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &generator) { Self.damage(&bytes, &generator) }
        var files = others
        files[name] = bytes
        do {
            let tokenizer = try load(files)
            for text in Self.texts {
                let ids = tokenizer.encode(text, addingSpecialTokens: true)
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
                _ = tokenizer.decode(ids, skippingSpecialTokens: false)
            }
            return true
        } catch let error as any Error & CustomStringConvertible where error is TokenizerError || error is CheckpointError {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ generator: inout Generator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        let length = min(Int.random(in: 1...24, using: &generator), bytes.count - place)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeSubrange(place..<place + length)
        case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 4: bytes.removeSubrange(place...)
        case 5:
            let words = ["null", "-1", "70000", "1e99", "\"\"", "[]", "{}", "true", "99999999999999999999", ",", "\""]
            bytes.insert(contentsOf: words[Int.random(in: 0..<words.count, using: &generator)].utf8, at: place)
        case 6:
            // Another value of the same length: a number, a letter.
            if let digit = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) {
                bytes[digit] = UInt8.random(in: 0x30...0x39, using: &generator)
            }
        default:
            let other = Int.random(in: 0...(bytes.count - length), using: &generator)
            for offset in 0..<length { bytes.swapAt(place + offset, other + offset) }
        }
    }
}

/// A small generator with a seed (xorshift64*).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 2_685_821_657_736_338_717
    }
}
