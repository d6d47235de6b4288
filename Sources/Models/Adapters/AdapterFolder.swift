import Formats
public import Foundation
import Tensor

/// A folder with an adapter in PEFT's format: adapter_config.json and adapter_model.safetensors (or .bin).
struct AdapterFolder {
    static let configurationName = "adapter_config.json"
    static let weightNames = ["adapter_model.safetensors", "adapter_model.bin"]
    /// An additional file, not part of PEFT's format, for the four tensors of a value or reward head.
    static let headName = "value_head.safetensors"
    /// The prefix of module names in the weight file.
    static let prefix = "base_model.model."

    let url: URL
    /// The contents of adapter_config.json.
    let object: JSONValue

    /// Opens the adapter in a folder; nil if the folder has no adapter_config.json.
    /// - Throws: `CheckpointError` if the configuration cannot be read.
    init?(_ url: URL) throws {
        let file = url.appendingPathComponent(Self.configurationName)
        guard try FileStatus.of(file) != nil else { return nil }
        self.url = url
        object = try JSONValue(contentsOf: file)
        guard object.members != nil else { throw CheckpointError.badFormat(file: file.path, reason: "expected a JSON object") }
    }

    private var file: URL { url.appendingPathComponent(Self.configurationName) }

    /// The folder or file of the base model: `given`, or the one that the configuration names by its absolute path, its path
    /// relative to the adapter's folder or its path relative to the current folder.
    /// - Throws: `CheckpointError.unreadable` if it does not exist; ``ModelError`` if the base model is itself an adapter.
    func base(_ given: URL?) throws -> URL {
        let found = try given.map { try FileStatus.of($0) == nil ? nil : $0 } ?? named()
        guard let found else {
            let name = given?.path ?? object["base_model_name_or_path"]?.string ?? ""
            throw CheckpointError.unreadable(
                file: url.path,
                reason:
                    "the adapter's base model '\(OneLine.escaped(name.prefix(300)))' was not found; pass its folder "
                    + "with --adapter-base, or set base_model_name_or_path in \(Self.configurationName)")
        }
        guard try FileStatus.of(found.appendingPathComponent(Self.configurationName)) == nil else {
            throw ModelError.inFile(
                file.path, .adapter("the base model \(found.path) is itself an adapter; merge that adapter into a separate model first"))
        }
        return found
    }

    private func named() throws -> URL? {
        guard let name = object["base_model_name_or_path"]?.string, !name.isEmpty, !name.utf8.contains(0) else { return nil }
        let places = name.hasPrefix("/") ? [URL(fileURLWithPath: name)] : [url.appendingPathComponent(name), URL(fileURLWithPath: name)]
        return try places.first { try FileStatus.of($0) != nil }?.standardizedFileURL
    }

