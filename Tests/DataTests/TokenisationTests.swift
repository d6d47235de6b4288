import Data
import Testing

struct TokenisationTests {
    let tokenizer = ByteTokenizer()

    private func text(_ ids: [Int32]) -> String { tokenizer.decode(ids, skippingSpecialTokens: false) }

    @Test(arguments: [false, true])
    func targetIsSpaceSummaryAndEnd(addsSpace: Bool) throws {
        let tokenizer = ByteTokenizer(addsSpace: addsSpace)
        let examples = [example("a", post: "p", summary: "yes"), example("b", post: "p", summary: "  yes")]
        let result = try SFTTokenisation().tokenise(examples, with: tokenizer)
        for tokenised in result.examples {
            #expect(text(tokenised.target) == " yes</s>")
            #expect(text(tokenised.prompt) == "<s>\(addsSpace ? " " : "")SUBREDDIT: r/tifu\nTITLE: T\nPOST: p\nTL;DR:")
        }
        #expect(result.examples.map(\.id) == ["a", "b"])
    }

    @Test func promptAndTargetAreCutApartFromTheLeft() throws {
        let tokenisation = SFTTokenisation(maximumSource: 7, maximumTarget: 5)
        let result = try tokenisation.tokenise([example(summary: "abcdefg")], with: tokenizer)
        #expect(result.examples.map { text($0.prompt) } == ["<s>TL;DR:"])
        #expect(result.examples.map { text($0.target) } == ["defg</s>"])
        #expect(result.truncatedPrompts == 1 && result.truncatedTargets == 1 && result.dropped == 0)
        let exact = try SFTTokenisation(maximumTarget: 9).tokenise([example(summary: "abcdefg")], with: tokenizer)
        #expect(exact.truncatedTargets == 0 && exact.examples[0].target.count == 9)
    }

    @Test func examplesWithoutATrainedTokenAreDroppedAndCounted() throws {
        let examples = [example("a", summary: " \n "), example("b", summary: "x"), example("c", summary: "")]
        let result = try SFTTokenisation().tokenise(examples, with: tokenizer)
        #expect(result.examples.map(\.id) == ["b"])
        #expect(result.dropped == 2)
    }

    @Test func wholeTextTruncationMasksTargetTokensToo() throws {
        // 41 ids of prompt with its beginning, 8 of " abcdefg": nothing is cut, and the count fits.
        var tokenisation = SFTTokenisation(maximumSource: 40, maximumTarget: 20, truncation: .wholeText)
        let plain = try tokenisation.tokenise([example(summary: "abcdefg")], with: tokenizer)
        let prompt = PromptFormat.tldr.prompt(for: example())
        #expect(plain.examples.map { text($0.prompt) } == ["<s>" + prompt])
        #expect(plain.examples.map { text($0.target) } == [" abcdefg</s>"])
        // The limit cuts five ids from the left of the text, but the prompt's own count stays: five of the target's
        // tokens go untrained.
        let total = 1 + prompt.utf8.count + 8
        tokenisation.maximumSource = total - 5 - 4
        tokenisation.maximumTarget = 4
        let cut = try tokenisation.tokenise([example(summary: "abcdefg")], with: tokenizer)
        #expect(cut.examples.map { text($0.target) } == ["efg</s>"])
        #expect(cut.examples[0].tokens.count == total - 5 + 1)
        #expect(cut.truncatedPrompts == 1)
        // A limit below the prompt leaves the end of sequence alone, added after the cut.
        tokenisation.maximumSource = 20
        let worst = try tokenisation.tokenise([example(summary: "abcdefg")], with: tokenizer)
        #expect(worst.examples.map { text($0.target) } == ["</s>"])
        // Where the text ends with the end of sequence by itself, nothing is left to train.
        let none = try tokenisation.tokenise([example(summary: "abcdefg</s>")], with: tokenizer)
        #expect(none.examples.isEmpty && none.dropped == 1)
    }

