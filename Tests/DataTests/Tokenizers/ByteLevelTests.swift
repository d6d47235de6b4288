import Data
import Foundation
import Testing

/// Byte-level tokenizers lose nothing.
@Suite struct ByteLevelTests {
    private func tokenizer() throws -> PipelineTokenizer {
        try BPETrainer(vocabularySize: 400).train(on: TokenizerFixture.strings())
    }

    @Test func returnsEveryString() throws {
        let tokenizer = try tokenizer()
        for string in try TokenizerFixture.strings() {
            let ids = tokenizer.encode(string, addingSpecialTokens: false)
            #expect(tokenizer.decode(ids, skippingSpecialTokens: false).isIdentical(to: string))
        }
    }

    @Test func returnsEveryScalar() throws {
        let tokenizer = try tokenizer()
        var text = ""
        for value in UInt32(0)...0x10FFFF {
            if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        let ids = tokenizer.encode(text, addingSpecialTokens: false)
        #expect(tokenizer.decode(ids, skippingSpecialTokens: false).isIdentical(to: text))
    }

    @Test func returnsArbitraryBytes() throws {
        let tokenizer = try tokenizer()
        var state: UInt64 = 88_172_645_463_325_252
        for length in [0, 1, 2, 3, 5, 17, 100, 5000] {
            for _ in 0..<20 {
                let bytes = (0..<length).map { _ -> UInt8 in
                    state ^= state << 13
                    state ^= state >> 7
                    state ^= state << 17
                    // Lead bytes and stray continuations more often than chance has them.
                    return UInt8(truncatingIfNeeded: state >> 32) | (state & 3 == 0 ? 0xC0 : 0)
                }
                let ids = tokenizer.encode(bytes: bytes, addingSpecialTokens: false)
                #expect(tokenizer.decodedBytes(ids, skippingSpecialTokens: false) == bytes)
            }
        }
    }

    @Test func skipsSpecialTokensOnlyWhenAsked() throws {
        let tokenizer = try tokenizer()
        let ids = tokenizer.encode("a</s>b", addingSpecialTokens: true)
        #expect(tokenizer.decode(ids, skippingSpecialTokens: true) == "ab")
        #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == "<s>a</s>b")
        #expect(tokenizer.decode([-1, 1 << 20, 3 + 0x61, .max, .min], skippingSpecialTokens: false) == "a")
    }

    @Test func takesAMillionCharactersWithoutASpace() throws {
        let tokenizer = try tokenizer()
        for unit in ["a", "ab", "the", "日", "é😀"] {
            let text = String(repeating: unit, count: 1_000_000 / unit.unicodeScalars.count)
            let ids = tokenizer.encode(text, addingSpecialTokens: false)
            #expect(tokenizer.decode(ids, skippingSpecialTokens: false).isIdentical(to: text))
        }
    }

    @Test func encodesAlikeOnManyThreads() async throws {
        let tokenizer = try tokenizer()
        let strings = try TokenizerFixture.strings()
        let expected = strings.map { tokenizer.encode($0, addingSpecialTokens: true) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { _ in
                        strings.map { tokenizer.encode($0, addingSpecialTokens: true) } == expected
                    }
                }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }
}
