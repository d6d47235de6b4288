import Formats
import Data
import Foundation
import Testing
import _TestSupport

/// Data sets from outside: rows in memory, files of a format of one's own, fields of other names.
@Suite struct CorpusFormatTests {
    private static func ticket(_ number: Int, topic: String = "mail") -> SummaryExample {
        SummaryExample(id: "t\(number)", subreddit: topic, title: "", post: "post \(number) is long", summary: "short \(number)")
    }

    /// Rows of four columns in a text, which no reader of this library knows.
    private let table = CorpusFormat("table") { request in
        var splits: [String: [SummaryExample]] = [:]
        for line in "train|1|mail;train|2|web;train|3|mail;test|4|web;ood_test|\(request.seed)|other".split(separator: ";") {
            let cells = line.split(separator: "|")
            splits[String(cells[0]), default: []].append(Self.ticket(Int(cells[1]) ?? -1, topic: String(cells[2])))
        }
        return SummaryCorpus(name: "table", splits: splits, format: PromptFormat("Ticket: {post}\nIn short:"))
    }

    @Test("a format of one's own stands in the catalogue beside the built-in ones, with splits, prompts, tokens and subsets")
    func own() throws {
        let formats = CorpusFormat.builtIn + [table]
        #expect(CorpusFormat.builtIn.map(\.name) == ["generated", "instructions", "debian", "summarisation", "cnndm"])
        let format = CorpusFormat.named("table", in: formats)
        let (corpus, counts) = try format.read(CorpusRequest(seed: 9))
        #expect(corpus.availableSplits == ["train", "test", "ood_test", "full_test"] && counts == RowCounts())
        #expect(try corpus.examples(in: "ood_test").map(\.id) == ["t9"])
        let example = try corpus.examples(in: "train")[0]
        #expect(corpus.format.prompt(for: example) == "Ticket: post 1 is long\nIn short:")
        let tokenizer = try BPETrainer(vocabularySize: 280).train(on: [example.post])
        let tokens = try SFTTokenisation(format: corpus.format).tokenise(corpus.examples(in: "train"), with: tokenizer).examples
        let text = tokenizer.decode(tokens[0].tokens, skippingSpecialTokens: true)
        #expect(tokens.count == 3 && text.hasPrefix("Ticket: post 1 is long\nIn short:") && text.hasSuffix("short 1"))

        let half = try format.read(CorpusRequest(selection: .random(RandomSubset(percent: 67)))).corpus
        #expect(try half.examples(in: "train").count == 2)
        let inside = CorpusFormat("mail") { _ in SummaryCorpus(name: "m", train: [Self.ticket(1), Self.ticket(2, topic: "web")]) }
        let divided = try inside.read(CorpusRequest(selection: .structured(.subreddit("mail")))).corpus
        #expect(divided.splits.mapValues { $0.map(\.id) } == ["train": ["t1"], "ood_train": ["t2"], "full_train": ["t1", "t2"]])
    }

    @Test("files whose fields have other names are read with their limits, selections and bad rows")
    func fields() throws {
        try withTemporaryFolder { folder in
            let rows = (1...4).map { #"{"number": \#($0), "area": "\#($0 % 2 == 0 ? "web" : "mail")", "body": "text \#($0)"}"# }
            _ = try folder.adding("train.jsonl", rows.joined(separator: "\n") + "\n{\"area\": \"web\", \"body\": \"no number\"}\n")
            _ = try folder.adding("ood_test.csv", "number,area,body\n7,other,seven\n")
            let format = CorpusFormat("tickets", in: folder) { record, id in
                SummaryExample(
                    id: id, subreddit: try record.text("area"), title: "\(try record.integer("number"))", post: try record.text("body"),
                    summary: "")
            }
            #expect(
                throws: FormatError.badRow(
                    RowLocation(file: folder.appendingPathComponent("train.jsonl").path, line: 5), .missingField("number"))
            ) {
                try format.read()
            }
            let (corpus, counts) = try CorpusFormat.named("tickets", in: [format]).read(CorpusRequest(onBadRow: .skip, maximumTrain: 3))
            #expect(counts.read == 5 && counts.skipped == 1 && corpus.sizes["train"] == 4)
            #expect(corpus.splits["train"]?.map(\.title) == ["1", "2", "3"] && corpus.splits["train"]?[2].id == "train-2")
            #expect(corpus.splits["ood_test"]?.map(\.post) == ["seven"])
            let web = try format.read(CorpusRequest(wanted: ["train"], selection: .structured(.subreddit("web")), onBadRow: .skip)).corpus
            #expect(web.splits.mapValues { $0.map(\.title) } == ["train": ["2", "4"]])
            let files = try #require(try format.files(of: .posts, in: folder))
            let scores = try format.reader(files, set: .posts, onBadRow: .skip).scores { $0.map { Double($0.title) ?? 0 } }
            #expect(scores == ["train": [1, 2, 3, 4, -.infinity], "ood_test": [7]])
        }
    }

