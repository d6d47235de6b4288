import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Tokenizers put into the metadata of GGUF files give the same ids when they are read from there.
@Suite struct GGUFTokenizerWriterTests {
    /// The tokenizer of a folder, as a GGUF file has it.
    private static func written(_ tokenizer: PipelineTokenizer, rows: Int, architecture: String = "llama") throws -> any Tokenizer {
        var writer = GGUFWriter(architecture: architecture)
        for (key, value) in try tokenizer.ggufMetadata(rows: rows, architecture: architecture) { writer.add(key, value) }
        return try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("t.gguf")
            try writer.write(to: file)
            return try TokenizerFolder.load(from: file)
        }
    }

    @Test(arguments: ["gpt2", "llama3", "sentencepiece"]) func givesTheSameIds(_ kind: String) throws {
        let original = try TokenizerFolder.loadPipeline(
            from: TokenizerFixture.repository.appendingPathComponent("Tests/Fixtures/tokenizers/\(kind)"))
        let rows = original.vocabularySize + 3
        let again = try Self.written(original, rows: rows)
        #expect(again.vocabularySize == original.vocabularySize, "rows of the embedding without a token have none here either")
        for (index, string) in try TokenizerFixture.strings().enumerated() {
            for special in [false, true] {
                let ids = original.encode(string, addingSpecialTokens: special)
                #expect(again.encode(string, addingSpecialTokens: special) == ids, "\(index): \(string.debugDescription)")
                #expect(
                    again.decode(ids, skippingSpecialTokens: special).isIdentical(to: original.decode(ids, skippingSpecialTokens: special)))
            }
        }
        #expect(again.beginOfSequence == original.beginOfSequence && again.endOfSequence == original.endOfSequence)
    }

    /// What an error names is the part that a file cannot hold.
    @Test(arguments: [
        ("bert", "model.type", "WordPiece"), ("suffix", "model.end_of_word_suffix", "</w>"),
        // some of its added tokens take the space around them along
        ("qwen", "added_tokens", "the matching rules of"),
    ]) func refusesOtherKinds(_ kind: String, part: String, name: String) throws {
        let folder = TokenizerFixture.repository.appendingPathComponent("Tests/Fixtures/tokenizers/\(kind)")
        let original = try TokenizerFolder.loadPipeline(from: folder)
        let error = #expect(throws: TokenizerError.self) { try original.ggufMetadata(rows: 100, architecture: "gpt2") }
        let message = error.map(String.init(describing:)) ?? ""
        #expect(message.contains(part) && message.contains(name), "\(message)")
    }
}
