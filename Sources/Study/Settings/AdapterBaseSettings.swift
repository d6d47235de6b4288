import Foundation

/// Where the model is that adapters change.
public struct AdapterBaseSettings: Settings {
    /// The base model of an adapter folder: a model folder or a GGUF file; where adapter_config.json says unless given.
    public var adapterBase: String?

    /// The defaults.
    public init() {}

    public func validate() throws {}

    /// Its folder, where it is given.
    var folder: URL? { adapterBase.map { URL(fileURLWithPath: $0) } }
}
