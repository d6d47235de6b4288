import Formats
import Foundation

/// The text settings of a sentence-transformers folder: the configuration of its Transformer module, `sentence_bert_config.json`.
///
/// All keys of sentence-transformers 6.2 are either supported or rejected if they require something unsupported.
struct SentenceTextSettings {
    /// The maximum number of tokens of a text; nil if the tokenizer and the model decide.
    private(set) var maximumLength: Int?
    /// Whether texts are lowercased.
    private(set) var lowercases = false
    private var queryLength: Int?
    private var documentLength: Int?
    /// A maximum length that takes precedence over those for queries and documents.
    private var callLength: Int?

    /// The current and former names of the file; the first one that exists and is not empty applies.
    private static let names = ["bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"].map {
        "sentence_\($0)_config.json"
    }

    /// Creates the default settings, without a file.
    init() {}

    /// Reads the file, if it exists.
    /// - Throws: ``EncoderError/module(file:problem:)``, ``ModelError`` or `CheckpointError`.
    init(_ folder: URL) throws {
        for url in Self.names.map(folder.appendingPathComponent) where try FileStatus.of(url) != nil {
            let contents = try JSONValue(contentsOf: url)
            guard let members = contents.members else { throw EncoderError.module(file: url.path, problem: "expected an object") }
            if members.isEmpty { continue }
            try ModelError.naming(file: url.path) { try read(Section(ConfigurationReader(contents), file: url.path)) }
            return
        }
    }

    /// The maximum number of tokens of a text with a given prompt; nil if the tokenizer and the model decide.
    func maximumLength(as prompt: SentencePrompt) -> Int? {
        switch prompt {
        case .query: callLength ?? queryLength ?? maximumLength
        case .document: callLength ?? documentLength ?? maximumLength
        case .standard, .named, .text: callLength ?? maximumLength
        }
    }

    private mutating func read(_ file: Section) throws {
        try file.allow([
            "max_seq_length", "do_lower_case", "query_length", "document_length", "query_expansion", "transformer_task", "modality_config",
            "module_output_name", "model_args", "model_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs",
            "processing_kwargs", "tokenizer_name_or_path", "unpad_inputs", "backend", "cache_dir",
        ])
        for key in ["query_expansion", "tokenizer_name_or_path"] where file.has(key) { throw file.fault("\(key) is not supported") }
        maximumLength = try file.reader.optionalCount("max_seq_length")
        lowercases = try file.reader.flag("do_lower_case", or: false)
        queryLength = try file.reader.optionalCount("query_length")
        documentLength = try file.reader.optionalCount("document_length")
        try file.reader.optionalString("transformer_task").map { try file.expect("transformer_task", $0, "feature-extraction") }
        try Self.checkModalities(file)
        // precision and memory use are decided at run time
        try file.section("model_args", "model_kwargs")?.allow(
            ["attn_implementation", "torch_dtype", "dtype", "low_cpu_mem_usage", "device_map", "use_safetensors", "add_pooling_layer"])
        try file.section("config_args", "config_kwargs")?.allow(["use_cache"])
        if let tokenizer = try file.section("tokenizer_args", "processor_kwargs") {
            try tokenizer.allow(["model_max_length", "use_fast", "padding_side", "padding"])
            if let length = try tokenizer.reader.optionalCount("model_max_length") { maximumLength = length }
        }
        if let call = try file.section("processing_kwargs") {
            try call.allow(["common", "text", "audio", "image", "video", "chat_template"])
            try call.section("common")?.allow(["return_tensors"])
            if let text = try call.section("text") {
                try text.allow(["max_length", "padding", "truncation"])
                if text.has("truncation"), text.reader.object["truncation"]?.bool != true {
                    try text.expect("truncation", try text.reader.string("truncation"), "longest_first")
                }
                callLength = try text.reader.optionalCount("max_length")
            }
        }
    }

    /// Checks that texts are read as they are, and that the output is the last hidden states of their tokens.
    private static func checkModalities(_ file: Section) throws {
        guard let modalities = try file.section("modality_config") else { return }
        guard let text = try modalities.section("text") else { throw file.fault("modality_config has no entry for text") }
        guard !modalities.has("message") else {
            throw file.fault("modality_config applies a chat template (message), which is not supported")
        }
        try text.expect("method", try text.reader.string("method"), "forward")
        let output = try text.reader.optionalStringOrList("method_output_name")
        try text.expect("method_output_name", output ?? "null", "last_hidden_state")
        try file.expect("module_output_name", try file.reader.optionalString("module_output_name") ?? "null", "token_embeddings")
    }

    /// A JSON object of the file.
    private struct Section {
        let reader: ConfigurationReader
        let file: String

        init(_ reader: ConfigurationReader, file: String) { (self.reader, self.file) = (reader, file) }

        func fault(_ problem: String) -> EncoderError { .module(file: file, problem: problem) }

        /// Whether a key exists with a value other than null.
        func has(_ key: String) -> Bool { reader.object[key].map { !$0.isNull } ?? false }

        /// The object under the first of the names that exists.
        func section(_ names: String...) throws -> Section? {
            for name in names where has(name) { return try reader.section(name).map { Section($0, file: file) } }
            return nil
        }

        /// Rejects any keys except these and those for downloading, which do not matter for a local folder.
        func allow(_ keys: Set<String>) throws {
            let keys = keys.union(["trust_remote_code", "cache_dir", "token", "revision", "local_files_only", "subfolder"])
            for member in reader.object.members ?? [] where !keys.contains(member.key) && !member.value.isNull {
                throw fault("\(member.key) is not supported")
            }
        }

        func expect(_ key: String, _ found: String, _ expected: String) throws {
            guard found == expected else { throw fault("\(key) is \"\(found)\"; only \"\(expected)\" is supported") }
        }
    }
}

extension ConfigurationReader {
    /// A string, or the elements of a list joined by dots; nil if the key is missing or null.
    fileprivate func optionalStringOrList(_ key: String) throws -> String? {
        guard let list = object[key]?.array else { return try optionalString(key) }
        return list.map { $0.string ?? $0.text }.joined(separator: ".")
    }
}
