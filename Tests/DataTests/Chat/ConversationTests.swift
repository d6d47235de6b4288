import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Conversational rows: how they are read, and which of their tokens are trained.
@Suite struct ConversationTests {
    private let tokenizer = ByteTokenizer(beginOfSequence: 1)
    private let chatML =
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
        + "{% if add_generation_prompt %}<assistant>{% endif %}"

    private func text(_ ids: [Int32]) -> String { tokenizer.decode(ids, skippingSpecialTokens: false) }

    private func message(_ role: String, _ content: String) -> JSONValue { ["role": .string(role), "content": .string(content)] }

    private var messages: [JSONValue] {
        [message("system", "s"), message("user", "q"), message("assistant", "a"), message("user", "r"), message("assistant", "b")]
    }

    private func rows<Row: CorpusRow>(_ type: Row.Type, _ lines: [String], name: String = "train.jsonl") throws -> [Row] {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent(name)
            try Foundation.Data(lines.joined(separator: "\n").utf8).write(to: file)
            return try RowFile<Row>(file, onBadRow: .fail).read()
        }
    }

    private func problem<Row: CorpusRow>(_ type: Row.Type, _ line: String) -> String {
        do {
            _ = try rows(type, [line])
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Rows

    @Test func readsMessagesAndPromptsWithCompletions() throws {
        let found = try rows(
            SummaryExample.self,
            [
                #"{"id": "m", "prompt": "a text", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
                #"{"id": "p", "prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]}"#,
                #"{"prompt": [{"role": "user", "content": "q"}]}"#, #"{"messages": [{"role": "user", "content": "q"}]}"#,
            ])
        let (question, answer) = (message("user", "q"), message("assistant", "a"))
        #expect(found[0].conversation == Conversation(prompt: [question], response: [answer], learnsEveryTurn: true))
        #expect(found[1].conversation == Conversation(prompt: [question], response: [answer]))
        #expect(found[2].conversation == Conversation(prompt: [question]))
        #expect(found[3].conversation == Conversation(prompt: [question], learnsEveryTurn: true))
        #expect(found.map(\.post) == ["q", "q", "q", "q"] && found.map(\.summary) == ["a", "a", "", ""])
        #expect(found.map(\.id) == ["m", "p", "train.jsonl:3", "train.jsonl:4"] || found[2].id != found[3].id)
    }

    @Test func readsCellsOfCSV() throws {
        let found = try rows(
            SummaryExample.self, ["id,messages", #"a,"[{""role"": ""user"", ""content"": ""q""}]""#], name: "train.csv")
        #expect(found.map(\.conversation) == [Conversation(prompt: [message("user", "q")], learnsEveryTurn: true)])
    }

    @Test func readsComparisonsWithAndWithoutPrompt() throws {
        let question = #"{"role": "user", "content": "q"}"#
        func answer(_ text: String) -> String { "{\"role\": \"assistant\", \"content\": \"\(text)\"}" }
        let found = try rows(
            Comparison.self,
            [
                "{\"prompt\": [\(question)], \"chosen\": [\(answer("a"))], \"rejected\": [\(answer("b"))]}",
                "{\"prompt\": \"q\", \"chosen\": [\(question), \(answer("a"))], \"rejected\": [\(question), \(answer("b"))]}",
            ])
        for comparison in found {
            #expect(comparison.choice == 0 && comparison.summaries == ["a", "b"] && comparison.post == "q")
            #expect(comparison.conversations?.map(\.prompt) == [[message("user", "q")], [message("user", "q")]])
            #expect(comparison.conversations?.map(\.response) == [[message("assistant", "a")], [message("assistant", "b")]])
        }
        #expect(
            problem(Comparison.self, "{\"chosen\": [\(question)], \"rejected\": [\(question)]}")
                .contains("must end with an assistant message"))
        #expect(
            problem(Comparison.self, "{\"chosen\": [\(answer("a"))], \"rejected\": [\(answer("b"))]}")
                .contains("do not begin with the same message"))
    }

    @Test(arguments: [
        (#"{"messages": []}"#, "is an empty list"), (#"{"messages": [1]}"#, "\"messages.0\" must be an object"),
        (#"{"messages": [{"content": "x"}]}"#, "\"messages.0.role\" is missing"),
        (#"{"messages": [{"role": 1}]}"#, "\"messages.0.role\" must be a string"),
        (#"{"prompt": [{"role": "user"}], "completion": "x"}"#, "\"completion\" must be a list of messages"),
    ]) func namesWhatIsWrongWithARow(_ line: String, _ words: String) {
        let found = problem(SummaryExample.self, line)
        #expect(found.contains("train.jsonl:1") && found.contains(words), "\(found)")
    }

    /// A corpus that is written comes back with its conversations.
    @Test func aCorpusKeepsConversations() throws {
        let examples = [
            SummaryExample(id: "a", conversation: Conversation(messages: messages)),
            SummaryExample(id: "b", conversation: Conversation(prompt: [message("user", "q")])),
        ]
        try withTemporaryFolder { folder in
            let corpus = SummaryCorpus(name: "c", train: examples)
            try corpus.write(to: folder.appendingPathComponent("c"))
            let read = try SummaryCorpus.load(folder.appendingPathComponent("c")).corpus
            #expect(try read.examples(in: "train") == examples)
        }
    }

    // MARK: Training

    private func tokenised(_ conversation: Conversation, _ template: String) throws -> [TokenisedExample] {
        let chat = ChatFormat.template(try ChatTemplate(template, name: "t.jinja"))
        return try SFTTokenisation(chat: chat).tokenise([SummaryExample(id: "a", conversation: conversation)], with: tokenizer).examples
    }

    @Test func everyTurnOfTheAssistantIsTrained() throws {
        let examples = try tokenised(Conversation(messages: messages), chatML)
        #expect(examples.map(\.id) == ["a#1", "a#2"])
        #expect(examples.map { text($0.target) } == ["a</s>\n", "b</s>\n"])
        #expect(text(examples[1].prompt) == "<system>s</s>\n<user>q</s>\n<assistant>a</s>\n<user>r</s>\n<assistant>")
    }

    @Test func ofPromptAndCompletionTheCompletionIsTrained() throws {
        let conversation = Conversation(prompt: Array(messages[..<4]), response: Array(messages[4...]))
        let examples = try tokenised(conversation, chatML)
        #expect(examples.map { text($0.target) } == ["b</s>\n"] && examples.map(\.id) == ["a"])
    }

    @Test func whatStandsInGenerationBlocksIsTrained() throws {
        let template =
            "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}</s>{% endgeneration %}"
            + "{% else %}{{ m.content }}</s>{% endif %}{{ '\n' }}{% endfor %}"
        let every = try tokenised(Conversation(messages: messages), template)
        #expect(every.map { text($0.target) } == ["a</s>", "b</s>"])
        #expect(text(every[1].prompt) == "<system>s</s>\n<user>q</s>\n<assistant>a</s>\n<user>r</s>\n<assistant>")
        let last = try tokenised(Conversation(prompt: Array(messages[..<4]), response: Array(messages[4...])), template)
        #expect(last.map { text($0.target) } == ["b</s>"])
    }

    /// A template that writes a conversation's beginning differently once it goes on does not say which tokens are the answer's.
    @Test func refusesTemplatesWithoutThePrefixProperty() {
        let template = "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}"
        let error = dataError { _ = try tokenised(Conversation(messages: messages), template) }
        #expect("\(String(describing: error))".contains("row a: t.jinja: the rendered conversation does not begin with"))
    }

    @Test func aRowWithoutATemplateSaysWhatToDo() throws {
        let example = SummaryExample(id: "r1", conversation: Conversation(messages: messages))
        let chat = ChatFormat.unavailable("the model in m has no chat template")
        let error = dataError { _ = try SFTTokenisation(chat: chat).tokenise([example], with: tokenizer) }
        #expect(
            error
                == .chat(
                    "row r1 has messages, but the model in m has no chat template; pass --chat-template FILE, or --chat-template none "
                        + "to join the messages' texts"))
        let joined = try SFTTokenisation(chat: .contents).tokenise([example], with: tokenizer).examples
        #expect(joined.map { text($0.prompt) } == ["<s>s\nq\na\nr"] && joined.map { text($0.target) } == [" b</s>"])
    }

    // MARK: Prompts and comparisons

    /// The begin of sequence that a template spells is the only one.
    @Test func promptsEndWithTheGenerationPrompt() throws {
        let chat = ChatFormat.template(try ChatTemplate("<s>" + chatML))
        var tokenizer = tokenizer
        tokenizer.spellsBegin = true
        let example = SummaryExample(id: "a", conversation: Conversation(messages: messages))
        let prompt = try #require(try SFTTokenisation(chat: chat).prompts([example], with: tokenizer).first)
        #expect(prompt.query == "<s><system>s</s>\n<user>q</s>\n<assistant>a</s>\n<user>r</s>\n<assistant>")
        #expect(text(prompt.tokens) == prompt.query && prompt.tokens.count { $0 == 1 } == 1 && prompt.reference == "b")
        let tokens = RewardTokenisation().tokens(prompt: prompt.query, summary: "b", with: tokenizer, endOfSequence: 2)
        #expect(tokens.count { $0 == 1 } == 1)
        let begun = SummaryExample(id: "a", conversation: Conversation(prompt: [message("user", "q"), message("assistant", "It is")]))
        #expect(try SFTTokenisation(chat: chat).prompts([begun], with: tokenizer).first?.query == "<s><user>q</s>\n<assistant>It is")
    }

    @Test func sidesOfComparisonsEndWithTheEndOfSequence() throws {
        let comparison = Comparison(
            id: "c", prompt: [message("user", "q")], chosen: [message("assistant", "yes")], rejected: [message("assistant", "year")])
        let chat = ChatFormat.template(try ChatTemplate(chatML))
        let result = try RewardTokenisation(chat: chat).tokenise([comparison], with: tokenizer).comparisons
        #expect(text(result[0].prompt) == "<user>q</s>\n<assistant>ye")
        #expect(result[0].summaries.map(text) == ["s</s>", "ar</s>"] && result[0].choice == 0)
    }
}
