import Data
import Formats
import Foundation
import Testing
import _TestSupport

struct SplitIndexTests {
    @Test func jsonAndArraysSayTheSame() throws {
        let expected = try CorporaFixture.load().index
        #expect(try SplitIndex(CorporaFixture.url("index.json")).rows == expected)
        #expect(try SplitIndex(CorporaFixture.url("index")).rows == expected)
        #expect(try SplitIndex(scoresIn: CorporaFixture.url("scores")).rows == expected)
    }

    @Test func membersAreFound() throws {
        let index = try SplitIndex(rows: ["train": [9, 2, 5], "valid": []])
        #expect((0..<12).filter { index.contains($0, split: "train") } == [2, 5, 9])
        #expect(!index.contains(2, split: "validation") && !index.contains(2, split: "test"))
        #expect(throws: Never.self) { try index.check(split: "train", rowCount: 10) }
        #expect(dataError { try index.check(split: "train", rowCount: 9) } != nil)
        #expect(dataError { try index.check(split: "test", rowCount: 9) } != nil)
    }

    @Test func indexesMadeForOtherDataAreRefused() throws {
        try withTemporaryFolder { folder in
            let file = try folder.adding("i.json", #"{"train": [0, 60], "validation": [0], "test": [1]}"#)
            let index = try SplitIndex(file)
            guard
                case .invalidIndex(_, let reason) = dataError({
                    _ = try SummaryCorpus.load(
                        CorporaFixture.url("posts"), wanted: nil, selection: .structured(.sentiment(index)))
                })
            else {
                Issue.record("an index beyond the end was used")
                return
            }
            #expect(reason.contains("row 60") && reason.contains("60 rows"))
        }
    }

    @Test func badIndexesAreNamed() throws {
        let texts = [
            "[1, 2]", #"{"train": 1}"#, #"{"train": [1.5]}"#, #"{"train": [1, 1]}"#, #"{"train": [-1]}"#,
            #"{"train": ["1"]}"#,
            #"{"train": [1], "train": [2]}"#, #"{"valid": [1], "validation": [2]}"#,
        ]
        try withTemporaryFolder { folder in
            for text in texts {
                let file = try folder.adding("i.json", text)
                guard case .invalidIndex(file.path, _) = dataError({ _ = try SplitIndex(file) }) else {
                    Issue.record("\(text) was read")
                    continue
                }
            }
            let broken = try folder.adding("i.json", "{\"train\": [1,\n2")
            guard case .malformedFile = formatError({ _ = try SplitIndex(broken) }) else {
                Issue.record("half a file was read")
                return
            }
            guard case .unreadable = formatError({ _ = try SplitIndex(folder.appendingPathComponent("none.json")) })
            else {
                Issue.record("a missing file was read")
                return
            }
            guard case .invalidIndex = dataError({ _ = try SplitIndex(folder) }) else {
                Issue.record("a folder without arrays was read")
                return
            }
        }
        guard case .invalidIndex(_, let reason) = dataError({ _ = try SplitIndex(CorporaFixture.url("scores")) }) else {
            Issue.record("scores were taken for row numbers")
            return
        }
        #expect(reason.contains("scores"))
        guard case .invalidIndex(_, let why) = dataError({ _ = try SplitIndex(CorporaFixture.url("index/train.npy")) })
        else {
            Issue.record("one array was taken for a map")
            return
        }
        #expect(why.contains("does not name its split"))
        for (name, word) in [("objects", "pickle"), ("pickle", "json.dump")] {
            let file = CorporaFixture.url("npy/refused/\(name).npy")
            guard case .invalidIndex(_, let pickle) = dataError({ _ = try SplitIndex(file) }) else {
                Issue.record("\(name) was read")
                return
            }
            #expect(pickle.contains(word), "\(pickle)")
        }
    }

    @Test(
        "the map that numpy saves is read, whatever it is made of",
        arguments: [
            "lists", "arrays", "scalars", "lists-2", "lists-3", "lists-5", "arrays-2", "arrays-3", "arrays-5",
        ])
    func maps(_ name: String) throws {
        #expect(try SplitIndex(CorporaFixture.url("maps/\(name).npy")).rows == CorporaFixture.load().index)
    }

    /// A `.npy` file of one Python object with a pickle of one's own.
    private func refusal(_ pickle: [UInt8]) throws -> String {
        let bytes = try [UInt8](Foundation.Data(contentsOf: CorporaFixture.url("maps/lists.npy")))
        return try withTemporaryFolder { folder in
            let file = try folder.adding("a.npy", bytes: Array(bytes[..<(10 + Int(bytes[8]))]) + pickle)
            guard case .invalidIndex(_, let reason) = dataError({ _ = try SplitIndex(file) }) else { return "read" }
            return reason
        }
    }

    @Test func noOtherPickleIsCarriedOut() throws {
        let system = Array("cposix\nsystem\nX".utf8) + [5, 0, 0, 0] + Array("touch".utf8) + [0x85, 0x52]
        let deep = Array(repeating: UInt8(ascii: "]"), count: 100_000) + Array(repeating: UInt8(ascii: "a"), count: 99_999)
        // a list that is put into itself, and one that grows after it has been put away
        let own = Array("]q".utf8) + [0] + Array("h".utf8) + [0] + Array("a".utf8)
        let later = Array("]]q".utf8) + [0] + Array("ah".utf8) + [0] + Array("K".utf8) + [1] + Array("a".utf8)
        for pickle in [system, deep, own, later, Array("}".utf8), Array("K".utf8) + [1], Array("(((".utf8), []] {
            for end in [Array(".".utf8), []] {
                let reason = try refusal([0x80, 2] + pickle + end)
                let isEmptyMap = pickle == Array("}".utf8) && !end.isEmpty
                let isNamed = reason.contains("dictionary from splits") || reason.contains("truncated")
                #expect(isEmptyMap ? reason == "read" : isNamed, "\(reason)")
            }
        }
    }

    @Test func scoresThatWereWrittenMakeAnIndex() throws {
        let numbers: [Double] = [0.5, -.infinity, 1e-300, -3]
        try withTemporaryFolder { folder in
            for count in [0, 4] {
                let array = NumpyArray(shape: [count], elements: .reals(Array(numbers.prefix(count))))
                try array.write(to: folder.appendingPathComponent("\(count).npy"))
            }
            let index = try SplitIndex(scoresIn: folder, keeping: .highest(share: 0.5))
            #expect(index.rows["4"] == [0, 2] && index.rows["0"] == [])
        }
    }

    @Test func scorersMakeIndexes() throws {
        let expected = try CorporaFixture.load()
        let reader = CorpusReader<SummaryExample>(try SplitFiles(in: CorporaFixture.url("posts")))
        var sizes: [Int] = []
        let index = try reader.index(batchSize: 25) { rows in
            sizes.append(rows.count)
            return rows.map { Double($0.post.unicodeScalars.count) }
        }
        for (split, posts) in expected.posts {
            let lengths = posts.map(\.post.unicodeScalars.count)
            let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
            #expect(index.rows[split] == order.prefix(lengths.count / 2).sorted())
        }
        #expect(sizes.sorted() == [9, 10, 23, 25, 25, 25])
        let high = try reader.index(keeping: .atLeast(400)) { $0.map { Double($0.post.utf8.count) } }
        #expect(
            high.rows["train"]
                == expected.posts["train"]?.indices.filter {
                    (expected.posts["train"]?[$0].post.utf8.count ?? 0) >= 400
                })
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("index.json")
            try index.write(to: file)
            #expect(try SplitIndex(file).rows == index.rows)
        }
        guard case .invalidSetting = dataError({ _ = try reader.index { _ in [1] } }) else {
            Issue.record("missing scores were accepted")
            return
        }
        guard case .invalidIndex = dataError({ _ = try reader.index { $0.map { _ in .nan } } }) else {
            Issue.record("scores that are no numbers were accepted")
            return
        }
    }

    @Test func rowsThatAreLeftOutKeepTheirNumbers() throws {
        try withTemporaryFolder { folder in
            let lines = (0..<6).map {
                #"{"id": "\#($0)", "subreddit": "s", "title": "t", "post": "p\#($0)", "summary": "y"}"#
            }
            let text = ([lines[0], "broken"] + lines[1...]).joined(separator: "\n")
            _ = try folder.adding("train.jsonl", text)
            var reader = CorpusReader<SummaryExample>(try SplitFiles(in: folder), onBadRow: .skip)
            let index = try reader.index(keeping: .atLeast(0)) { rows in
                rows.map { $0.id == "1" || $0.id == "4" ? 1 : -1 }
            }
            #expect(index.rows["train"] == [2, 5])
            reader.selection = .structured(.sentiment(index))
            #expect(
                try reader.read().rows.mapValues { $0.map(\.id) } == [
                    "train": ["1", "4"], "ood_train": ["0", "2", "3", "5"],
                    "full_train": ["0", "1", "2", "3", "4", "5"],
                ])
        }
    }
}
