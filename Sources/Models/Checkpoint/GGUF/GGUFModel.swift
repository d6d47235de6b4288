import Formats
import Foundation

/// A model in a GGUF file, in the form of a Hugging Face folder: a configuration, and weights with the names and layouts of
/// checkpoints.
struct GGUFModel {
    private let metadata: GGUFMetadata
    private let stored: [String: StoredTensor]
    private let names: [String]

    /// The path of the file, or of the first part of a split file.
    var path: String { metadata.path }

    /// Opens a file, with its other parts if it is split. Reads only headers.
    /// - Throws: `CheckpointError`, also for an unsupported architecture.
    init(_ url: URL) throws {
        let shards = try GGUFShards(url)
        guard let name = shards.metadata["general.architecture"]?.string else {
            throw CheckpointError.badFormat(file: shards.path, reason: "general.architecture is missing, so this file is not a model")
        }
        guard let architecture = GGUFArchitecture(rawValue: name) else {
            throw CheckpointError.badFormat(
                file: shards.path,
                reason: "general.architecture is '\(OneLine.escaped(name.prefix(80)))', which is not supported; supported are "
                    + GGUFArchitecture.allCases.map(\.rawValue).joined(separator: ", "))
        }
        metadata = GGUFMetadata(values: shards.metadata, architecture: architecture, path: shards.path)
        stored = Dictionary(shards.tensors.map { ($0.name, $0) }) { first, _ in first }
        names = shards.tensors.map(\.name)
    }

    // MARK: Weights

    /// Tensors that are not weights: they are part of the configuration or can be computed.
    private static let settings = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]

    /// The weights under the names of Hugging Face's checkpoints. Tensors without such a name keep their own.
    /// - Throws: `CheckpointError.badTensor` for a shape that does not fit the configuration.
    func weights() throws -> [StoredTensor] {
        let heads = try metadata.required("attention.head_count")
        let order = GGUFWeightOrder(
            architecture: metadata.architecture, heads: heads, keyHeads: try metadata.count("attention.head_count_kv") ?? heads)
        let isTied = isTied
        return try names.compactMap { own -> StoredTensor? in
            guard !Self.settings.contains(own), !own.hasSuffix(".attn_rot_embd"), !own.hasSuffix(".attn.rot_embd"),
                let tensor = stored[own],
                !(isTied && own == Self.projection)
            else { return nil }
            guard let name = GGUFArchitecture.Name(gguf: own), let wanted = metadata.architecture.checkpointName(name) else {
                return tensor
            }
            return try order.restored(tensor, name).named(wanted)
        }
    }

    private static let projection = "output.weight"

    /// Whether the output projection is the embedding. For GPT-2, converters store the embedding a second time as the projection.
    private var isTied: Bool {
        guard let projection = stored[Self.projection] else { return true }
        guard metadata.architecture == .gpt2, let embedding = stored["token_embd.weight"] else { return false }
        return projection.hasSameContents(as: embedding)
    }

    // MARK: Configuration

    /// The contents of the equivalent config.json.
    /// - Throws: `CheckpointError.badFormat` for a key that is missing or invalid; `ModelError.unsupported`, with the path of the
    ///   file.
    func configuration() throws -> JSONValue {
        try metadata.refuseUnknown()
        guard let embedding = stored["token_embd.weight"], embedding.shape.count == 2 else {
            throw CheckpointError.missingTensor(name: "token_embd.weight", file: path)
        }
        var result: JSONValue = [
            "architectures": [.string(metadata.architecture.className)], "model_type": .string(metadata.architecture.modelType),
            "vocab_size": JSONValue(embedding.shape[0]), "tie_word_embeddings": .bool(isTied),
        ]
        let facts = GGUFFacts(
            has: { stored[$0] != nil }, factors: { name in try stored[name].map { try $0.floats() } })
        for member in try metadata.configuration(facts).members ?? [] { result[member.key] = member.value }
        for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
            if let id = try metadata.token(name) { result[key] = JSONValue(id) }
        }
        return result
    }

    /// The contents of the equivalent generation_config.json, if the file names more than one token that ends a response;
    /// otherwise nil.
    /// - Throws: `CheckpointError.badFormat` for an invalid token ID.
    func generationConfiguration() throws -> JSONValue? {
        var ends: [Int] = []
        for name in ["eos", "eot", "eom"] {
            if let id = try metadata.token(name), !ends.contains(id) { ends.append(id) }
        }
        guard ends.count > 1 else { return nil }
        var result = LanguageModel.emptyGeneration
        result["eos_token_id"] = .array(ends.map { JSONValue($0) })
        if let begin = try metadata.token("bos") { result["bos_token_id"] = JSONValue(begin) }
        if let padding = try metadata.token("padding") { result["pad_token_id"] = JSONValue(padding) }
        return result
    }
}

/// Access to those properties of a file's tensors that affect the configuration.
struct GGUFFacts {
    /// Whether a tensor of this name exists.
    var has: (String) -> Bool
    /// The elements of a tensor; nil if it does not exist.
    var factors: (String) throws -> [Float]?
}
