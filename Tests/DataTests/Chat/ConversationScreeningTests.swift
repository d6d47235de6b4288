import Data
import Formats
import Testing
import _TestSupport

/// Conversations that a template makes no tokens of.
@Suite struct ConversationScreeningTests {
    private let tokenizer = ByteTokenizer()
    /// Refuses system messages, breaks where there is no content, and writes nothing of a conversation about nothing.
    private let template =
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system messages') }}{% endif %}"
        + "{% if messages[0].content != 'nothing' %}{% for m in messages %}<{{ m.role }}>{{ m.content.strip() }}</s>{% endfor %}"
        + "{% if add_generation_prompt %}<assistant>{% endif %}{% endif %}"

    private var chat: ChatFormat {
        get throws { .template(try ChatTemplate(template, name: "t.jinja")) }
    }

    private func message(_ role: String, _ content: String?) -> JSONValue {
        content.map { ["role": .string(role), "content": .string($0)] } ?? ["role": .string(role)]
    }

    private func example(_ id: String, _ first: JSONValue) -> SummaryExample {
        SummaryExample(id: id, conversation: Conversation(messages: [first, message("assistant", "a")]))
    }

    private var examples: [SummaryExample] {
        [
            example("fine", message("user", "q")), example("refused", message("system", "s")), example("broken", message("user", nil)),
            example("void", message("user", "nothing")),
            SummaryExample(id: "post", subreddit: "", title: "", post: "p", summary: "s"),
        ]
    }

    @Test(arguments: [[SFTTokenisation.Use.training], [.prompts], [.training, .prompts]])
    func leavesThemOutAndCounts(_ uses: [SFTTokenisation.Use]) throws {
        let (rows, counts) = try SFTTokenisation(chat: chat).screened(examples, for: Set(uses), with: tokenizer)
        #expect(rows.map(\.id) == ["fine", "post"])
        #expect(counts.read == 2 && counts.skipped == 3)
        #expect(counts.problems.first == "row refused: t.jinja: the template rejects the conversation: no system messages (line 1)")
        #expect(counts.problems.contains { $0.hasPrefix("row broken: t.jinja: line 1: ") })
        #expect(counts.problems.contains { $0.hasPrefix("row void: t.jinja: ") && $0.hasSuffix("has no tokens") })
        let corpus = SummaryCorpus(name: "c", train: examples, test: examples)
        let (left, all) = try corpus.screened(SFTTokenisation(chat: chat), for: Set(uses), with: tokenizer)
        #expect(left.splits.mapValues(\.count) == ["train": 2, "test": 2] && all.skipped == 6)
    }

    /// Elsewhere the first of them is an error, a conversation that is rendered to nothing among them.
    @Test func endsRunsThatDoNotSkip() throws {
        let tokenisation = SFTTokenisation(chat: try chat)
        for (index, words) in [
            (1, "no system messages"), (2, "row broken: t.jinja"), (3, "row void: t.jinja: the rendered conversation"),
        ] {
            let error = dataError { _ = try tokenisation.tokenise([examples[index]], with: tokenizer) }
            #expect(error.map { "\($0)" }?.contains(words) == true, "\(String(describing: error))")
        }
        let error = dataError { _ = try tokenisation.prompts([examples[3]], with: tokenizer) }
        #expect(error == .chat("row void: t.jinja: the rendered prompt has no tokens"))
    }

    /// A template that makes tokens of no conversation is wrong itself; so is a missing one.
    @Test func aTemplateThatRefusesAllIsAnError() throws {
        #expect(dataError { _ = try SFTTokenisation(chat: chat).screened(Array(examples[1...]), for: [.training], with: tokenizer) } != nil)
        let without = SFTTokenisation(chat: .unavailable("there is none"))
        let (rows, counts) = try without.screened(examples, for: [.training], with: tokenizer)
        #expect(rows.count == 5 && counts.skipped == 0 && dataError { _ = try without.tokenise(rows, with: tokenizer) } != nil)
    }

    @Test func comparisons() throws {
        let rows = [message("user", "q"), message("system", "s"), message("user", "nothing")].enumerated().map { index, prompt in
            Comparison(
                id: "\(index)", prompt: [prompt], chosen: [message("assistant", "yes")], rejected: [message("assistant", "no")])
        }
        let tokenisation = RewardTokenisation(chat: try chat)
        let (left, counts) = try tokenisation.screened(rows, with: tokenizer)
        #expect(left.map(\.id) == ["0"] && counts.skipped == 2)
        #expect(
            dataError { _ = try tokenisation.tokenise([rows[2]], with: tokenizer) }
                == .chat("row 2: t.jinja: the rendered conversation has no tokens"))
    }
}