    @Test func promptsAreCutFromTheLeft() throws {
        let prompts = try SFTTokenisation(maximumSource: 7).prompts([example(summary: "r")], with: tokenizer)
        #expect(prompts.map { text($0.tokens) } == ["<s>TL;DR:"])
        #expect(prompts[0].query == "SUBREDDIT: r/tifu\nTITLE: T\nPOST: P\nTL;DR:")
        #expect(prompts[0].reference == "r" && prompts[0].isTruncated)
        let bare = ByteTokenizer(beginOfSequence: nil)
        let cut = try SFTTokenisation(maximumSource: 6).prompts([example()], with: bare)
        #expect(cut.map { text($0.tokens) } == ["TL;DR:"])
    }

    @Test func promptsAreRecoveredFromSupervisedExamples() throws {
        var tokenisation = SFTTokenisation(maximumSource: 7, maximumTarget: 60, truncation: .wholeText)
        let query = PromptFormat.tldr.prompt(for: example())
        // the limit of the whole text holds all of the prompt, whatever that of prompts alone
        let whole = try tokenisation.recoveredPrompts([example(summary: "yes")], limit: 100, with: tokenizer)
        #expect(whole.map { text($0.tokens) } == ["<s>" + query])
        #expect(whole[0].query == query && whole[0].reference == "yes" && !whole[0].isTruncated)
        let cut = try tokenisation.recoveredPrompts([example(summary: "yes")], limit: 7, with: tokenizer)
        #expect(cut.map { text($0.tokens) } == ["<s>TL;DR:"])
        #expect(cut[0].query == "TL;DR:" && cut[0].isTruncated)
        // as many tokens are taken away as are trained, which are too few once the text is cut
        tokenisation.maximumTarget = query.utf8.count - 7
        let moved = try tokenisation.recoveredPrompts([example(summary: "yes")], limit: 100, with: tokenizer)
        #expect(moved[0].query.hasSuffix("TL;DR: yes") && moved[0].isTruncated)
        tokenisation.truncation = .apart
        tokenisation.maximumTarget = 60
        let apart = try tokenisation.recoveredPrompts(
            [example(summary: "yes"), example(summary: " ")], limit: 100, with: tokenizer)
        #expect(apart.map(\.query) == ["TL;DR:"])
    }

    @Test func comparisonsShareTheirPrompt() throws {
        let comparison = Comparison(
            id: "a", subreddit: "s", title: "t", post: "p", summaries: [" one", "eleven"], choice: 1)
        let (tokens, truncated) = try RewardTokenisation().tokenise([comparison], with: tokenizer)
        #expect(text(tokens[0].prompt) == "<s>" + PromptFormat.tldr.prompt(for: comparison))
        #expect(tokens[0].summaries.map(text) == [" one</s>", " eleven</s>"])
        #expect(tokens[0].choice == 1 && truncated == 0)
        let short = try RewardTokenisation(maximumTokens: 15).tokenise([comparison], with: tokenizer)
        #expect(text(short.comparisons[0].prompt) == "<s>TL;DR:")
        #expect(short.comparisons[0].summaries.map(text) == [" one</s>", " eleven</s>"])
        #expect(short.truncated == 1)
    }

