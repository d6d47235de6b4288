import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Rows as people have them: which shape they are found to have, and what is made of them.
@Suite struct RowShapeTests {
    private let question = #"{"role": "user", "content": "q"}"#
    private func answer(_ text: String) -> String { "{\"role\": \"assistant\", \"content\": \"\(text)\"}" }

    private func example(_ line: String, _ name: String? = nil) throws -> (SummaryExample, String?) {
        let shapes = try name.map { [try #require(RowShape.named($0))] } ?? RowShape.builtIn
        let read = try ShapeFixture.read(SummaryExample.self, [line], shapes: shapes)
        return (try #require(read.rows.first), read.shape)
    }

    private func comparison(_ line: String, _ name: String? = nil) throws -> (Comparison, String?) {
        let shapes = try name.map { [try #require(RowShape.named($0))] } ?? RowShape.builtIn
        let read = try ShapeFixture.read(Comparison.self, [line], shapes: shapes)
        return (try #require(read.rows.first), read.shape)
    }

    @Test("the shape of each kind of row is found, and the row can be an example, a comparison or both")
    func shapesAreFound() throws {
        let lines: [(line: String, example: String?, comparison: String?)] = [
            (#"{"subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#, "posts", nil),
            (#"{"article": "p", "highlights": "y"}"#, "posts", nil), (BadRowTests.comparison, nil, "comparisons"),
            ("{\"messages\": [\(question), \(answer("a"))]}", "messages", nil),
            (#"{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}"#, "conversations", nil),
            (#"{"prompt": "q", "completion": "a"}"#, "prompt-completion", nil),
            ("{\"prompt\": [\(question)], \"completion\": [\(answer("a"))]}", "prompt-completion", nil),
            (#"{"prompt": "q"}"#, "prompt", nil), ("{\"prompt\": [\(question)]}", "prompt", nil),
            (#"{"prompt": "q", "chosen": "a", "rejected": "b"}"#, "preference", "preference"),
            (#"{"chosen": "q a", "rejected": "q b"}"#, "preference", "preference"),
            (
                "{\"chosen\": [\(question), \(answer("a"))], \"rejected\": [\(question), \(answer("b"))]}", "preference", "preference"
            ),
            (
                "{\"prompt\": \"q\", \"chosen\": [\(question), \(answer("a"))], \"rejected\": [\(question), \(answer("b"))]}",
                "ultrafeedback", "ultrafeedback"
            ),
            (#"{"prompt": "q", "completion": "a", "label": true}"#, "unpaired", "unpaired"),
            (#"{"instruction": "q", "input": "", "output": "a"}"#, "alpaca", nil),
            (
                #"{"instruction": "q", "input": "i", "output_1": "a", "output_2": "b", "preference": 2}"#, "alpaca-preference",
                "alpaca-preference"
            ),
            (#"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}"#, "hh", "hh"),
        ]
        for (line, asExample, asComparison) in lines {
            #expect((try? example(line))?.1 == asExample, "\(line)")
            #expect((try? comparison(line))?.1 == asComparison, "\(line)")
        }
    }

    @Test("texts follow their prompts as they are; those of Alpaca stand in its prompts")
    func prompts() throws {
        let plain = try example(#"{"prompt": "The sky is", "completion": " blue.", "id": 7}"#).0
        #expect(plain.id == "7" && PromptFormat.tldr.prompt(for: plain) == "The sky is" && plain.summary == " blue.")
        #expect(PromptFormat.tldr.text(of: plain) == "The sky is blue.")
        let alone = try example(#"{"instruction": "Name a colour.", "input": null, "output": "Blue."}"#).0
        #expect(
            PromptFormat.tldr.text(of: alone)
                == "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
                + "### Instruction:\nName a colour.\n\n### Response:Blue.")
        let given = try example(#"{"instruction": "Sort.", "input": "b, {post}", "output": "{post}, b"}"#).0
        let prompt = PromptFormat.tldr.prompt(for: given)
        #expect(
            prompt == "Below is an instruction that describes a task, paired with an input that provides further context. "
                + "Write a response that appropriately completes the request.\n\n"
                + "### Instruction:\nSort.\n\n### Input:\nb, {post}\n\n### Response:")
        let back = try #require(PromptFormat.alpacaInstruction(in: prompt))
        #expect(back.instruction == "Sort." && back.input == "b, {post}")
        #expect(PromptFormat.alpacaInstruction(in: PromptFormat.tldr.prompt(for: alone))?.instruction == "Name a colour.")
        #expect(PromptFormat.alpacaInstruction(in: "The sky is") == nil)
    }

    @Test("of preferences the chosen answer is the example's, and unwanted single answers leave a prompt")
    func examplesOfPreferences() throws {
        let pair = try example(#"{"instruction": "q", "output_1": "a", "output_2": "b", "preference": 2}"#).0
        #expect(pair.summary == "b" && pair.post == "q" && pair.promptFormat == .alpacaWithoutInput)
        #expect(try comparison(#"{"instruction": "q", "output_1": "a", "output_2": "b", "preference": 1}"#).0.choice == 0)
        let wanted = try example(#"{"prompt": "q", "completion": " a", "label": true}"#).0
        let unwanted = try example(#"{"prompt": "q", "completion": " a", "label": false}"#).0
        #expect(wanted.summary == " a" && unwanted.summary == "" && unwanted.post == "q")
        let messages = try example("{\"prompt\": [\(question)], \"completion\": [\(answer("a"))], \"label\": 0}").0
        #expect(messages.conversation == Conversation(prompt: [ShapeFixture.message("user", "q")]) && messages.summary == "")
        let conversation = try example("{\"chosen\": [\(question), \(answer("a"))], \"rejected\": [\(question), \(answer("b"))]}").0
        #expect(conversation.conversation?.response == [ShapeFixture.message("assistant", "a")])
    }

    @Test("dialogues part behind the last turn of the assistant that both have, as texts or as messages")
    func dialogues() throws {
        let start = #"\n\nHuman: one\n\nAssistant: I think\n\nHuman: two\n\nAssistant:"#
        let line = #"{"chosen": "\#(start) I say yes.", "rejected": "\#(start) I say no.\n\nHuman: why\n\nAssistant: so"}"#
        let text = try comparison(line).0
        #expect(text.post == "\n\nHuman: one\n\nAssistant: I think\n\nHuman: two\n\nAssistant:")
        #expect(text.summaries == [" I say yes.", " I say no.\n\nHuman: why\n\nAssistant: so"] && text.choice == 0)
        let messages = try comparison(line, "hh-messages")
        #expect(messages.1 == "hh-messages" && messages.0.summaries == ["I say yes.", "so"])
        let m = ShapeFixture.message
        #expect(messages.0.conversations?[0].prompt == [m("user", "one"), m("assistant", "I think"), m("user", "two")])
        #expect(messages.0.conversations?[1].response == [m("assistant", "I say no."), m("user", "why"), m("assistant", "so")])
        // a rejected answer may be empty as a text, and is no message then
        let empty = #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant:"}"#
        #expect(try comparison(empty).0.summaries == [" a", ""])
        let hh = try #require(RowShape.named("hh-messages"))
        #expect(
            ShapeFixture.problem(Comparison.self, [empty], shapes: [hh])
                .contains("train.jsonl:1: \"rejected\" does not end with an assistant turn"))
        let apart = #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: r\n\nAssistant: a"}"#
        #expect(ShapeFixture.problem(Comparison.self, [apart]).contains("have no \"Assistant:\" in a common beginning"))
    }

    @Test("cells of CSV are read as the values of JSON are")
    func cells() throws {
        let alpaca = try ShapeFixture.read(
            SummaryExample.self, ["instruction,input,output", "Say a.,,a", "Sort.,\"b, a\",\"a, b\""], name: "train.csv")
        #expect(alpaca.shape == "alpaca" && alpaca.rows.map(\.summary) == ["a", "a, b"])
        #expect(alpaca.rows.map(\.promptFormat) == [.alpacaWithoutInput, .alpaca])
        let labels = try ShapeFixture.read(
            Comparison.self, ["prompt,completion,label", "q,a,True", "q,b,false", "q,c,1", "q,d,0"], name: "train.csv")
        #expect(labels.rows.map(\.choice) == [0, 1, 0, 1] && labels.rows.allSatisfy(\.isSingle))
        let chats = try ShapeFixture.read(
            SummaryExample.self, ["id,messages", #"a,"[{""role"": ""user"", ""content"": ""q""}]""#], name: "train.csv")
        #expect(chats.shape == "messages" && chats.rows[0].post == "q")
    }

    @Test("a caller's shape stands in the catalogue beside the built-in ones")
    func ownShape() throws {
        let quiz = RowShape(
            "quiz", columns: "question and answer",
            example: { record, id in
                SummaryExample(
                    id: id, subreddit: "", title: "", post: try record.text("question"), summary: try record.text("answer"),
                    promptFormat: .verbatim)
            }
        ) { try $0.has("question") }
        let lines = [#"{"question": "Why?", "answer": "So."}"#]
        let read = try ShapeFixture.read(SummaryExample.self, lines, shapes: [quiz] + RowShape.builtIn)
        #expect(read.shape == "quiz" && read.rows[0].summary == "So.")
        try withTemporaryFolder { folder in
            _ = try folder.adding("train.jsonl", lines[0])
            let corpus = try CorpusFormat.folder(folder).read(CorpusRequest(shapes: [quiz] + RowShape.builtIn)).corpus
            #expect(try corpus.examples(in: "train").count == 1 && corpus.shapes == ["train": "quiz"])
        }
    }

    @Test("a comparison that is written keeps the way in which its prompt is made")
    func promptFormatIsKept() throws {
        let pair = try comparison(#"{"instruction": "q", "input": "i", "output_1": "a", "output_2": "b", "preference": 2}"#).0
        let back = try JSONDecoder().decode(Comparison.self, from: JSONEncoder().encode(pair))
        #expect(back == pair && back.promptFormat == .alpaca)
    }
}
