public import Formats
public import Foundation

/// A Hugging Face model folder, with `config.json`, weights, tokenizer files and optionally `generation_config.json`; or a GGUF
/// file, which contains all of these; or a folder with a GGUF file in place of other weights.
public struct ModelFolder: Sendable, Equatable {
    /// The URL of the folder or GGUF file.
    public let url: URL

    /// Refers to a folder or a GGUF file. Nothing is read yet.
    public init(_ url: URL) {
        self.url = url
    }

    /// The name of the configuration file.
    public static let configurationName = "config.json"
    /// The name of the file with defaults for generation.
    public static let generationConfigurationName = "generation_config.json"

    /// The path of ``generationConfigurationName``, for error messages.
    var generationConfigurationPath: String { url.appendingPathComponent(Self.generationConfigurationName).path }

    /// The names of the tokenizer files of all supported formats.
    public static let tokenizerFileNames = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model",
        "spiece.model", "spm.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt", "chat_template.jinja",
        "chat_template.json",
    ]

    // MARK: Reading

    /// The parts of a model.
    struct Contents {
        var configuration: JSONValue
        var generation: JSONValue?
        var weights: WeightStore
        /// The path that errors in the configuration name, if it differs from the folder's own config.json: the GGUF file, or the
        /// base model's file for an adapter.
        var file: String?
        /// The adapter to apply, and the location of the base model from which all other parts come; nil for none.
        var adapter: (folder: AdapterFolder, base: URL)?
    }

    /// Reads all parts of the model.
    ///
    /// - Parameter base: the location of an adapter's base model. Default: the one that the adapter's configuration names.
    /// - Throws: the same errors as ``configuration()`` and ``weights()``.
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

    /// Reads the model's configuration with all its keys. For a GGUF file, this is the equivalent config.json; for an adapter,
    /// that of its base model.
    ///
    /// - Throws: `CheckpointError.unreadable`, `.tooLarge` or `.badJSON`; `.badFormat` if it is not an object or a GGUF file
    ///   lacks a key; `ModelError`, with the path of the file, for a GGUF file that requires something unsupported.
    public func configuration() throws -> JSONValue {
        if let base = try adapterBase() { return try base.configuration() }
        return try gguf()?.configuration() ?? object(Self.configurationName)
    }

    /// Reads the defaults for generation; nil if there are none.
    ///
    /// - Throws: the same errors as ``configuration()``.
    public func generationConfiguration() throws -> JSONValue? {
        if let model = try gguf() { return try model.generationConfiguration() }
        guard try has(Self.generationConfigurationName) else { return try adapterBase()?.generationConfiguration() }
        return try object(Self.generationConfigurationName)
    }

    /// Opens the weights; for an adapter, those of its base model.
    ///
    /// - Throws: `CheckpointError`, which names the file and what is wrong with it.
    public func weights() throws -> WeightStore {
        if let base = try adapterBase() { return try base.weights() }
        return try gguf().map { try WeightStore($0) } ?? WeightStore(folder: url)
    }

    /// The tokenizer files that exist in the folder; empty for a GGUF file.
    /// - Throws: `FileError.unreadable` if the system cannot tell whether a file exists.
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
    /// A new folder appears under its name only when it is complete. In an existing folder, files of the same names are replaced
    /// one by one, the weights last; other files are kept.
    ///
    /// - Parameters:
    ///   - url: the folder; missing parent folders are created.
    ///   - configuration: the contents of `config.json`.
    ///   - generationConfiguration: the contents of `generation_config.json`; nil to write none.
    ///   - tensors: the weights, which are fetched one at a time.
    ///   - tokenizer: a folder whose tokenizer files are copied.
    ///   - writer: the writer, which sets the shard size and metadata.
    ///   - extras: called with the temporary folder before it is moved into place, to add more files.
    /// - Returns: the folder.
    /// - Throws: `FileError`, `CheckpointError.duplicateTensor` or `.notRepresentable`, or errors of fetching a tensor.
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

    /// Writes files into an existing folder, or creates a folder that appears only when it is complete.
    static func fill(_ url: URL, _ contents: (URL) throws -> Void) throws {
        if try FileStatus.of(url) != nil {
            try contents(url)
        } else {
            try Folder.make(url.deletingLastPathComponent())
            try AtomicFolder.write(to: url, contents: contents)
        }
    }

    /// Copies the tokenizer files to another folder.
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
