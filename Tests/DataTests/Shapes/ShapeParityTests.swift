import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// What is made of rows is what TRL makes of them.
@Suite struct ShapeParityTests {
    @Test("prompts that are implicit in chosen and rejected answers are those of TRL's extract_prompt")
    func preferences() throws {
        let cases = try ShapeFixture.cases("preferences")
        #expect(cases.count > 70)
        for entry in cases {
            let (row, expected) = (try #require(entry["row"]), try #require(entry["expected"]))
            let found = try #require(try ShapeFixture.read(Comparison.self, [ShapeFixture.line(row)]).rows.first)
            if entry["conversational"]?.bool == true {
                let conversations = try #require(found.conversations)
                #expect(conversations[0].prompt == expected["prompt"]?.array && conversations[1].prompt == expected["prompt"]?.array)
                #expect(conversations[0].response == expected["chosen"]?.array && conversations[1].response == expected["rejected"]?.array)
            } else {
                #expect(found.post.isIdentical(to: expected["prompt"]?.string ?? "none"), "\(row.text)")
                #expect(found.chosen.isIdentical(to: expected["chosen"]?.string ?? "none"), "\(row.text)")
                #expect(found.rejected.isIdentical(to: expected["rejected"]?.string ?? "none"), "\(row.text)")
                #expect(PromptFormat.tldr.prompt(for: found) == found.post && found.promptFormat == .verbatim)
            }
        }
    }

    @Test("single answers with labels are those of TRL's unpair_preference_dataset")
    func unpaired() throws {
        for entry in try ShapeFixture.cases("preferences") {
            for row in entry["unpaired"]?.array ?? [] {
                let found = try #require(try ShapeFixture.read(Comparison.self, [ShapeFixture.line(row)]).rows.first)
                #expect(found.isSingle && (found.choice == 0) == row["label"]?.bool)
                if let conversations = found.conversations {
                    #expect(conversations[0].prompt == row["prompt"]?.array && conversations[0].response == row["completion"]?.array)
                } else {
                    #expect(found.post.isIdentical(to: row["prompt"]?.string ?? "none"))
                    #expect(found.chosen.isIdentical(to: row["completion"]?.string ?? "none"))
                }
            }
        }
    }

    @Test("conversations of from and value become the messages of TRL's maybe_convert_to_chatml")
    func conversations() throws {
        for entry in try ShapeFixture.cases("conversations") {
            let row = try #require(entry["row"])
            let found = try #require(try ShapeFixture.read(SummaryExample.self, [ShapeFixture.line(row)]).rows.first)
            #expect(found.conversation?.messages == entry["messages"]?.array && found.conversation?.learnsEveryTurn == true)
        }
    }

    /// Also where a token of the prompt is another one once the completion follows, and for Alpaca's prompts.
    @Test("the tokens that are trained are those of TRL's SFTTrainer")
    func tokens() throws {
        let cases = try ShapeFixture.cases("tokens")
        #expect(cases.count == 16)
        for entry in cases {
            let kind = try #require(entry["tokenizer"]?.string)
            let tokenizer = try TokenizerFolder.load(from: TokenizerFixture.folder.appendingPathComponent(kind))
            func ids(_ key: String) -> [Int32] { (entry[key]?.array ?? []).compactMap { $0.int.map { Int32($0) } } }
            let row = try #require(entry["row"])
            let example = try #require(try ShapeFixture.read(SummaryExample.self, [ShapeFixture.line(row)]).rows.first)
            #expect(PromptFormat.tldr.prompt(for: example) == entry["prompt"]?.string)
            let found = try SFTTokenisation().tokenise([example], with: tokenizer).examples
            #expect(found.map(\.prompt) == [ids("untrained")] && found.map(\.target) == [ids("trained")], "\(kind): \(row.text)")
            // a single answer with a label has the same ones
            let single = Comparison(
                id: "a", subreddit: "", title: example.title, post: example.post, summaries: [example.summary, example.summary], choice: 0,
                promptFormat: example.promptFormat)
            let side = try RewardTokenisation().tokenise([single], with: tokenizer).comparisons[0]
            #expect(side.prompt == ids("untrained") && side.summaries == [ids("trained"), ids("trained")])
        }
    }

    @Test("a single answer in messages is the tokens behind what its prompt alone is rendered to")
    func singleConversation() throws {
        let row =
            #"{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "yes"}], "label": false}"#
        let found = try #require(try ShapeFixture.read(Comparison.self, [row]).rows.first)
        let template =
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
        let chat = ChatFormat.template(try ChatTemplate(template))
        let tokenizer = ByteTokenizer(beginOfSequence: 1)
        let tokens = try RewardTokenisation(chat: chat).tokenise([found], with: tokenizer).comparisons[0]
        #expect(tokenizer.decode(tokens.prompt, skippingSpecialTokens: false) == "<user>q</s>\n<assistant>")
        #expect(tokens.summaries.map { tokenizer.decode($0, skippingSpecialTokens: false) } == ["yes</s>", "yes</s>"])
        #expect(tokens.isSingle && tokens.choice == 1)
    }
}