    /// A copy of a decoder with the adapter.
    /// - Throws: `CheckpointError` for tensors that are missing, unexpected, of another shape or not finite; ``ModelError`` for
    ///   a configuration that is invalid or does not fit the decoder.
    func adapted(_ decoder: any TransformerDecoder, base: URL) throws -> any TransformerDecoder {
        try ModelError.naming(file: file.path) {
            let configuration = try AdapterConfiguration(reading: object)
            let store = try weights()
            var used: Set<String> = []
            let adapter = Adapter(configuration, base: base.standardizedFileURL.path, source: object) { place in
                guard try configuration.changes(place.module) else { return nil }
                let rank = try configuration.rank(of: place.module)
                func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
                    used.insert(Self.prefix + name)
                    return try store.tensor(Self.prefix + name, shape: shape).tensor()
                }
                return AdapterModule(
                    place.module, down: try tensor(AdapterModule.downName(place.module), [rank, place.inputs]),
                    up: try tensor(AdapterModule.upName(place.module), [place.outputs, rank]),
                    magnitude: configuration.decomposesWeights
                        ? try tensor(AdapterModule.magnitudeName(place.module), [place.outputs]) : nil,
                    scale: try configuration.scale(of: place.module), dropout: configuration.dropout,
                    isStoredTransposed: place.isStoredTransposed)
            }
            let adapted = try decoder.adapted(by: adapter, named: false)
            try store.checkSurplus(expected: used)
            return adapted
        }
    }

    private func weights() throws -> WeightStore {
        let files = Self.weightNames.map(url.appendingPathComponent)
        guard let file = try files.first(where: { try FileStatus.of($0) != nil }) else {
            throw CheckpointError.unreadable(file: url.path, reason: "it has \(Self.configurationName), but no \(Self.weightNames[0])")
        }
        return try WeightStore(file: file)
    }

    /// The value head that was saved with the adapter; nil for none.
    func head(width: Int, usesTanh: Bool?) throws -> ValueHead? {
        let file = url.appendingPathComponent(Self.headName)
        guard try FileStatus.of(file) != nil else { return nil }
        let settings: JSONValue =
            try SafetensorsFile(file).metadata[ValueHead.activationKey] == "true" ? [ValueHead.activationKey: true] : [:]
        return try ValueHead(
            reading: WeightStore(file: file), width: width, configuration: ConfigurationReader(settings), usesTanh: usesTanh)
    }
}

extension ModelFolder {
    /// The folder or file of the base model if this folder contains an adapter; nil if it contains a complete model.
    /// - Parameter base: the location of the base model. Default: the one that the adapter's configuration names.
    /// - Throws: `CheckpointError` if the base model does not exist; ``ModelError`` if it is itself an adapter.
    public func adapterBase(_ base: URL? = nil) throws -> ModelFolder? {
        try AdapterFolder(url).map { ModelFolder(try $0.base(base)) }
    }

    /// The folder of the tokenizer's files: this one, or that of the base model if this is an adapter that was saved without
    /// tokenizer.
    /// - Parameter base: the location of the base model. Default: the one that the adapter's configuration names.
    /// - Throws: the same errors as ``adapterBase(_:)``.
    public func tokenizerFolder(base: URL? = nil) throws -> URL {
        guard try AdapterFolder(url) != nil, try tokenizerFiles.isEmpty else { return url }
        return try adapterBase(base)?.url ?? url
    }
}

extension LanguageModel {
    /// Writes only the adapter, to a folder that ``load(_:base:usesTanh:families:keepsPacking:note:)`` and PEFT can
    /// read. The tensors of a value head, if there is one, go to a separate file.
    func saveAdapter(
        _ adapter: Adapter, to url: URL, tokens: SpecialTokens, as elementType: ElementType, tokenizer: ModelFolder?,
        extras: (URL) throws -> Void
    ) throws {
        let tensors = adapter.parameters.map {
            WritableTensor(AdapterFolder.prefix + $0.name, $0.value, as: elementType)
        }
        let head = self.head
        try ModelFolder.fill(url) { folder in
            try adapter.file().write(to: folder.appendingPathComponent(AdapterFolder.configurationName))
            try savedGeneration(tokens).write(to: folder.appendingPathComponent(ModelFolder.generationConfigurationName))
            try tokenizer?.copyTokenizer(to: folder)
            try extras(folder)
            if let head {
                let metadata = ["format": "pt"].merging(head.usesTanh ? [ValueHead.activationKey: "true"] : [:]) { $1 }
                try SafetensorsWriter(metadata: metadata).write(
                    head.parameters.map { WritableTensor($0) }, toFile: folder.appendingPathComponent(AdapterFolder.headName))
            }
            try SafetensorsWriter().write(tensors, toFile: folder.appendingPathComponent(AdapterFolder.weightNames[0]))
        }
    }

    /// The model with its adapter merged into the weights. A model without an adapter is returned unchanged.
    public func merged() -> LanguageModel {
        guard decoder.adapter != nil else { return self }
        var model = self
        model.decoder = decoder.merged()
        return model
    }
}
