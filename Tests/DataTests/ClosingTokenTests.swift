import Data
import Testing

/// Tokenizers that put an end of sequence behind every text: never between prompt and answer, once at the end of the whole.
struct ClosingTokenTests {
    private let closing = ByteTokenizer(closes: true)
    private let plain = ByteTokenizer()

    @Test func supervisedExamplesAreThoseOfATokenizerThatClosesNothing() throws {
        let examples = [example("a", summary: "yes"), example("b", summary: "no </s>"), example("c", summary: " two  words")]
        for truncation in SFTTokenisation.Truncation.allCases {
            for (source, target) in [(1024, 1024), (9, 6)] {
                let tokenisation = SFTTokenisation(maximumSource: source, maximumTarget: target, truncation: truncation)
                let found = try tokenisation.tokenise(examples, with: closing)
                #expect(try found == tokenisation.tokenise(examples, with: plain))
                for example in found.examples {
                    #expect(!example.prompt.contains(2) && example.target.filter { $0 == 2 }.count == 1 && example.target.last == 2)
                }
                let prompts = try tokenisation.prompts(examples, with: closing)
                #expect(try prompts == tokenisation.prompts(examples, with: plain) && !prompts.contains { $0.tokens.contains(2) })
                #expect(
                    try tokenisation.recoveredPrompts(examples, limit: 50, with: closing)
                        == tokenisation.recoveredPrompts(examples, limit: 50, with: plain))
            }
        }
    }

    @Test(arguments: RewardText.allCases)
    func comparisonsEndOnce(text: RewardText) throws {
        let comparison = Comparison(
            id: "a", subreddit: "s", title: "t", post: "p", summaries: [" one", "eleven"], choice: 1)
        for limit in [2048, 12] {
            let tokenisation = RewardTokenisation(text: text, maximumTokens: limit)
            let found = try tokenisation.tokenise([comparison], with: closing)
            #expect(try found.comparisons == tokenisation.tokenise([comparison], with: plain).comparisons)
            for summary in found.comparisons[0].summaries {
                let whole = found.comparisons[0].prompt + summary
                #expect(whole.filter { $0 == 2 }.count == 1 && whole.last == 2)
            }
            #expect(
                tokenisation.tokens(prompt: "a:", summary: "b", with: closing, endOfSequence: 2)
                    == tokenisation.tokens(prompt: "a:", summary: "b", with: plain, endOfSequence: 2))
        }
    }

    @Test func whatStandsBehindATextIsFound() {
        #expect(closing.closingTokens == [2] && plain.closingTokens == [])
        #expect(closing.encode("a", addingSpecialTokens: true) == [1, 100, 2] && closing.encodeOpening("a") == [1, 100])
        #expect(closing.encodeOpening("") == [1] && closing.encodeOpening("a</s>") == [1, 100, 2], "what a text spells out stays")
        var unnamed = closing
        unnamed.beginOfSequence = nil
        #expect(unnamed.encodeOpening("ab") == [100, 101])
    }

    /// `add_eos_token` of LLaMA's SentencePiece files, and templates of a tokenizer.json.
    @Test func filesThatClose() throws {
        func load(_ configuration: String) throws -> any Tokenizer {
            try TokenizerFolder.load(
                files: [
                    "tokenizer.model": TinyTokenizers.SentencePiece().bytes,
                    "tokenizer_config.json": Array(configuration.utf8),
                ], path: "t")
        }
        let names = #""bos_token": "<s>", "eos_token": "</s>""#
        let ending = try load("{\(names), \"add_bos_token\": true, \"add_eos_token\": true}")
        let open = try load("{\(names), \"add_bos_token\": true, \"add_eos_token\": false}")
        #expect(ending.closingTokens == [2] && open.closingTokens == [])
        #expect(ending.encode("ab", addingSpecialTokens: true) == open.encode("ab", addingSpecialTokens: true) + [2])
        #expect(ending.encodeOpening("ab") == open.encode("ab", addingSpecialTokens: true))
        for suffix in ["</s>", "<x>|</s>|<y>", "<x>"] {
            let specials = suffix.split(separator: "|").map(String.init)
            let ids = ["</s>": 1, "<x>": 2, "<y>": 3]
            let template = specials.map { "{\"SpecialToken\": {\"id\": \"\($0)\", \"type_id\": 0}}" }
            let definitions = specials.map { "\"\($0)\": {\"id\": \"\($0)\", \"ids\": [\(ids[$0] ?? 0)], \"tokens\": [\"\($0)\"]}" }
            let added = ids.sorted { $0.value < $1.value }.map { "{\"id\": \($0.value), \"content\": \"\($0.key)\", \"special\": true}" }
            let json = """
                {"version": "1.0", "added_tokens": [\(added.joined(separator: ","))],
                 "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
                  \(template.joined(separator: ","))], "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
                  "special_tokens": {\(definitions.joined(separator: ","))}},
                 "model": {"type": "BPE", "unk_token": "a", "vocab": {"a": 0}, "merges": []}}
                """
            let tokenizer = try TokenizerFolder.load(
                files: ["tokenizer.json": Array(json.utf8), "tokenizer_config.json": Array(#"{"eos_token": "</s>"}"#.utf8)], path: "t")
            // what stands in front of the end stays
            #expect(tokenizer.encodeOpening("a") == [0] + (suffix.hasPrefix("<x>") ? [2] : []), "\(suffix)")
        }
    }
}
