import Data
import Foundation
import Testing
import _TestSupport

/// Texts cut to a length and pairs of texts, as Transformers makes them (Tests/Fixtures/encoders).
@Suite struct PairEncodingTests {
    private struct Expected: Decodable {
        struct Pair: Decodable {
            let first: Int
            let second: Int
            let limit: Int
            let ids: [Int32]
            let types: [Int32]
        }
        let ids: [[Int32]]
        let pairs: [Pair]
    }

    @Test("texts and pairs", arguments: ["bert", "roberta"])
    func parity(_ name: String) throws {
        let tokenizer = try TokenizerFolder.loadPipeline(from: Fixtures.url("encoders/\(name)"))
        let texts = try Fixtures.json([String].self, from: "encoders/texts.json")
        let expected = try Fixtures.json(Expected.self, from: "encoders/\(name)/expected.json")
        for (text, ids) in zip(texts, expected.ids) {
            #expect(tokenizer.encode(text, maximumLength: 24) == ids, "\(text)")
            #expect(tokenizer.encode(text, maximumLength: 1000) == tokenizer.encode(text, addingSpecialTokens: true))
        }
        #expect(expected.ids.contains { $0.count == 24 } && expected.ids.contains { $0.count < 24 })
        let alone = texts.map { tokenizer.encode($0, addingSpecialTokens: false) }
        for pair in expected.pairs {
            let found = tokenizer.pair(alone[pair.first], alone[pair.second], maximumLength: pair.limit)
            #expect(
                found == EncodedPair(ids: pair.ids, typeIDs: pair.types), "\(pair.first) \(pair.second) \(pair.limit)")
        }
        #expect(expected.pairs.count == 14)
    }

    /// A tokenizer.json says the same as the vocabulary file that it was made from.
    @Test("what is written is read again with its pairs", arguments: ["bert", "roberta"])
    func roundTrip(_ name: String) throws {
        let original = try TokenizerFolder.loadPipeline(from: Fixtures.url("encoders/\(name)"))
        try withTemporaryFolder { folder in
            try original.save(to: folder)
            let again = try TokenizerFolder.loadPipeline(from: folder)
            for limit in [4, 7, 8, 100] {
                #expect(
                    again.pair([5, 6, 7, 8], [9, 10], maximumLength: limit)
                        == original.pair([5, 6, 7, 8], [9, 10], maximumLength: limit))
            }
        }
    }

    /// Rules beside BERT's and RoBERTa's: none at all, and templates that cannot be read.
    @Test func otherTemplates() throws {
        func load(_ change: (String) -> String) throws -> PipelineTokenizer {
            try withTemporaryFolder { folder in
                try Foundation.Data(change(TinyTokenizers.bpe).utf8).write(
                    to: folder.appendingPathComponent("tokenizer.json"))
                return try TokenizerFolder.loadPipeline(from: folder)
            }
        }
        let plain = try load { $0 }.pair([1, 2, 3], [4], maximumLength: 3)
        #expect(plain == EncodedPair(ids: [1, 2, 4], typeIDs: [0, 0, 1]))
        let own = try load {
            $0.replacingOccurrences(
                of: #""pair": [{"Sequence": {"id": "A", "type_id": 0}}"#,
                with:
                    #""pair": [{"Sequence": {"id": "A", "type_id": 3}}, {"SpecialToken": {"id": "<s>", "type_id": 2}}"#)
        }.pair([1, 2, 3], [4], maximumLength: 10)
        #expect(own == EncodedPair(ids: [1, 2, 3, 0, 4], typeIDs: [3, 3, 3, 2, 1]))
        for (old, new) in [
            (#""id": "B""#, #""id": "C""#),
            (#""pair": ["#, #""pair": [{"SpecialToken": {"id": "<x>", "type_id": 0}}, "#),
        ] {
            #expect(throws: TokenizerError.self) { try load { $0.replacingOccurrences(of: old, with: new) } }
        }
    }

    @Test func lengthThatTheFilesName() throws {
        #expect(try TokenizerFolder.loadPipeline(from: Fixtures.url("encoders/bert")).maximumLength == nil)
    }
}
