import Data
import Formats
import Testing

/// Instructions whose answers can be checked.
@Suite struct GeneratedInstructionsTests {
    private let small = GeneratedInstructions(train: 3000, heldOut: 200, faultShare: 0)

    @Test("the same seed gives the same instructions, another seed others, and splits do not depend on each other's sizes")
    func seeds() throws {
        let corpus = try small.corpus()
        #expect(try small.corpus() == corpus && corpus.availableSplits.count == 9)
        #expect(try GeneratedInstructions(seed: 1, train: 10, heldOut: 200).corpus().splits["test"] != corpus.splits["test"])
        #expect(try GeneratedInstructions(train: 10, heldOut: 200).corpus().splits["ood_test"] == corpus.splits["ood_test"])
        #expect(corpus.splits.mapValues(\.count)["train"] == 3000)
        #expect(dataErrorOfSizes() == true)
    }

    private func dataErrorOfSizes() -> Bool { dataError { _ = try GeneratedInstructions(heldOut: 5000).corpus() } != nil }

    @Test("every reference is right by the check, which reads the prompt alone")
    func referencesAreRight() throws {
        let corpus = try small.corpus()
        for (split, examples) in corpus.splits {
            for example in examples {
                let check = try #require(InstructionCheck(prompt: corpus.format.prompt(for: example)), "\(example.post)")
                #expect(check.score(example.summary) == 1, "\(example.post) → \(example.summary)")
                #expect(check.score("\n" + example.summary.uppercased() + ".") == 1)
                #expect(check.score(example.summary + "; cat") < 1 && check.score("") == 0 && check.score("zebra") < 0.5)
                let isSequence = example.post.hasPrefix("First: ")
                #expect(split.hasPrefix("ood_") ? isSequence : split == "train" || !isSequence)
            }
        }
    }

    @Test("a share of the training answers has a fault, and no answer of another split")
    func faults() throws {
        let corpus = try GeneratedInstructions(train: 2000, heldOut: 100, faultShare: 0.3).corpus()
        for (split, examples) in corpus.splits {
            let wrong = examples.count { InstructionCheck(prompt: $0.post)?.score($0.summary) != 1 }
            #expect(split == "train" ? (500...700).contains(wrong) : wrong == 0, "\(split): \(wrong)")
        }
    }

    @Test("out of distribution are two different tasks in sequence; in training a sequence is of one kind")
    func sequences() throws {
        let corpus = try small.corpus()
        let kinds = try corpus.examples(in: "ood_test").map { $0.subreddit.split(separator: "+") }
        #expect(kinds.allSatisfy { $0.count == 2 && $0[0] != $0[1] })
        let trained = try corpus.examples(in: "train").map { $0.subreddit.split(separator: "+") }.filter { $0.count == 2 }
        #expect(trained.allSatisfy { $0[0] == $0[1] } && (700...1100).contains(trained.count))
        #expect(
            try GeneratedInstructions(train: 500, heldOut: 0, sequenceShare: 0).corpus().examples(in: "train")
                .allSatisfy { !$0.subreddit.contains("+") })
        // held-out instructions of which there are many are in no other split
        let seen = Set(try corpus.examples(in: "train").map(\.post))
        let both = try corpus.examples(in: "test").filter { seen.contains($0.post) }
        #expect(!both.isEmpty && both.allSatisfy { !["sort", "reverse", "pick"].contains($0.subreddit) })
        #expect(Set(try corpus.examples(in: "test").map(\.post)).count == 200)
    }

    /// An instruction, an answer, and its score.
    static let scored: [(instruction: String, answer: String, score: Double)] = [
        ("Sort these words by the alphabet: plum, fig, axe.", "axe, fig, plum", 1),
        ("Put these words in alphabetical order: b, a.", "a b", 1),
        ("Sort these words by the alphabet: plum, fig, axe.", "axe, plum, fig", 0.5 / 3),
        ("Sort these words by the alphabet: plum, fig, axe.", "axe, fig, plum, axe", 0.375),
        ("Write these words backwards: cat, dog, cow.", "cow, dog, cat", 1),
        ("Write the second of these words: cat, dog, cow.", "dog", 1),
        ("Which word is the first of these: cat, dog, cow?", "dog", 0), ("Write the word lamp three times.", "lamp lamp lamp", 1),
        ("Repeat the word lamp three times.", "lamp lamp", 1.0 / 3), ("How much is three plus four?", "seven", 1),
        ("Add ten and ten.", "nineteen", 0), ("Name two animals.", "fox, bear", 1), ("Name two animals.", "bear, fox", 1),
        ("Name two animals.", "bear, bear", 0.25), ("Name two animals.", "bear, plum", 0.25),
        ("Name two animals.", "bear, fox, cow", 0.5 * 2 / 3), ("Give me two fruits, but not plum.", "plum, fig", 0.25),
        ("Give me two fruits, but not plum.", "pear, fig", 1), ("First: Add one and one. Then: Name two tools.", "two; saw, axe", 1),
        ("First: Add one and one. Then: Name two tools.", "two", 0.25),
        ("First: Add one and one. Then: Name two tools.", "two; saw", 0.375),
        ("First: Add one and one. Then: Name two tools.", "saw, axe; two", 0),
    ]

    @Test("right answers get 1, others up to a half for what stands where it should", arguments: scored.indices)
    func scores(_ index: Int) throws {
        let (instruction, answer, score) = Self.scored[index]
        let check = try #require(InstructionCheck(prompt: "### Instruction:\n\(instruction)\n\n### Response:"))
        #expect(abs(check.score(answer) - score) < 1e-12, "\(check.score(answer))")
    }

    @Test("a prompt without a generated instruction has no check")
    func others() {
        for prompt in [
            "", "Name two ideas.", "Sort these words by the alphabet: a.", "Write the fourth of these words: a, b.", "Add x and y.",
            "First: Add one and one. Then: sing.",
        ] {
            #expect(InstructionCheck(prompt: prompt) == nil, "\(prompt)")
        }
        #expect(InstructionCheck(prompt: "<user>\nAdd one and one.\n<assistant>") != nil)
    }

    @Test("the set stands in the catalogue under its name")
    func catalogue() throws {
        let corpus = try CorpusFormat.named("instructions").read(CorpusRequest(seed: 3)).corpus
        #expect(corpus.splits["train"]?.count == 24000 && corpus.splits["ood_test"]?.count == 500 && corpus.name == "instructions")
        #expect(corpus.format.prompt(for: try corpus.examples(in: "test")[0]).hasSuffix("\n\n### Response:"))
    }
}
