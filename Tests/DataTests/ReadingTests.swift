import Data
import Formats
import Foundation
import Testing
import _TestSupport

/// What files of other programs and machines look like.
struct ReadingTests {
    private static let row = #"{"id": "a", "subreddit": "s", "title": "t", "post": "p", "summary": "y"}"#
    private static func row(_ id: String) -> String { row.replacing("\"a\"", with: "\"\(id)\"") }

    /// The ids of a file of posts.
    private func ids(_ name: String, _ text: String, _ policy: BadRowPolicy = .fail) throws -> [String] {
        try withTemporaryFolder { folder in
            try RowFile<SummaryExample>(folder.adding(name, text), onBadRow: policy).read().map(\.id)
        }
    }

    private func message(_ name: String, _ text: String) throws -> String {
        try withTemporaryFolder { folder in
            let file = try folder.adding(name, text)
            let error = formatError { _ = try RowFile<SummaryExample>(file).read() }
            return error?.description.replacing(file.path, with: "FILE") ?? "read"
        }
    }

    // MARK: JSON

    @Test func objectsOverSeveralLinesAreRowsOfJSONFiles() throws {
        let pretty = Self.row.replacing(", ", with: ",\n  ").replacing("{", with: "{\n").replacing("}", with: "\n}")
        let second = pretty.replacing("\"a\"", with: "\"b\"")
        for ending in ["\n", "\r\n", "\r"] {
            func lines(_ text: String) -> String { text.replacing("\n", with: ending) }
            #expect(try ids("a.json", lines(pretty)) == ["a"])
            #expect(try ids("a.json", "\u{feff}" + lines("\n" + pretty + "\n\n" + second + "\n")) == ["a", "b"])
            #expect(try ids("a.JSON", lines("[" + pretty + ",\n" + second + "]")) == ["a", "b"])
        }
        // the line is the one that the row begins on
        let bad = second.replacing("\"y\"", with: "3")
        #expect(try message("a.json", pretty + "\n" + bad).hasPrefix("FILE:8: field \"summary\" must be a string"))
        #expect(try message("a.json", pretty + "\n,").contains("expected \"{\", the start of a row"))
        #expect(try message("a.json", pretty + "\n{\n\"id\": ").contains("the file ends inside the element that starts here"))
        // lines stay lines, whatever is wrong with one of them
        #expect(try ids("a.json", Self.row("a") + "\n{oops\n" + Self.row("b"), .skip) == ["a", "b"])
    }

    @Test func anObjectOverSeveralLinesIsNamedInJSONLines() throws {
        let pretty = Self.row.replacing(", ", with: ",\n  ")
        let text = try message("a.jsonl", pretty)
        #expect(text.hasPrefix("FILE:1: ") && text.contains("each row must be on one line") && text.contains(".json"))
        try withTemporaryFolder { folder in
            let file = try folder.adding("a.jsonl", pretty)
            let error = formatError { _ = try JSONLines<SummaryExample>(file).read() }
            #expect(error?.description.contains("each row must be on one line") == true)
        }
    }

