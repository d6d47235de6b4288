import Data
import Foundation
import Testing

@Suite struct BPETrainerTests {
    static let texts = [
        "the cat sat on the mat, the cat's mat", "a cat, another cat and the other cats", "123 123 1234\n\n\tthe end",
    ]

    @Test func putsSpecialTokensFirstThenBytesThenMerges() throws {
        let tokenizer = try BPETrainer(vocabularySize: 270).train(on: Self.texts)
        #expect(tokenizer.vocabularySize == 270)
        #expect(tokenizer.padding == 0)
        #expect(tokenizer.beginOfSequence == 1)
        #expect(tokenizer.endOfSequence == 2)
        #expect(tokenizer.unknown == nil)
        // "~" occurs in no text: it is its byte's id.
        #expect(tokenizer.encode("~", addingSpecialTokens: false) == [3 + 0x7E])
        #expect(tokenizer.encode("é", addingSpecialTokens: false) == [3 + 0xC3, 3 + 0xA9])
        #expect(tokenizer.encode("a</s>", addingSpecialTokens: true) == [1, 3 + 0x61, 2])
        // "at" is the most frequent pair: eight times.
        #expect(tokenizer.decode([259], skippingSpecialTokens: false) == "at")
    }

    @Test func mergesAsCountedByHand() throws {
        // "abab" twice: ab 4 times, ba twice; then (ab, ab) twice.
        let tokenizer = try BPETrainer(vocabularySize: 260, specialTokens: []).train(on: ["abab", "abab"])
        #expect(tokenizer.vocabularySize == 258)
        #expect(tokenizer.decode([256, 257], skippingSpecialTokens: false) == "ababab")
        #expect(tokenizer.encode("abababx", addingSpecialTokens: true) == [257, 256, 0x78])
        #expect(tokenizer.beginOfSequence == nil && tokenizer.padding == nil)
    }

    @Test func mergesRunsFromTheLeft() throws {
        let tokenizer = try BPETrainer(vocabularySize: 258, specialTokens: []).train(on: ["aaaaa"])
        #expect(tokenizer.vocabularySize == 257)
        #expect(tokenizer.encode("aaaaa", addingSpecialTokens: false) == [256, 256, 0x61])
    }

    @Test func agreesWithCountingEveryPairAnew() throws {
        let trainer = BPETrainer(vocabularySize: 330, specialTokens: ["<pad>"])
        let texts = try TokenizerFixture.strings() + Self.texts
        let tokenizer = try trainer.train(on: texts)
        let merges = Self.naiveMerges(words: texts.flatMap(Self.words), first: 1, count: tokenizer.vocabularySize - 257)
        for (index, merge) in merges.enumerated() {
            #expect(tokenizer.decodedBytes([Int32(257 + index)], skippingSpecialTokens: false) == merge)
        }
    }

    @Test func givesTheSameTokenizerTwice() throws {
        let trainer = BPETrainer(vocabularySize: 300)
        let first = try trainer.train(on: Self.texts)
        let second = try trainer.train(on: Self.texts)
        for text in Self.texts {
            #expect(
                first.encode(text, addingSpecialTokens: true) == second.encode(text, addingSpecialTokens: true))
        }
    }

    @Test func refusesImpossibleSettings() {
        for size in [258, -1, .min, .max] {
            #expect(throws: TokenizerError.self) { try BPETrainer(vocabularySize: size).train(on: ["a"]) }
        }
        #expect(throws: TokenizerError.self) {
            try BPETrainer(vocabularySize: 300, specialTokens: ["<s>", "<s>"]).train(on: ["a"])
        }
        #expect(throws: TokenizerError.self) {
            try BPETrainer(vocabularySize: 300, specialTokens: ["a"]).train(on: ["a"])
        }
        #expect(throws: TokenizerError.self) {
            try BPETrainer(vocabularySize: 300, specialTokens: [""]).train(on: ["a"])
        }
    }

    @Test func neverMergesIntoASpecialToken() throws {
        let trainer = BPETrainer(vocabularySize: 400, specialTokens: ["the", "</s>"])
        let tokenizer = try trainer.train(on: Array(repeating: "other them bathe", count: 9))
        #expect(tokenizer.encode("bathe", addingSpecialTokens: false).contains(0))
        let ids = tokenizer.encode("other", addingSpecialTokens: false)
        #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == "other")
    }

    /// Words by a direct reading of the pattern.
    private static func words(_ text: String) -> [[UInt8]] {
        var result: [[UInt8]] = []
        let pattern = #/'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/#
            .matchingSemantics(.unicodeScalar)
        for match in text.matches(of: pattern) { result.append(Array(match.output.utf8)) }
        return result
    }

    private static func naiveMerges(words: [[UInt8]], first: Int, count: Int) -> [[UInt8]] {
        var words = words.map { $0.map { Int($0) + first } }
        var spellings: [[UInt8]] = Array(repeating: [], count: first) + (0..<256).map { [UInt8($0)] }
        var result: [[UInt8]] = []
        while result.count < count {
            var counts: [[Int]: Int] = [:]
            for word in words { for pair in zip(word, word.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 } }
            guard
                let best = counts.min(by: {
                    ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1])
                }), best.value > 1
            else { break }
            let spelling = spellings[best.key[0]] + spellings[best.key[1]]
            let id = spellings.firstIndex(of: spelling) ?? spellings.count
            if id == spellings.count {
                spellings.append(spelling)
                result.append(spelling)
            }
            words = words.map { word in
                var merged: [Int] = []
                var index = 0
                while index < word.count {
                    if index + 1 < word.count, word[index] == best.key[0], word[index + 1] == best.key[1] {
                        merged.append(id)
                        index += 2
                    } else {
                        merged.append(word[index])
                        index += 1
                    }
                }
                return merged
            }
        }
        return result
    }
}
