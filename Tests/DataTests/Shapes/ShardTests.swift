import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// Splits in several files, and rows that a column puts in or out of distribution.
@Suite struct ShardTests {
    private func rows(_ names: ClosedRange<Int>, source: String = "a", ids: Bool = true) -> String {
        names.map { "{\(ids ? "\"id\": \"r\($0)\", " : "")\"instruction\": \"i\($0)\", \"output\": \"o\", \"source\": \"\(source)\"}" }
            .joined(separator: "\n")
    }

    @Test("parts are read in the order of their numbers as one file, also packed ones")
    func order() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train-00001-of-00003.jsonl", rows(3...4))
            _ = try folder.adding("train-00002-of-00003.csv", "id,instruction,output\nr5,i5,o\n")
            _ = try folder.adding("train-00000-of-00003.JSONL", rows(1...2))
            _ = try folder.adding("val-0-of-1.jsonl", rows(1...1))
            _ = try folder.adding("trainer-00000-of-00002.jsonl", "nothing")
            let files = try SplitFiles(in: folder)
            #expect(
                files.parts(of: "train").map(\.lastPathComponent)
                    == ["train-00000-of-00003.JSONL", "train-00001-of-00003.jsonl", "train-00002-of-00003.csv"])
            let corpus = try CorpusFormat.folder(folder).read().corpus
            #expect(try corpus.examples(in: "train").map(\.id) == ["r1", "r2", "r3", "r4", "r5"])
            #expect(try corpus.examples(in: "validation").count == 1 && corpus.shapes == ["train": "alpaca", "validation": "alpaca"])
            // a file that is named takes the place of all parts
            let other = try folder.adding("mine.jsonl", rows(9...9))
            let replaced = try CorpusFormat.folder(folder).files(of: .posts, in: folder, replacing: ["train": other])
            #expect(replaced?.parts(of: "train") == [other])
            let half = try CorpusFormat.folder(folder).read(CorpusRequest(wanted: ["train"], selection: .random(RandomSubset(percent: 40))))
            #expect(half.corpus.splits["train"]?.count == 2)
        }
    }

    @Test("rows without ids are numbered through all parts, and an id that comes twice is found across them")
    func ids() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train-00000-of-00002.jsonl", rows(1...2, ids: false))
            _ = try folder.adding("train-00001-of-00002.jsonl", rows(3...3, ids: false))
            #expect(try CorpusFormat.folder(folder).read().corpus.examples(in: "train").map(\.id) == ["train-0", "train-1", "train-2"])
            let second = try folder.adding("train-00001-of-00002.jsonl", rows(7...7) + "\n" + rows(1...1))
            _ = try folder.adding("train-00000-of-00002.jsonl", rows(1...2))
            let error = formatError { _ = try CorpusFormat.folder(folder).read() }
            #expect(
                error
                    == .badRow(
                        RowLocation(file: second.path, line: 2), .duplicateID("r1", firstLine: 1, file: "train-00000-of-00002.jsonl")))
            // a row of another shape in a later part
            _ = try folder.adding("train-00001-of-00002.jsonl", #"{"prompt": "q"}"#)
            let mixed = formatError { _ = try CorpusFormat.folder(folder).read() }
            #expect("\(String(describing: mixed))".contains("00001-of-00002.jsonl:1"))
        }
    }

    @Test("a part that is missing is named, and so are parts that do not belong together")
    func missing() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train-00000-of-00003.jsonl", rows(1...1))
            _ = try folder.adding("train-00002-of-00003.jsonl.gz", "")
            let error = dataError { _ = try SplitFiles(in: folder) }
            #expect(error == .missingShards("train", folder: folder.path, names: ["train-00001-of-00003"], count: 1))
            #expect(
                error?.description
                    == "\(folder.path) is missing a part of the split \"train\": train-00001-of-00003; all parts are required")
            let whole = try folder.adding("train.jsonl", rows(1...1))
            guard case .ambiguousSplit("train", _) = dataError({ _ = try SplitFiles(in: folder) }) else {
                Issue.record("a file and parts of one split were read")
                return
            }
            try FileManager.default.removeItem(at: whole)
            _ = try folder.adding("train-00001-of-00004.jsonl", rows(1...1))
            guard case .ambiguousSplit("train", _) = dataError({ _ = try SplitFiles(in: folder) }) else {
                Issue.record("parts of two wholes were read as one")
                return
            }
        }
    }

    @Test("a part without a row is named, under either policy, also packed ones", arguments: ["", "\n \n"])
    func emptyPart(text: String) throws {
        for name in ["train-00001-of-00003.jsonl", "train-00001-of-00003.jsonl.gz", "train-00001-of-00003.json"]
        where text.isEmpty || !name.hasSuffix("gz") {
            try withTemporaryFolder { folder in
                _ = try folder.adding("train-00000-of-00003.jsonl", rows(1...2))
                _ = try folder.adding("train-00002-of-00003.jsonl", rows(3...3))
                _ = try folder.adding("test.jsonl", "")
                let file = try folder.adding(name, text)
                for policy in [BadRowPolicy.fail, .skip] {
                    let error = formatError { _ = try CorpusFormat.folder(folder).read(CorpusRequest(wanted: ["train"], onBadRow: policy)) }
                    #expect(
                        error
                            == .badFile(
                                path: file.path,
                                reason: "it has no rows, but is one of 3 parts of a split, which must all have rows; restore the file"))
                }
            }
        }
    }

    @Test(
        "a part beyond their number is named", arguments: ["train-00002-of-00002.jsonl", "train-00005-of-00002.csv.gz", "val-0-of-0.json"])
    func partBeyond(name: String) throws {
        try withTemporaryFolder { folder in
            for number in 0...1 { _ = try folder.adding("train-0000\(number)-of-00002.jsonl", rows(1...1)) }
            let file = try folder.adding(name, rows(2...2))
            guard case .badFile(file.path, let reason)? = formatError({ _ = try SplitFiles(in: folder) }) else {
                Issue.record("a part beyond their number was passed over")
                return
            }
            #expect(
                reason.contains("the file name says part \(name.contains("5") ? 5 : name.contains("val") ? 0 : 2) of"), "\(reason)")
        }
    }

    @Test("files in which every row is bad are told with their number and the first reason")
    func badRowsAlone() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("train.jsonl", "{}\n[1]\nx\n")
            _ = try folder.adding("test.jsonl", rows(1...1))
            for selection in [SplitSelection.all, .structured(.length(words: 3)), .random(try RandomSubset(percent: 50))] {
                let error = dataError {
                    let request = CorpusRequest(wanted: ["train"], selection: selection, onBadRow: .skip)
                    _ = try CorpusFormat.folder(folder).read(request).corpus.examples(in: "train")
                }
                guard case .emptySplit("train", let reason)? = error else {
                    Issue.record("a file of bad rows alone was read")
                    return
                }
                #expect(reason.hasPrefix("all of its rows are invalid: 0 rows read, 3 skipped (first: \(file.path):1: "), "\(reason)")
            }
            let pairs = try CorpusReader<Comparison>(SplitFiles(in: folder), onBadRow: .skip, shapes: RowShape.builtIn).read(["train"])
            guard case .emptySplit("train", let reason)? = dataError({ _ = try pairs.rows(of: "train") }) else {
                Issue.record("comparisons of bad rows alone were read")
                return
            }
            #expect(reason.contains("3 skipped (first: \(file.path):1: "), "\(reason)")
            // one that nobody asked for does not matter
            let test = try CorpusFormat.folder(folder).read(CorpusRequest(wanted: ["test"], onBadRow: .skip)).corpus
            #expect(test.splits["test"]?.count == 1)
        }
    }

    @Test("a column of a set in memory: the values that rows have, its own splits that are left out, and a column that there is not")
    func columnInMemory() throws {
        func row(_ id: String, _ kind: String) -> SummaryExample {
            SummaryExample(id: id, subreddit: kind, title: "", post: "p", summary: "s")
        }
        let corpus = SummaryCorpus(
            name: "kinds", train: [row("a", "sort"), row("b", "add")], test: [row("c", "add"), row("d", "sort")],
            oodTest: [row("e", "sort")])
        let divided = try corpus.selecting(.structured(.column("subreddit", outside: ["sort", "name"])))
        #expect(divided.valuesFound == ["sort"] && divided.replaced == ["ood_test"])
        #expect(divided.splits["ood_test"]?.map(\.id) == ["d"] && divided.splits["train"]?.map(\.id) == ["b"])
        let error = dataError { _ = try corpus.selecting(.structured(.column("source", outside: ["sort"]))) }
        #expect(error?.description == "the rows of \"kinds\" have no column \"source\"; expected subreddit")
    }

    @Test("contents that are no text are bad rows where messages are read as texts alone, and no others")
    func textsAlone() throws {
        let image = #"{"type": "image_url", "image_url": {"url": "x"}}"#
        let contents: [(String, String?)] = [
            (#""words""#, nil), (#"[{"type": "text", "text": "words"}, "more"]"#, nil), ("null", nil),
            ("[\(image)]", "the content of message 1 (user) has a part of type \"image_url\" (part 1), not text"),
            (#"[{"type": "text", "text": "look"}, "# + image + "]", "has a part of type \"image_url\" (part 2), not text"),
            ("[5]", "(user) has a part that is a number (part 1), not text"), ("7", "(user) is a number, not text"),
        ]
        for (content, problem) in contents {
            let user = "{\"role\": \"user\", \"content\": \(content)}"
            let answers = [#"[{"role": "assistant", "content": "a"}]"#, #"[{"role": "assistant", "content": "b"}]"#]
            let pair = "{\"prompt\": [\(user)], \"chosen\": \(answers[0]), \"rejected\": \(answers[1])}"
            let texts = RowShape.builtIn.map(\.ofTextsAlone)
            for line in [
                "{\"messages\": [\(user), \(answers[0].dropFirst().dropLast())]}", "{\"prompt\": [\(user)], \"completion\": \(answers[0])}",
                "{\"prompt\": [\(user)]}", pair,
            ] {
                #expect(ShapeFixture.problem(SummaryExample.self, [line]) == "nothing")
                let found = ShapeFixture.problem(SummaryExample.self, [line], shapes: texts)
                #expect(problem.map { found.contains("train.jsonl:1: ") && found.contains($0) } ?? (found == "nothing"), "\(found)")
            }
            let found = ShapeFixture.problem(Comparison.self, [pair], shapes: texts)
            #expect(problem.map { found.contains("train.jsonl:1: ") && found.contains($0) } ?? (found == "nothing"), "\(found)")
        }
    }

    @Test("rows with some values in a column are the splits out of distribution, whatever the shape and the type of the value")
    func columns() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train.jsonl", rows(1...2) + "\n" + rows(3...3, source: "b") + "\n" + rows(4...4, source: "c"))
            _ = try folder.adding("test.jsonl", rows(5...5, source: "b") + "\n" + rows(6...6))
            func read(_ column: String, _ values: Set<String>, _ wanted: [String]? = nil, _ policy: BadRowPolicy = .fail) throws
                -> SummaryCorpus
            {
                let selection = SplitSelection.structured(.column(column, outside: values))
                return try CorpusFormat.folder(folder).read(CorpusRequest(wanted: wanted, selection: selection, onBadRow: policy)).corpus
            }
            let corpus = try read("source", ["b", "c"])
            #expect(corpus.splits["train"]?.map(\.id) == ["r1", "r2"] && corpus.splits["ood_train"]?.map(\.id) == ["r3", "r4"])
            #expect(corpus.splits["test"]?.map(\.id) == ["r6"] && corpus.splits["ood_test"]?.map(\.id) == ["r5"])
            #expect(corpus.valuesFound == ["b", "c"])
            let error = dataError { _ = try read("source", ["x"], ["ood_test"]) }
            #expect(error == .emptySplit("ood_test", reason: "every row of \"test\" has a \"source\" other than \"x\""))
            let file = folder.appendingPathComponent("train.jsonl").path
            #expect(formatError { _ = try read("origin", ["x"]) } == .badRow(RowLocation(file: file, line: 1), .missingField("origin")))
            // numbers and truths count as they are written; lists do not
            _ = try folder.adding("test.jsonl", #"{"prompt": "q", "completion": "a", "info": {"turn": 2}, "good": true, "tags": []}"#)
            #expect(try read("info.turn", ["2"], ["ood_test"]).splits["ood_test"]?.count == 1)
            #expect(try read("good", ["true"], ["ood_test"]).splits["ood_test"]?.count == 1)
            #expect("\(String(describing: formatError { _ = try read("tags", ["x"], ["ood_test"]) }))".contains("a string or a number"))
            // comparisons, too
            let reader = CorpusReader<Comparison>(
                SplitFiles([
                    "test": try folder.adding(
                        "pairs.jsonl",
                        ["web", "book"].map { "{\"prompt\": \"q\", \"chosen\": \"a\", \"rejected\": \"b\", \"source\": \"\($0)\"}" }
                            .joined(separator: "\n"))
                ]), selection: .structured(.column("source", outside: ["book"])), shapes: RowShape.builtIn)
            let pairs = try reader.read()
            #expect(pairs.rows["test"]?.map(\.columnValue) == ["web"] && pairs.rows["ood_test"]?.map(\.columnValue) == ["book"])
        }
    }
}