    @Test(arguments: ["a.jsonl", "a.json"])
    func faultsOfJSONAreNamedWithTheirPlace(name: String) throws {
        let bad: [(String, String)] = [
            (
                #"{"id": "a", "post": "x \ud83d y"}"#,
                #"an unpaired surrogate (a \u escape for half a character), at column 24, in "post""#
            ),
            (#"{"id": "a", "info": {"post": ["\udc00"]}}"#, #"at column 32, in "info.post.0""#),
            (#"{"id": "a", "post": NaN, "subreddit": "s", "title": "t", "summary": "y"}"#, #"field "post" must be a string, not NaN"#),
            (
                #"{"id": "a", "post": "p", "subreddit": "s", "title": -Infinity, "summary": "y"}"#,
                #"field "title" must be a string, not -Infinity"#
            ),
            (
                #"{"id": "a", "post": 1e999, "subreddit": "s", "title": "t", "summary": "y"}"#,
                #"field "post" must be a string, not Infinity"#
            ),
            (#"{"id": "a", "post": nan}"#, "expected a value, found 'n', at column 21, in \"post\""),
            (#"{"id": "a", "post": "p"} {}"#, "expected the end of the text, found '{', at column 26"),
            ("{\"id\": \"a\u{0}\"}", "a string has an unescaped control character"), ("\u{0}", "expected a value, found byte 0"),
            (#"{"id": -x}"#, "expected a value, found 'x', at column 9, in \"id\""),
        ]
        for (line, says) in bad {
            let text = try message(name, Self.row("z") + "\n" + line)
            #expect(text.hasPrefix("FILE:2: ") && text.contains(says), "\(text)")
            #expect(text.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }, "\(text)")
        }
    }

    /// Python writes NaN and infinities; a key that nobody asks for may hold one. Numbers keep their digits.
    @Test func oddNumbersInOtherKeysAreNoFault() throws {
        for number in ["NaN", "Infinity", "-Infinity", "1e999", "-0", "1e-400", "9007199254740993", "18446744073709551616"] {
            #expect(try ids("a.jsonl", Self.row.dropLast() + ", \"score\": \(number)}") == ["a"], "\(number)")
        }
        let big = Self.row.replacing(#""id": "a""#, with: #""id": 9007199254740993"#)
        #expect(try ids("a.jsonl", big) == ["9007199254740993"])
        // of repeated keys the last one counts, as in Python
        #expect(try ids("a.jsonl", #"{"id": "first", "# + Self.row.dropFirst()) == ["a"])
    }

    /// The same of rows that are decoded: an error that names the number and its key.
    @Test func decodedRowsNameWhatJSONDoesNotHave() throws {
        try withTemporaryFolder { folder in
            for (line, says) in [
                (#"{"id": "1", "input": "p", "response": "r", "reward": NaN}"#, #"the field "reward" is NaN, which JSON does not allow"#),
                (
                    #"{"id": "1", "input": "p", "response": "\ud83d"}"#,
                    #"an unpaired surrogate (a \u escape for half a character), at column 40, in "response""#
                ),
                ("[1]", "expected a JSON object, found an array"),
                ("{\"id\": \"a\tb\"}", #"a string has an unescaped control character, at column 10, in "id" ("{"id": "a\tb"}")"#),
            ] {
                let file = try folder.adding("t.jsonl", line)
                let text = formatError { _ = try JSONLines<SampleRow>(file).read() }?.description ?? "read"
                #expect(text.contains(says) && !text.contains("\n"), "\(text)")
            }
        }
    }

    // MARK: Lines

    @Test func carriageReturnsAloneEndLines() throws {
        let csv = "id,subreddit,title,post,summary\ra,s,\"t\ru\",p,\"y\"\r\r\"b\",s,t,\"p, q\",y\r"
        try withTemporaryFolder { folder in
            let rows = try RowFile<SummaryExample>(folder.adding("a.csv", csv)).read()
            #expect(rows.map(\.id) == ["a", "b"] && rows[0].title == "t\ru" && rows[1].post == "p, q" && rows[1].summary == "y")
            #expect(try RowFile<SummaryExample>(folder.adding("b.csv", String(csv.dropLast()))).read() == rows)
            let marked = try folder.adding("c.csv", "\u{feff}" + csv.replacing("\r\r", with: "\r\n\r"))
            #expect(try RowFile<SummaryExample>(marked).read() == rows)
        }
        // a line that is bad has its number
        #expect(try message("a.csv", csv + "c,s\r").hasPrefix("FILE:6: the record has 2 fields"))
        let lines = Self.row("a") + "\r" + Self.row("b") + "\r"
        #expect(try ids("a.jsonl", lines) == ["a", "b"])
        #expect(try ids("a.jsonl", lines + "\r" + Self.row("c")) == ["a", "b", "c"])
        #expect(try message("a.jsonl", lines + "{oops\r").hasPrefix("FILE:3: "))
        // inside of a row it is white space
        #expect(try ids("a.jsonl", Self.row("a").replacing(", ", with: ",\r") + "\n" + Self.row("b") + "\n") == ["a", "b"])
    }

    /// In a file of newlines a carriage return in a field is what it is.
    @Test func carriageReturnsInsideOfFieldsStay() throws {
        try withTemporaryFolder { folder in
            let rows = try RowFile<SummaryExample>(folder.adding("a.csv", "id,subreddit,title,post,summary\r\na,s,t\ru,p,y\r\n")).read()
            #expect(rows.map(\.title) == ["t\ru"])
        }
    }

    /// One row at a time through every buffer: what ends a line may lie at the end of a chunk.
    @Test func lineEndsMayLieBetweenChunks() throws {
        for length in (1 << 18) - 3...(1 << 18) + 1 {
            let header = "id,subreddit,title,post,summary"
            let first = "a,s,t,"
            let post = String(repeating: "p", count: length - header.utf8.count - first.utf8.count - 4)
            for end in ["\r", "\r\n", "\n"] {
                let text = header + end + first + post + ",y" + end + "b,s,t,p,y" + end
                #expect(try ids("a.csv", text) == ["a", "b"])
            }
            let row = Self.row("a").replacing("\"p\"", with: "\"\(String(repeating: "p", count: length - Self.row.utf8.count))\"")
            #expect(try ids("a.jsonl", row + "\r" + Self.row("b") + "\r") == ["a", "b"])
        }
    }

    // MARK: Names

    @Test func endingsMayBeCapitals() throws {
        try withTemporaryFolder { folder in
            _ = try folder.adding("train.JSONL", Self.row("a"))
            _ = try folder.adding("valid.Csv", "id,subreddit,title,post,summary\nb,s,t,p,y\n")
            _ = try folder.adding("test.JSON", "[" + Self.row("c") + "]")
            let corpus = try SummaryCorpus.load(folder)
            #expect(try ["train", "validation", "test"].map { try corpus.examples(in: $0).map(\.id) } == [["a"], ["b"], ["c"]])
            _ = try folder.adding("train.jsonl", Self.row("a"))
            #expect(dataError { _ = try SummaryCorpus.load(folder) } == .ambiguousSplit("train", files: ["train.JSONL", "train.jsonl"]))
        }
    }

    /// Columns are told apart by their bytes.
    @Test func columnsThatDifferInNormalFormAreTwo() throws {
        let columns = "id,subreddit,title,post,summary,caf\u{e9},cafe\u{301}"
        #expect(try ids("a.csv", columns + "\na,s,t,p,y,1,2\n") == ["a"])
        let twice = try message("a.csv", "id,a\u{301},a\u{301}\n")
        #expect(twice.contains("appears twice in the header"))
        #expect(try message("a.csv", "id,\"a\nb\",\"a\nb\"\n").contains(#"the column "a\nb" appears twice"#))
    }

    @Test func filesOfNothingAreEmpty() throws {
        for name in ["a.jsonl", "a.json", "a.csv"] {
            for text in ["", "\u{feff}", "\n\n"] {
                if name == "a.csv" {
                    #expect(try message(name, text).contains("the file is empty"))
                } else {
                    #expect(try ids(name, text) == [])
                }
            }
        }
    }
}

/// What is no file, or a damaged one.
@Suite(.timeLimit(.minutes(2))) struct UnreadableFileTests {
    @Test func onlyRegularFilesAreRead() throws {
        try withTemporaryFolder { folder in
            for name in ["train.jsonl", "a.json", "a.csv", "i.npy", "i.json"] {
                let pipe = folder.appendingPathComponent(name)
                #expect(mkfifo(pipe.path, 0o600) == 0)
                let link = folder.appendingPathComponent("zero-" + name)
                try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "/dev/zero")
                for file in [pipe, link] {
                    let errors = [
                        formatError { _ = try RowFile<SummaryExample>(file).read() },
                        formatError { _ = try JSONLines<SampleRow>(file).read() },
                        formatError { _ = try SplitIndex(file) }, formatError { _ = try NumpyArray(file) },
                    ]
                    for error in errors where !file.path.hasSuffix(".npy") || error != errors[0] {
                        guard case .unreadable(file.path, let reason)? = error else {
                            Issue.record("\(error as Any)")
                            continue
                        }
                        #expect(reason.contains("expected a file"))
                    }
                }
            }
        }
    }

    /// What gzip cannot unpack is damaged, whatever part of it was read before.
    @Test func damagedArchivesAreDamage() throws {
        let line = #"{"id": "1", "input": "p", "response": "r"}"# + "\n"
        try withTemporaryFolder { folder in
            let plain = try folder.adding("t.jsonl", String(repeating: line, count: 100))
            let gzip = Process()
            gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            gzip.arguments = ["gzip", plain.path]
            try gzip.run()
            gzip.waitUntilExit()
            let sound = Array(try Foundation.Data(contentsOf: folder.appendingPathComponent("t.jsonl.gz")))
            func read(_ bytes: [UInt8]) throws -> (Int?, FormatError?) {
                let file = try folder.adding("-a \n$x.jsonl.gz", bytes: bytes)
                var count: Int?
                let error = formatError { count = try JSONLines<SampleRow>(file).read().count }
                return (count, error)
            }
            #expect(try read(sound) == (100, nil))
            #expect(try read(sound + sound) == (200, nil))
            #expect(try read(sound + [0, 0, 0]) == (100, nil), "zeros behind the end, as on tapes")
            var changed = sound
            changed[sound.count - 6] ^= 1
            var method = sound
            method[2] = 3
            let damaged: [([UInt8], String)] = [
                (Array(sound.dropLast(6)), "unexpected end of file"), (Array(sound.prefix(12)), "unexpected end of file"),
                (changed, "incorrect data check"), (method, "compression method"), (sound + [1, 2, 3], "trailing garbage"),
                ([0x1f, 0x8b], ""),
                ([0x1f, 0x8b] + Array(repeating: 7, count: 100), ""),
            ]
            for (bytes, says) in damaged {
                let error = try read(bytes).1
                guard case .damagedArchive(_, let reason)? = error else {
                    Issue.record("\(says): \(error as Any)")
                    continue
                }
                #expect(says.isEmpty || reason.contains(says), "\(reason)")
                #expect(error?.description.contains(#"-a \n$x.jsonl.gz is a damaged gzip file"#) == true)
            }
        }
    }

    /// A pickle that names parts of itself until they fill the memory.
    @Test(arguments: ["array", "text", "scalar", "list", "rebuilt"])
    func picklesDoNotUnpack(kind: String) throws {
        func text(_ word: String) -> [UInt8] { [0x8c, UInt8(word.utf8.count)] + Array(word.utf8) }
        func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
        func long(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
        let size = 100_000
        // an element type, memory 0: numpy.dtype("i1")
        var pickle: [UInt8] = [0x80, 4] + name("numpy", "dtype") + text("i1") + [0x85, UInt8(ascii: "R"), 0x94, UInt8(ascii: "0")]
        // bytes, memory 1; a text, memory 2; a list, memory 3
        pickle += [UInt8(ascii: "B")] + long(size) + Array(repeating: 0, count: size) + [0x94, UInt8(ascii: "0")]
        pickle += [UInt8(ascii: "X")] + long(size) + Array(repeating: 0x61, count: size) + [0x94, UInt8(ascii: "0")]
        pickle += [UInt8(ascii: "]"), 0x94, UInt8(ascii: "(")]
        for _ in 0..<size / 2 { pickle += [UInt8(ascii: "K"), 1] }
        pickle += [UInt8(ascii: "e"), UInt8(ascii: "0"), UInt8(ascii: "}"), UInt8(ascii: "(")]
        func get(_ number: UInt8) -> [UInt8] { [UInt8(ascii: "h"), number] }
        if kind == "rebuilt" {
            pickle += text("train") + name("numpy.core.multiarray", "_reconstruct") + [UInt8(ascii: ")"), UInt8(ascii: "R")]
            // the state, memory 4: (1, None, type, False, list)
            pickle += [UInt8(ascii: "("), UInt8(ascii: "K"), 1, UInt8(ascii: "N")] + get(0) + [0x89] + get(3) + [UInt8(ascii: "t"), 0x94]
            pickle += [UInt8(ascii: "b")]
            for _ in 0..<20_000 { pickle += get(4) + [UInt8(ascii: "b")] }
        } else {
            for number in 0..<1000 {
                pickle += text("split\(number)")
                switch kind {
                case "array":
                    pickle += name("numpy.core.numeric", "_frombuffer") + [UInt8(ascii: "(")] + get(1) + get(0) + get(1) + get(1)
                    pickle += [UInt8(ascii: "t"), UInt8(ascii: "R")]
                case "text": pickle += name("_codecs", "encode") + get(2) + get(2) + [0x86, UInt8(ascii: "R")]
                case "scalar": pickle += name("numpy.core.multiarray", "scalar") + get(0) + get(1) + [0x86, UInt8(ascii: "R")]
                default: pickle += get(3)
                }
            }
        }
        pickle += [UInt8(ascii: "u"), UInt8(ascii: ".")]
        let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
        let file = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + pickle
        try withTemporaryFolder { folder in
            let url = try folder.adding("bomb.npy", bytes: file)
            let begin = ContinuousClock.now
            let error = dataError { _ = try SplitIndex(url) }
            guard case .invalidIndex(url.path, let reason)? = error else {
                Issue.record("\(error as Any)")
                return
            }
            #expect(kind == "scalar" || reason.contains("many times its size"), "\(reason)")
            #expect(ContinuousClock.now - begin < .seconds(5))
        }
    }
}
