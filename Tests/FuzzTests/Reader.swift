import Data
import Formats
import Foundation
import Models
import Testing
import _TestSupport

/// A reader of files from outside, with well-formed files to begin with.
struct Reader: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the damaged file is called.
    let file: String
    /// Files below Tests/Fixtures, or their first bytes.
    let seeds: [Seed]
    /// What the format is made of.
    let words: [String]
    /// Reads the file. Errors of the package's own are refusals; any other is a failure.
    let read: @Sendable (URL) throws -> Void

    struct Seed: Sendable {
        let path: String
        let prefix: Int
    }

    var testDescription: String { name }

    func seedBytes() throws -> [[UInt8]] {
        try seeds.map { Array(try Foundation.Data(contentsOf: Fixtures.url($0.path)).prefix($0.prefix)) }
    }

    private static func files(_ paths: [String], prefix: Int = 40_000) -> [Seed] {
        paths.map { Seed(path: $0, prefix: prefix) }
    }

    static let json: [String] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\u", "\\ud800", "null", "true", "-1", "1e999", "99999999999999999999",
        "0.5",
    ]

    /// Keys, names, types and counts, little-endian.
    static let ggufWords: [String] = [
        "GGUF", "general.architecture", "general.alignment", "llama", "gpt2", "gemma3", "split.count", ".block_count", ".rope.freq_base",
        ".attention.head_count", "blk.0.", "token_embd.weight", "rope_freqs.weight", "\u{8}\0\0\0", "\u{9}\0\0\0\u{9}\0\0\0",
        "\u{4}\0\0\0", "\u{e}\0\0\0", "\0\0\0\0\0\0\0\u{7f}", "\u{20}\0\0\0\0\0\0\0",
    ]

    static let all: [Reader] = [
        Reader(
            name: "safetensors", file: "f.safetensors",
            seeds: files([
                "checkpoints/types.safetensors", "checkpoints/sharded-safetensors/model-00001-of-00003.safetensors",
                "checkpoints/sharded-safetensors/model-00002-of-00003.safetensors",
            ]),
            words: json + [
                "\"dtype\"", "\"shape\"", "\"data_offsets\"", "__metadata__", "F32", "F64", "BF16", "I64", "F8_E4M3",
            ]
        ) { file in
            for tensor in try SafetensorsFile(file).tensors { try touch(tensor) }
        },
        Reader(
            name: "GGUF", file: "f.gguf", seeds: files(["types", "llama-gqa", "phi3"].map { "gguf/\($0).gguf" }),
            words: ggufWords
        ) { file in
            for tensor in try GGUFShards(file).tensors { try touch(tensor) }
        },
        Reader(
            name: "model in GGUF", file: "model.gguf",
            seeds: files(
                ["llama-gqa", "llama-tied-biases-llama3", "gpt2", "gptneox", "gemma2", "qwen3"].map { "gguf/\($0).gguf" }, prefix: 60_000),
            words: ggufWords
        ) { file in
            let folder = ModelFolder(file)
            _ = try folder.generationConfiguration()
            let (configuration, weights) = (ConfigurationReader(try folder.configuration()), try folder.weights())
            for name in weights.names { try touch(weights.tensor(name)) }
            _ = try ModelFamily.builtIn.build(configuration, weights: NoWeights())
        },
        Reader(
            name: "pickle in zip", file: "f.bin",
            seeds: files(
                ["module", "views", "protocol4", "legacy", "hostile-eval", "hostile-system", "hostile-torch-function"]
                    .map {
                        "checkpoints/\($0).bin"
                    }),
            words: [
                "PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "ctorch._utils\n_rebuild_tensor_v2\n",
                "cbuiltins\neval\n",
                "ccollections\nOrderedDict\n", "(", ")", "t", "R", "Q", "}", "u", ".", "h\u{0}", "q\u{0}", "K\u{1}",
                "J", "\u{94}",
            ]
        ) { file in
            for tensor in try TorchArchive(file).tensors { try touch(tensor) }
        },
        Reader(
            name: "map of row numbers", file: "index.npy",
            seeds: files(["lists", "arrays", "scalars", "arrays-2"].map { "corpora/maps/\($0).npy" }),
            words: [
                "numpy.core.multiarray", "_reconstruct", "cbuiltins\neval\n", "(", ")", "t", "]", "}", "a", "e", "s", "u", "R",
                "b", ".", "h\u{0}", "q\u{0}", "K\u{1}", "J", "X", "C", "i8", "|O",
            ]
        ) { file in
            _ = try SplitIndex(file)
        },
        Reader(
            name: "index of shards", file: "model.safetensors.index.json",
            seeds: files([
                "checkpoints/sharded-safetensors/model.safetensors.index.json",
                "checkpoints/sharded-torch/pytorch_model.bin.index.json",
            ]), words: json + ["weight_map", "..", "/"]
        ) { file in
            _ = try WeightStore(folder: file.deletingLastPathComponent())
        },
        Reader(
            name: "config.json", file: "config.json",
            seeds: files(
                ["llama-dynamic", "llama-v5-config", "llama-tied-biases-llama3", "opt-bare", "gpt2-scaled"].map {
                    "models/\($0)/config.json"
                }), words: json + ["rope_scaling", "llama3", "yarn", "1000000000", "0"]
        ) { file in
            let configuration = ConfigurationReader(try ModelFolder(file.deletingLastPathComponent()).configuration())
            // weights that are asked for and never there: what a configuration promises costs nothing
            _ = try ModelFamily.builtIn.build(configuration, weights: NoWeights())
        },
        Reader(
            name: "tokenizer.json", file: "tokenizer.json",
            seeds: files(
                ["gpt2", "metaspace", "wordpiece", "prefix", "suffix", "unknown", "albert", "qwen3.5"].map {
                    "tokenizers/\($0)/tokenizer.json"
                }),
            words: json + [
                "\"type\"", "BPE", "WordPiece", "Sequence", "NFKC", "Replace", "Prepend", "Strip", "ByteLevel",
                "Metaspace", "Split", "Unigram", "WordLevel", "Precompiled", "Nmt", "CTC", "UnicodeScripts", "FixedLength", "Regex",
                "ByteFallback", "Fuse", "Template", "\"id\"", "merges", "vocab", "▁", "Ġ", "<0x00>",
            ]
        ) { file in
            try tokenise(file)
        },
        Reader(
            name: "tokenizer.model", file: "tokenizer.model",
            seeds: files([
                "tokenizers/sentencepiece/tokenizer.model", "tokenizers/sentencepiece-first/tokenizer.model",
                "tokenizers/unigram/tokenizer.model", "tokenizers/t5/spiece.model",
            ]),
            words: ["\n", "\u{12}", "\u{1a}", "\u{8}", "▁", "<0x41>", "\u{7f}\u{7f}\u{7f}", "<s>", "<unk>"]
        ) { file in
            try tokenise(file)
        },
        Reader(
            name: "tokenizer in GGUF", file: "model.gguf",
            seeds: files(["gemma", "gpt2", "llama3", "sentencepiece"].map { "gguf-tokenizers/\($0).gguf" }),
            words: [
                "tokenizer.ggml.", "model", "pre", "tokens", "scores", "token_type", "merges", "bos_token_id", "llama", "gpt2", "▁", "Ġ",
                "<0x00>",
                "\u{8}\0\0\0", "\u{9}\0\0\0", "\0\0\0\0\0\0\0\0",
            ]
        ) { file in
            try tokenise(file)
        },
        Reader(
            name: "npy", file: "a.npy",
            seeds: files(
                ["int32", "flags", "float64", "version2", "big", "float32", "empty"].map { "corpora/npy/\($0).npy" }),
            words: [
                "'descr'", "'fortran_order'", "'shape'", "<f8", ">i4", "|b1", "|O", "True", "False", "(", ")", ",", "{",
                "}", "'", "L",
            ]
        ) { file in
            let array = try NumpyArray(file)
            #expect(array.shape.reduce(1, *) == array.elements.reals.count)
        },
        Reader(
            name: "JSON lines", file: "rows.jsonl", seeds: files(["corpora/posts/train.jsonl"], prefix: 3000),
            words: json + ["\n", "\r\n"]
        ) { file in
            try rows(SummaryExample.self, file)
        },
        Reader(
            name: "JSON lines of comparisons", file: "pairs.jsonl",
            seeds: files(["corpora/comparisons/ood_train.jsonl"], prefix: 5000),
            words: json + ["\n", "choice", "summaries"]
        ) { file in
            try rows(Comparison.self, file)
        },
        Reader(
            name: "JSON array", file: "rows.json", seeds: files(["corpora/posts/test.json"], prefix: 3000),
            words: json + ["\n"]
        ) { file in
            try rows(SummaryExample.self, file)
        },
        Reader(
            name: "CSV", file: "rows.csv", seeds: files(["corpora/posts/valid.csv"], prefix: 3000),
            words: ["\"", "\"\"", ",", "\n", "\r\n", "post", "summary"]
        ) { file in
            try rows(SummaryExample.self, file)
        },
        Reader(name: "index of rows", file: "index.json", seeds: files(["corpora/index.json"]), words: json) { file in
            _ = try SplitIndex(file)
        },
    ]

    private static func touch(_ tensor: StoredTensor) throws {
        if tensor.elementType.isReadableAsFloat {
            _ = try tensor.floats(allowingNonFinite: true)
        } else {
            tensor.withUnsafeBytes { _ = $0.first }
        }
    }

    private static func tokenise(_ file: URL) throws {
        let tokenizer = try TokenizerFolder.load(from: file.deletingLastPathComponent())
        for text in ["", "ab abc -- 1-2 <s>x", "ＡＢ Ünïcödé 日本", String(repeating: "ab", count: 60) + "\u{0} \u{301}"] {
            let ids = tokenizer.encode(text, addingSpecialTokens: true)
            #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
            _ = tokenizer.decode(ids, skippingSpecialTokens: false)
        }
    }

    private static func rows<Row: CorpusRow>(_: Row.Type, _ file: URL) throws {
        try RowFile<Row>(file, onBadRow: .skip, rowLimit: 2000).readEach { _, _ in }
        try RowFile<Row>(file, onBadRow: .skip, rowLimit: 2000, shapes: RowShape.builtIn).readEach { _, _ in }
        try RowFile<Row>(file, onBadRow: .fail).readEach { _, _ in }
    }
}
