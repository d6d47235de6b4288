public import Formats
public import Foundation

/// A Hugging Face model folder: `config.json`, weights, tokenizer files, perhaps `generation_config.json`. Or a GGUF file, which holds all of
/// that, or a folder in which one lies instead of other weights.
public struct ModelFolder: Sendable, Equatable {
    /// The folder or the GGUF file.
    public let url: URL

    /// Names a folder or a GGUF file; nothing is read yet.
    public init(_ url: URL) {
        self.url = url
    }

    /// The file of the model's configuration.
    public static let configurationName = "config.json"
    /// The file of the defaults for generation.
    public static let generationConfigurationName = "generation_config.json"

    /// The path of ``generationConfigurationName``, for messages.
    var generationConfigurationPath: String { url.appendingPathComponent(Self.generationConfigurationName).path }

    /// The files that belong to tokenizers, of all kinds.
    public static let tokenizerFileNames = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model",
        "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt", "chat_template.jinja",
        "chat_template.json",
    ]

    // MARK: Reading

    /// What a model is made of.
    struct Contents {
        var configuration: JSONValue
        var generation: JSONValue?
        var weights: WeightStore
        /// The GGUF file that all of it comes from; nil for a folder's files.
        var file: String?
        /// The adapter that goes on top, and where the bare model that all of this is from lies.
        var adapter: (folder: AdapterFolder, base: URL)?
    }

    /// All that a model is made of.
    ///
    /// - Parameter base: where the bare model of an adapter is, whatever the adapter's configuration says.
    /// - Throws: as `configuration` and `weights`.
    func contents(base: URL? = nil) throws -> Contents {
        if let adapter = try AdapterFolder(url) {
            let base = try adapter.base(base)
            var contents = try ModelFolder(base).contents()
            if try has(Self.generationConfigurationName) { contents.generation = try object(Self.generationConfigurationName) }
            contents.adapter = (adapter, base)
            contents.file = contents.file ?? base.appendingPathComponent(Self.configurationName).path
            return contents
        }
        guard let model = try gguf() else {
            let configuration = try object(Self.configurationName)
            return Contents(configuration: configuration, generation: try generationConfiguration(), weights: try WeightStore(folder: url))
        }
        return Contents(
            configuration: try model.configuration(), generation: try model.generationConfiguration(), weights: try WeightStore(model),
            file: model.path)
    }

    private func gguf() throws -> GGUFModel? { try GGUFShards.file(at: url).map { try GGUFModel($0) } }

    /// The model's configuration with all its keys; of a GGUF file, what config.json would say; of an adapter, its base model's.
    ///
    /// - Throws: `CheckpointError.unreadable`, `.tooLarge`, `.badJSON`; `.badFormat` if it is no object or a GGUF file lacks a key;
    ///   `ModelError`, in the file, for a GGUF file that asks for what is not here.
    public func configuration() throws -> JSONValue {
        if let base = try adapterBase() { return try base.configuration() }
        return try gguf()?.configuration() ?? object(Self.configurationName)
    }

    /// The defaults for generation, if the folder or file has them.
    ///
    /// - Throws: as `configuration`.
    public func generationConfiguration() throws -> JSONValue? {
        if let model = try gguf() { return try model.generationConfiguration() }
        guard try has(Self.generationConfigurationName) else { return try adapterBase()?.generationConfiguration() }
        return try object(Self.generationConfigurationName)
    }

    /// The weights by name; of an adapter, its base model's.
    ///
    /// - Throws: `CheckpointError`, naming the file and what is wrong with it.
    public func weights() throws -> WeightStore {
        if let base = try adapterBase() { return try base.weights() }
        return try gguf().map { try WeightStore($0) } ?? WeightStore(folder: url)
    }

    /// The tokenizer files that are there; none for a GGUF file.
    /// - Throws: `FileError.unreadable` where the system cannot say whether one is there.
    public var tokenizerFiles: [URL] {
        get throws { try Self.tokenizerFileNames.filter(has).map(url.appendingPathComponent) }
    }

    private func has(_ name: String) throws -> Bool { try FileStatus.of(url.appendingPathComponent(name)) != nil }

    private func object(_ name: String) throws -> JSONValue {
        let file = url.appendingPathComponent(name)
        let value = try JSONValue(contentsOf: file)
        guard value.members != nil else {
            throw CheckpointError.badFormat(file: file.path, reason: "expected a JSON object")
        }
        return value
    }

    // MARK: Writing

    /// Writes a model folder.
    ///
    /// A folder that does not exist yet appears under its name when it is complete. In one that exists, files of the
    /// same name are replaced one by one, the weights last, and the others stay.
    ///
    /// - Parameters:
    ///   - url: the folder; its parent must exist.
    ///   - configuration: `config.json`, with the keys it was read with.
    ///   - generationConfiguration: `generation_config.json`; none is written for nil.
    ///   - tensors: the weights; fetched one at a time.
    ///   - tokenizer: a folder whose tokenizer files are copied along.
    ///   - writer: shard size and metadata.
    ///   - extras: called with the folder before it gets its name, to add files of other owners.
    /// - Returns: the folder.
    /// - Throws: `FileError`, `CheckpointError.duplicateTensor`, `.notRepresentable`, or what a tensor throws.
    @discardableResult
    public static func save(
        to url: URL, configuration: JSONValue, generationConfiguration: JSONValue? = nil, tensors: [WritableTensor],
        tokenizer: ModelFolder? = nil, writer: SafetensorsWriter = SafetensorsWriter(),
        extras: (URL) throws -> Void = { _ in }
    ) throws -> ModelFolder {
        try fill(url) { folder in
            try configuration.write(to: folder.appendingPathComponent(configurationName))
            try generationConfiguration?.write(to: folder.appendingPathComponent(generationConfigurationName))
            try tokenizer?.copyTokenizer(to: folder)
            try extras(folder)
            try writer.write(tensors, to: folder)
        }
        return ModelFolder(url)
    }

    /// Fills a folder that is there, or makes one that appears when it is complete.
    static func fill(_ url: URL, _ contents: (URL) throws -> Void) throws {
        if try FileStatus.of(url) != nil {
            try contents(url)
        } else {
            try Folder.make(url.deletingLastPathComponent())
            try AtomicFolder.write(to: url, contents: contents)
        }
    }

    /// Copies the tokenizer's files to another folder.
    func copyTokenizer(to folder: URL) throws {
        for file in try tokenizerFiles {
            let target = folder.appendingPathComponent(file.lastPathComponent)
            guard target.standardizedFileURL != file.standardizedFileURL else { continue }
            try Self.copy(file, to: target)
        }
    }

    private static func copy(_ file: URL, to target: URL) throws {
        let source = try MappedFile(file)
        let copy = try AtomicFile(target)
        try copy.write(source.bytes)
        try copy.commit()
    }
}
