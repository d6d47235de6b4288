import Data
import Foundation

/// A custom corpus: a file with other field names, and a prompt format other than that of Reddit posts.
func useYourOwnCorpus() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (split, product) in [("train", "mail"), ("ood_test", "maps")] {
        let rows = (1...4).map { #"{"product": "\#(product)", "body": "\#(product) fails, case \#($0)", "subject": "failure \#($0)"}"# }
        try rows.joined(separator: "\n").write(
            to: folder.appendingPathComponent("\(split).jsonl"), atomically: true, encoding: .utf8)
    }

    let tickets = CorpusFormat("tickets", in: folder) { record, id in
        SummaryExample(
            id: id, subreddit: try record.text("product"), title: "", post: try record.text("body"),
            summary: try record.text("subject"))
    }
    var (corpus, counts) = try CorpusFormat.named("tickets", in: CorpusFormat.builtIn + [tickets]).read()
    corpus.format = PromptFormat("Ticket ({subreddit}): {post}\nSubject:")
    precondition(counts.read == 8 && corpus.availableSplits == ["train", "ood_test"])

    // from here on, it is used like any other data set
    let posts = try corpus.examples(in: "train")
    precondition(corpus.format.prompt(for: posts[0]) == "Ticket (mail): mail fails, case 1\nSubject:")
    let tokenizer = try BPETrainer(vocabularySize: 300).train(on: posts.map(\.post))
    let examples = try SFTTokenisation(format: corpus.format).tokenise(posts, with: tokenizer).examples
    precondition(examples.count == 4)

    // a custom row format is added to the built-in ones; the first row of a file determines which one it has
    let quiz = RowShape(
        "quiz", columns: "question and answer",
        example: { record, id in
            SummaryExample(
                id: id, subreddit: "", title: "", post: try record.text("question"), summary: try record.text("answer"),
                promptFormat: .verbatim)
        }
    ) { try $0.has("question") }
    let questions = folder.appendingPathComponent("questions.jsonl")
    try #"{"question": "Why?", "answer": " So."}"#.write(to: questions, atomically: true, encoding: .utf8)
    let request = CorpusRequest(files: ["train": questions], wanted: ["train"], shapes: [quiz] + RowShape.builtIn)
    let asked = try CorpusFormat.generated.read(request).corpus
    let first = try asked.examples(in: "train")[0]
    precondition(asked.shapes["train"] == "quiz" && asked.format.text(of: first) == "Why? So.")

    // rows in memory need no format
    let inMemory = SummaryCorpus(name: "tickets", train: posts, oodTest: try corpus.examples(in: "ood_test"))
    precondition(inMemory.availableSplits == ["train", "ood_test"])
}
