public import ArgumentParser
public import Study

/// Where the model is that adapters change.
public struct AdapterBaseOptions: SettingsOptions {
    public typealias Values = AdapterBaseSettings

    @Option(
        help: """
            Base model of an adapter folder. It is a model folder or a GGUF file, for an adapter folder that is read (as --model-name or \
            as a reference). Default: the path in adapter_config.json.
            """)
    public var adapterBase: String?

    public init() {}
}
