import Data
import Foundation
import Testing

/// Ids and decoded text equal those of the reference libraries, string by string.
@Suite struct TokenizerParityTests {
    static let kinds = ["gpt2"]

    @Test(arguments: kinds) func equalsReference(_ kind: String) throws {
        let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.folder.appendingPathComponent(kind))
        try expectParity(of: tokenizer, with: kind)
    }

    @Test(arguments: kinds) func survivesSaving(_ kind: String) throws {
        let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.folder.appendingPathComponent(kind))
        try TokenizerFixture.withTemporaryFolder { folder in
            try tokenizer.save(to: folder)
            try expectParity(of: TokenizerFolder.load(from: folder), with: kind)
        }
    }

    private func expectParity(of tokenizer: any Tokenizer, with kind: String) throws {
        let strings = try TokenizerFixture.strings()
        let expected = try TokenizerFixture.decoded(TokenizerFixture.Expected.self, kind + "/expected.json")
        try #require(expected.ids.count == strings.count && expected.plain.count == strings.count)
        for (index, string) in strings.enumerated() {
            let shown = string.debugDescription
            #expect(
                tokenizer.encode(string, addingSpecialTokens: false) == expected.ids[index], "ids of \(index): \(shown)"
            )
            let ids = tokenizer.encode(string, addingSpecialTokens: true)
            #expect(ids == expected.special[index], "with special tokens, \(index): \(shown)")
            let text = tokenizer.decode(expected.special[index], skippingSpecialTokens: false)
            #expect(text.isIdentical(to: expected.text[index]), "text of \(index): \(shown)")
            let plain = tokenizer.decode(expected.special[index], skippingSpecialTokens: true)
            #expect(plain.isIdentical(to: expected.plain[index]), "plain text of \(index): \(shown)")
        }
    }
}