    @Test func rawComparisonsAreReadAsWholeTexts() throws {
        let comparison = Comparison(
            id: "a", subreddit: "s", title: "t", post: "p", summaries: [" one", " onto"], choice: 0)
        let (tokens, _) = try RewardTokenisation(text: .raw).tokenise([comparison], with: tokenizer)
        let prompt = "<s>" + PromptFormat.tldr.prompt(for: comparison)
        #expect(
            tokens[0].summaries.map { text(tokens[0].prompt + $0) } == [prompt + "  one</s>", prompt + "  onto</s>"])
        #expect(tokens[0].summaries.map(text) == ["e</s>", "to</s>"])
        // Equal texts still leave a token on each side.
        let same = Comparison(id: "a", subreddit: "s", title: "t", post: "p", summaries: ["x", "x"], choice: 0)
        #expect(
            try RewardTokenisation(text: .raw).tokenise([same], with: tokenizer).comparisons[0].summaries.map(text) == [
                "</s>", "</s>",
            ])
    }

    private static func sampled(_ answers: [String], _ tokens: [[Int32]]? = nil, prompt: String = "ask:") -> Comparison {
        var comparison = Comparison(
            id: "a", subreddit: "", title: "", post: prompt, summaries: answers, choice: 0, promptFormat: .init("{post}"))
        comparison.isSampled = true
        comparison.summaryTokens = tokens
        comparison.weight = 2.5
        return comparison
    }

    /// What was drawn stays as it was drawn, without an end where it has none, unless one is asked for.
    @Test func sampledTokensServeWhereTheyAreTheTokenizersOwn() throws {
        let bytes = { (text: String) in text.utf8.map { Int32($0) + 3 } }
        let own = Self.sampled(["yes", " no"], [bytes("yes"), bytes(" no") + [2]])
        for (endsAll, expected) in [(false, ["yes", " no</s>"]), (true, ["yes</s>", " no</s>"])] {
            let read = try RewardTokenisation().withTokens([own], with: tokenizer, endsAll: endsAll)
            let tokens = try RewardTokenisation().tokenise(read.comparisons, with: tokenizer).comparisons[0]
            #expect(text(tokens.prompt) == "<s>ask:" && tokens.summaries.map(text) == expected && !read.hasForeignTokens)
            #expect(tokens.weight == 2.5)
        }
        // one row of another tokenizer, or of ids that are none, and no row's are trusted
        for foreign in [bytes("yet"), [], [700], [-1]] {
            let rows = [own, Self.sampled(["yes", "no"], [foreign, bytes("no")])]
            let read = try RewardTokenisation().withTokens(rows, with: tokenizer, endsAll: false)
            #expect(read.hasForeignTokens && read.comparisons.allSatisfy { $0.summaryTokens == nil })
            let tokens = try RewardTokenisation().tokenise(read.comparisons, with: tokenizer).comparisons
            #expect(tokens.map { $0.summaries.map(text) } == [[" yes</s>", " no</s>"], [" yes</s>", " no</s>"]])
        }
    }

    /// Behind a prompt that a chat template made, no space is put before an answer.
    @Test func sampledTextsFollowRenderedPromptsAsTheyAre() throws {
        let spelling = ByteTokenizer(spellsBegin: true)
        let chat = ChatFormat.template(try spelling.chatTemplate("{{ messages[0].content }}", name: "t"))
        let tokenisation = RewardTokenisation(chat: chat)
        let rows = [Self.sampled(["yes", "\nno"], prompt: "<s>user</s>ask"), Self.sampled(["yes", "no"])]
        let read = try tokenisation.withTokens(rows, with: spelling, endsAll: false)
        let tokens = try tokenisation.tokenise(read.comparisons, with: spelling).comparisons
        #expect(tokens.map { text($0.prompt) } == ["<s>user</s>ask", "<s>ask:"])
        #expect(tokens.map { $0.summaries.map(text) } == [["yes</s>", "\nno</s>"], [" yes</s>", " no</s>"]])
    }

    @Test func unusableSettingsAreRefused() {
        #expect(dataError { _ = try SFTTokenisation(maximumSource: 0).tokenise([], with: tokenizer) } != nil)
        #expect(dataError { _ = try SFTTokenisation(maximumTarget: 1).tokenise([], with: tokenizer) } != nil)
        #expect(dataError { _ = try RewardTokenisation(maximumTokens: 1).tokenise([], with: tokenizer) } != nil)
        let endless = ByteTokenizer(endOfSequence: nil)
        guard case .unsuitableTokenizer = dataError({ _ = try SFTTokenisation().tokenise([], with: endless) }) else {
            Issue.record("a tokenizer without end of sequence was accepted")
            return
        }
    }
}
