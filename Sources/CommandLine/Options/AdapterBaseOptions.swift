public import ArgumentParser
public import Study

/// Where the model is that adapters change.
public struct AdapterBaseOptions: SettingsOptions {
    public typealias Values = AdapterBaseSettings

    @Option(
        help: """
            The base model of an adapter folder that is read (as --model-name or as a reference): a model folder or a GGUF file; where \
            adapter_config.json says unless given.
            """)
    public var adapterBase: String?

    public init() {}
}
