import Foundation

/// The base model of an adapter.
public struct AdapterBaseSettings: Settings {
    /// The base model of an adapter folder: a model folder or a GGUF file. Default: the path in adapter_config.json.
    public var adapterBase: String?

    /// The defaults.
    public init() {}

    /// Accepts every value.
    public func validate() throws {}

    /// The base model's folder or file; nil if it is not given.
    var folder: URL? { adapterBase.map { URL(fileURLWithPath: $0) } }
}