    @Test("what a closure returns is checked as files are")
    func checks() {
        func read(_ splits: [String: [SummaryExample]]) throws {
            _ = try CorpusFormat("x") { _ in SummaryCorpus(name: "x", splits: splits) }.read()
        }
        let dev = #expect(throws: DataError.self) { try read(["dev": [Self.ticket(1)]]) }
        #expect(dev?.description.contains("has a split \"dev\"; expected one of train, validation, test, ood_train") == true)
        let twice = #expect(throws: DataError.self) { try read(["train": [Self.ticket(1), Self.ticket(1)]]) }
        #expect(twice?.description.contains("two rows with the id \"t1\"") == true)
        #expect(throws: CancellationError.self) { try CorpusFormat("x") { _ in throw CancellationError() }.read() }
    }

    @Test("a set in memory has the splits that have rows")
    func memory() throws {
        let corpus = SummaryCorpus(name: "m", train: [Self.ticket(1)], test: [Self.ticket(2)], oodTest: [Self.ticket(3)])
        #expect(corpus.availableSplits == ["train", "test", "ood_test", "full_test"])
        #expect(try corpus.examples(in: "full_test").map(\.id) == ["t2", "t3"])
        #expect(throws: DataError.self) { try corpus.examples(in: "validation") }
    }

    @Test("built-in sets are what their names say")
    func builtIn() throws {
        try withTemporaryFolder { folder in
            func made(_ set: PublishedSet) throws {
                try FileManager.default.createDirectory(at: set.url(in: folder), withIntermediateDirectories: true)
            }
            for set in PublishedSet.allCases { try made(set) }
            func name(_ format: CorpusFormat, _ set: PublishedSet) throws -> String? {
                try format.folder(of: set, in: folder)?.lastPathComponent
            }
            #expect(try name(.summarisation, .posts) == "openai-tldr-filtered")
            #expect(try name(.summarisation, .queries) == "openai-tldr-filtered-queries")
            #expect(try name(.summarisation, .preferences) == "openai-tldr-summarisation-preferences")
            #expect(try name(.cnndm, .posts) == "cnn_dailymail" && name(.cnndm, .preferences) == "summarize_from_feedback")
            #expect(try name(.generated, .posts) == nil && CorpusFormat.debian.isMade)
            #expect(try CorpusFormat.generated.files(of: .posts, in: folder) == nil)
            let file = folder.appendingPathComponent("x.jsonl")
            #expect(try CorpusFormat.generated.files(of: .posts, in: folder, replacing: ["train": file])?.files == ["train": file])
            #expect(CorpusFormat.summarisation.batches() == .excluding("cnndm") && CorpusFormat.summarisation.batches(.any) == .any)
            #expect(CorpusFormat.cnndm.batches(.any) == .containing("cnndm") && CorpusFormat.folder(folder).batches() == .any)
            #expect(CorpusFormat.named(folder.path).name == folder.lastPathComponent && !CorpusFormat.named(folder.path).isMade)
        }
    }

    @Test("a prompt is a published way or a template, filled in one pass, and is stored as its name or template")
    func prompts() throws {
        let template = PromptFormat("{title} {x} r/{subreddit} {post}{post} {")
        #expect(template.prompt(subreddit: "{post}", title: "{title}", post: "p") == "{title} {x} r/{post} pp {")
        #expect(PromptFormat.tldr.prompt(subreddit: "s", title: "{post}", post: "p") == "SUBREDDIT: r/s\nTITLE: {post}\nPOST: p\nTL;DR:")
        #expect(PromptFormat(rawValue: "tldr") == .tldr && PromptFormat(rawValue: "html") == nil)
        let json = try JSONEncoder().encode([PromptFormat.cnnDailyMail, template])
        #expect(String(decoding: json, as: UTF8.self).hasPrefix(#"["cnnDailyMail","{title} {x}"#))
        #expect(try JSONDecoder().decode([PromptFormat].self, from: json) == [.cnnDailyMail, template])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([PromptFormat].self, from: Foundation.Data(#"["html"]"#.utf8)) }
        try withTemporaryFolder { parent in
            let corpus = SummaryCorpus(name: "m", train: [Self.ticket(1)], format: template)
            let folder = parent.appendingPathComponent("m")
            try corpus.write(to: folder)
            #expect(try SummaryCorpus.load(folder) == corpus)
        }
    }
}

extension PublishedSet {
    fileprivate func url(in folder: URL) -> URL { folder.appendingPathComponent(rawValue, isDirectory: true) }
}
