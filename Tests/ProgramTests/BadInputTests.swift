import Foundation
import Testing

/// Bad rows of data files and untrusted model folders, through the programs.
@Suite(.serialized) struct BadInputTests {
    private let pipeline: TinyPipeline

    init() throws { pipeline = try TinyPipeline(rows: 12) }

    private func train(_ extra: [String] = []) throws -> (status: Int32, errors: String) {
        try pipeline.start("train-sft", output: "out-\(UUID().uuidString)", extra: extra + ["--max-steps", "1"]).wait()
    }

    private func write(_ bytes: [UInt8], _ name: String = "data/train.jsonl") throws {
        try Data(bytes).write(to: pipeline.url(name))
    }

    private var rows: [String] { (0..<12).map { TinyPipeline.row("train", $0) } }

    private func expectError(_ end: (status: Int32, errors: String), status: Int32, _ parts: [String], _ label: String) {
        #expect(end.status == status, "\(label): \(end.status) \(end.errors)")
        let lines = end.errors.split(separator: "\n").filter { $0.contains(": error: ") }
        #expect(lines.count == 1 && lines.allSatisfy { $0.utf8.count < 1000 }, "\(label): \(end.errors)")
        for part in parts { #expect(lines.first?.contains(part) == true, "\(label): \(end.errors)") }
    }

    @Test("what is wrong with a model's folder or configuration is said with its path")
    func namedModels() throws {
        let pipe = pipeline.url("pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        expectError(try start(from: "pipe"), status: 66, [pipe.path, "expected a folder"], "a pipe")
        var sound = ""
        try model("odd") { sound = try String(contentsOf: $0.appendingPathComponent("config.json"), encoding: .utf8) }
        let digits = String(repeating: "9", count: 3_000_000)
        for (json, words) in [
            (
                sound.replacing(/"vocab_size": \d+/, with: "\"vocab_size\": \(digits)"),
                "vocab_size is 9999999999999999999999999999999999999999…, not a whole number"
            ),
            (#"{"vocab_size": \#(digits)}"#, "model_type is missing"), (#"{"model_type": "x"}"#, "model_type 'x' is not supported"),
        ] {
            try Data(json.utf8).write(to: pipeline.url("odd/config.json"))
            expectError(try start(from: "odd"), status: 65, ["odd/config.json: ", words], words)
        }
    }

    /// A line that breaks the format, as bytes, and what the error says of it.
    private static let badLines: [(name: String, line: [UInt8], says: String)] = [
        ("malformed", Array(#"{"id": "x", "post": "#.utf8), "JSON"),
        ("no object", Array("[1, 2]".utf8), "object"),
        ("a missing field", Array(#"{"id": "x", "post": "p", "subreddit": "s", "title": "t"}"#.utf8), "summary"),
        ("a null", Array(#"{"id": "x", "post": null, "subreddit": "s", "title": "t", "summary": "y"}"#.utf8), "post"),
        (
            "a wrong type", Array(#"{"id": "x", "post": 3, "subreddit": "s", "title": "t", "summary": "y"}"#.utf8),
            "post"
        ),
        (
            "invalid UTF-8",
            Array(#"{"id": "x", "post": "p"#.utf8) + [0xff, 0xfe]
                + Array(#"", "subreddit": "s", "title": "t", "summary": "y"}"#.utf8),
            "UTF-8"
        ),
        ("a duplicate id", Array(TinyPipeline.row("train", 4).utf8), "train4"),
        (
            "an ill-formed surrogate",
            Array(#"{"id": "x", "post": "\ud800", "subreddit": "s", "title": "t", "summary": "y"}"#.utf8), ""
        ),
        ("deep nesting", Array(repeating: UInt8(ascii: "["), count: 100_000), ""),
    ]

    @Test("each kind of bad line is named with file and line, or left out and counted", arguments: badLines.indices)
    func badLine(index: Int) throws {
        let (name, line, says) = Self.badLines[index]
        var bytes: [UInt8] = []
        for (number, row) in rows.enumerated() {
            bytes += Array(row.utf8) + [0x0a]
            if number == 6 { bytes += line + [0x0a] }
        }
        try write(bytes)
        expectError(try train(), status: 65, ["data/train.jsonl:8: ", says].filter { !$0.isEmpty }, name)
        let end = try train(["--on-bad-row", "skip"])
        #expect(end.status == 0, "\(name): \(end.errors)")
        #expect(
            end.errors.contains("1 skipped (first: ") && end.errors.contains("data/train.jsonl:8: "),
            "\(name): \(end.errors)")
    }

    @Test("a line of 100 MB is read past in little memory")
    func longLine() throws {
        let file = pipeline.url("data/train.jsonl")
        try Data((rows[..<6].joined(separator: "\n") + "\n").utf8).write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"id": "x", "post": ""#.utf8))
        let chunk = Data(repeating: UInt8(ascii: "a"), count: 1 << 20)
        for _ in 0..<100 { try handle.write(contentsOf: chunk) }
        try handle.write(contentsOf: Data(("\"}\n" + rows[6...].joined(separator: "\n") + "\n").utf8))
        try handle.close()
        expectError(try train(), status: 65, ["data/train.jsonl:7: ", "16777216"], "long line")
        let process = try pipeline.start(
            "train-sft", output: "long", extra: ["--on-bad-row", "skip", "--max-steps", "1"])
        var peak = 0
        let status = "/proc/\(process.pid)/status"
        _ = process.wait {
            for line in ((try? String(contentsOfFile: status, encoding: .utf8)) ?? "").split(separator: "\n")
            where line.hasPrefix("VmHWM") {
                peak = max(peak, Int(line.split(separator: " ").dropLast().last ?? "") ?? 0)
            }
            return false
        }
        let end = process.wait()
        #expect(end.status == 0 && end.errors.contains("1 skipped"), "\(end.errors)")
        // the line's limit is 16 MiB; 100 MiB in memory would show
        #expect(peak < 160_000, "\(peak) kB")
    }

    @Test("a byte-order mark, carriage returns, blank lines and a missing last newline change nothing")
    func harmless() throws {
        func result(_ bytes: [UInt8]) throws -> [String: Data] {
            try write(bytes)
            let output = "out-\(UUID().uuidString)"
            let end = try pipeline.start("train-sft", output: output, extra: ["--max-steps", "2"]).wait()
            #expect(end.status == 0, "\(end.errors)")
            return try pipeline.results(output + "/sft")
        }
        let plain = try result(Array((rows.joined(separator: "\n") + "\n").utf8))
        #expect(try result([0xef, 0xbb, 0xbf] + Array(rows.joined(separator: "\r\n").utf8)) == plain)
        #expect(try result(Array(("\n" + rows.joined(separator: "\n\n  \n")).utf8)) == plain)
    }

    @Test("comparisons: a choice out of range, one summary, a wrong type")
    func comparisons() throws {
        let end = try pipeline.start("train-sft").wait()
        #expect(end.status == 0, "\(end.errors)")
        let folder = pipeline.url("pairs")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func row(_ number: Int, choice: String, second: String = #", {"text": "b"}"#) -> String {
            #"{"info": {"id": "c\#(number)", "post": "p", "title": "t", "subreddit": "s"}, "summaries": [{"text": "a"}\#(second)], "choice": \#(choice)}"#
        }
        for (bad, says) in [
            (row(9, choice: "2"), "choice"), (row(9, choice: "-1"), "choice"), (row(9, choice: "\"1\""), "choice"),
            (row(9, choice: "null"), "choice"), (row(9, choice: "1", second: ""), "summaries"),
            (row(2, choice: "1"), ""),
        ] {
            let lines = (0..<5).map { row($0, choice: String($0 % 2)) } + [bad]
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(
                to: folder.appendingPathComponent("train.jsonl"))
            func run(_ extra: [String]) throws -> (status: Int32, errors: String) {
                try ProgramProcess(
                    "train-reward-model",
                    [
                        "--model-name", "runs/sft", "--comparisons", "pairs", "--max-steps", "1", "--output-dir",
                        "rm-\(UUID().uuidString)",
                    ] + extra, in: pipeline.folder
                ).wait()
            }
            let refused = try run([])
            // the same comparison may be judged twice: an id alone is no fault there
            if !says.isEmpty { expectError(refused, status: 65, ["pairs/train.jsonl:6: ", says], bad) }
            let skipping = try run(["--on-bad-row", "skip"])
            #expect(skipping.status == 0, "\(bad): \(skipping.errors)")
            if !says.isEmpty { #expect(skipping.errors.contains("5 rows read, 1 skipped"), "\(skipping.errors)") }
        }
    }

    @Test("a folder of results cannot have a name that the run uses itself")
    func takenNames() throws {
        for option in ["--normalisation-checkpoint-dir", "--classifier-dir"] {
            for name in ["checkpoints", "tables", "final", "comparisons", "metrics.jsonl", "predictions-test", "../x"] {
                let end = try pipeline.start("train-reward-model", extra: [option, name]).wait()
                expectError(end, status: 64, [option, name], name)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: pipeline.url("runs").path))
    }

    @Test("posts and summaries of no length are read; an example without a trained token still has its end")
    func emptyTexts() throws {
        let empty = #"{"id": "x", "post": "", "subreddit": "", "title": "", "summary": ""}"#
        try write(Array((rows + [empty]).joined(separator: "\n").utf8))
        let end = try pipeline.start("train-sft", extra: ["--num-train-epochs", "2"]).wait()
        #expect(end.status == 0, "\(end.errors)")
        let lines = try String(contentsOf: pipeline.url("runs/sft/metrics.jsonl"), encoding: .utf8)
        #expect(!lines.contains("null"))
    }

    // MARK: Model folders from elsewhere

    /// A finished model folder, changed.
    private func model(_ name: String, _ change: (URL) throws -> Void) throws {
        if !FileManager.default.fileExists(atPath: pipeline.url("runs/sft/final").path) {
            let end = try pipeline.start("train-sft", extra: ["--max-steps", "1"]).wait()
            #expect(end.status == 0, "\(end.errors)")
        }
        try FileManager.default.copyItem(at: pipeline.url("runs/sft/final"), to: pipeline.url(name))
        try change(pipeline.url(name))
    }

    private func start(from model: String) throws -> (status: Int32, errors: String) {
        try ProgramProcess(
            "train-sft",
            [
                "--model-name", model, "--dataset", "data", "--max-steps", "1", "--output-dir",
                "out-\(UUID().uuidString)",
            ],
            in: pipeline.folder
        ).wait()
    }

    /// Two responses a prompt, and their KL against a reference.
    private func sample(_ model: String, against reference: String) throws -> (status: Int32, errors: String) {
        try ProgramProcess(
            "sample-best-of-n",
            [
                "--model-name", model, "--reference-model", reference, "--dataset", "data", "--reward-function", "length",
                "--evaluation-splits", "test", "--num-return-sequences", "2", "--max-new-tokens", "4",
            ],
            in: pipeline.folder
        ).wait()
    }

    @Test("a reference whose embedding lacks tokens of the policy is refused")
    func smallReference() throws {
        for (output, size) in [("large", "300"), ("small", "280")] {
            let end = try pipeline.start(
                "train-sft", output: output, extra: ["--vocabulary-size", size, "--max-steps", "1"]
            ).wait()
            #expect(end.status == 0, "\(end.errors)")
        }
        expectError(try sample("large/sft", against: "small/sft"), status: 64, ["the tokenizer in", "small/sft", "KL"], "other ids")

        let folder = pipeline.url("few-rows")
        try FileManager.default.copyItem(at: pipeline.url("small/sft/final"), to: folder)
        let tokenizer = folder.appendingPathComponent("tokenizer.json")
        try FileManager.default.removeItem(at: tokenizer)
        try FileManager.default.copyItem(at: pipeline.url("large/sft/final/tokenizer.json"), to: tokenizer)
        expectError(try sample("large/sft", against: "few-rows"), status: 65, ["few-rows", "280 rows"], "few rows")
    }

    @Test("a reference that numbers its tokens in another way is refused")
    func foreignReference() throws {
        try model("other-ids") { folder in
            let file = folder.appendingPathComponent("tokenizer.json")
            var text = try String(contentsOf: file, encoding: .utf8)
            // i and x change places
            for (name, other) in [("i", "?1"), ("x", "i"), ("?1", "x")] {
                text = text.replacingOccurrences(of: "\"\(name)\": ", with: "\"\(other)\": ")
            }
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        expectError(try sample("runs/sft", against: "other-ids"), status: 64, ["the tokenizer in", "other-ids", "KL"], "reference")
    }

    @Test("names that lead out of a model folder are refused")
    func escapingNames() throws {
        for (number, name) in ["../outside.safetensors", "/etc/passwd", "a/../../b", ".."].enumerated() {
            try model("shards-\(number)") { folder in
                let weights = folder.appendingPathComponent("model.safetensors")
                try FileManager.default.moveItem(at: weights, to: pipeline.url("outside-\(number).safetensors"))
                let index = #"{"weight_map": {"model.norm.weight": "\#(name)"}}"#
                try Data(index.utf8).write(to: folder.appendingPathComponent("model.safetensors.index.json"))
            }
            expectError(try start(from: "shards-\(number)"), status: 65, ["model.safetensors.index.json", name], name)
        }
    }

    @Test("sizes that a file claims and does not have are refused before memory is taken for them")
    func claimedSizes() throws {
        let headers = [
            // lengths of headers and tensors far beyond the file
            ("header", [UInt8](repeating: 0xff, count: 7) + [0x7f], ""),
            (
                "tensor", [],
                #"{"model.norm.weight":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,16]}}"#
            ),
            (
                "overflow", [],
                #"{"model.norm.weight":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}}"#
            ),
            (
                "offsets", [],
                #"{"model.norm.weight":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#
            ),
        ]
        for (name, length, json) in headers {
            try model("size-\(name)") { folder in
                var bytes = length
                if bytes.isEmpty { bytes = withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Array($0) } }
                try Data(bytes + Array(json.utf8) + [UInt8](repeating: 0, count: 16))
                    .write(to: folder.appendingPathComponent("model.safetensors"))
            }
            expectError(try start(from: "size-\(name)"), status: 65, ["model.safetensors"], name)
        }
    }

    @Test("a configuration with absurd numbers is refused with the key, not with a crash")
    func absurdConfiguration() throws {
        let changes: [(String, Int)] = [
            ("num_hidden_layers", 2_000_000_000), ("hidden_size", -1), ("vocab_size", 1 << 62),
            ("num_attention_heads", 0),
            ("intermediate_size", 1 << 40), ("max_position_embeddings", -5), ("head_dim", 1 << 40),
        ]
        for (number, (key, value)) in changes.enumerated() {
            try model("config-\(number)") { folder in
                let file = folder.appendingPathComponent("config.json")
                var settings = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
                #expect(settings[key] != nil, "\(key)")
                settings[key] = value
                try JSONSerialization.data(withJSONObject: settings).write(to: file)
            }
            let end = try start(from: "config-\(number)")
            expectError(end, status: 65, [], key)
            #expect(!end.errors.contains("Fatal error"), "\(key): \(end.errors)")
        }
    }

    @Test("a tokenizer's settings cannot name files elsewhere")
    func tokenizerReferences() throws {
        // references of this kind are never followed: the tokenizer is read from the folder's own files, under their fixed names
        let secret = pipeline.url("secret.txt")
        try Data("top secret".utf8).write(to: secret)
        try model("references") { folder in
            let file = folder.appendingPathComponent("tokenizer_config.json")
            let settings =
                #"{"tokenizer_file": "\#(secret.path)", "vocab_file": "../../secret.txt", "added_tokens_file": "/etc/passwd", "name_or_path": "../secret.txt", "#
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data((settings + text.drop { $0 != "{" }.dropFirst()).utf8).write(to: file)
        }
        let end = try start(from: "references")
        #expect(end.status == 0 || end.status == 65, "\(end.status): \(end.errors)")
        #expect(!end.errors.contains("secret") && !end.errors.contains("Fatal error"), "\(end.errors)")
    }
}
