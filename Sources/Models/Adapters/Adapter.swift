import Formats
public import Tensor

/// A low-rank adapter: small trainable matrices alongside some projections of a decoder whose own weights are frozen.
///
/// A decoder gets an adapter from ``TransformerDecoder/adapted(by:base:using:)``, or from a folder that
/// ``LanguageModel/load(_:base:usesTanh:families:keepsPacking:note:)`` loads.
/// ``TransformerDecoder/withoutAdapter()`` returns the base model, in the same memory.
public final class Adapter {
    /// Which projections are adapted, and how.
    public let configuration: AdapterConfiguration
    /// The location of the base model: `base_model_name_or_path` of adapter_config.json.
    public let base: String
    /// The contents of adapter_config.json, so that keys without effect survive saving; nil for a newly created adapter.
    let source: JSONValue?
    /// The adapted projections, in the order in which the decoder is built.
    public private(set) var modules: [AdapterModule] = []
    /// The names of all projections of the decoder, adapted or not.
    private(set) var projections: [String] = []
    /// Creates the module of a projection; nil once the decoder is built.
    private var make: ((Place) throws -> AdapterModule?)?

    /// A projection that may be adapted.
    struct Place {
        var module: String
        var weight: Parameter
        var isStoredTransposed: Bool
        var outputs: Int { weight.value.shape[0] }
        var inputs: Int { weight.value.shape[1] }
    }

    init(
        _ configuration: AdapterConfiguration, base: String, source: JSONValue? = nil, make: @escaping (Place) throws -> AdapterModule?
    ) {
        (self.configuration, self.base, self.source, self.make) = (configuration, base, source, make)
    }

    /// All trainable parameters of the adapter.
    public var parameters: [Parameter] { modules.flatMap(\.parameters) }

    /// Creates the module for a projection of the decoder under construction; nil if the projection is not adapted.
    func module(for place: Place) throws -> AdapterModule? {
        guard let make else { preconditionFailure("an adapter belongs to one decoder, which is already built") }
        projections.append(place.module)
        let module = try make(place)
        if let module { modules.append(module) }
        return module
    }

    /// Marks the adapter as complete, once its decoder has been built.
    package func finished() -> Adapter {
        make = nil
        return self
    }

    /// A new adapter with copies of the modules, for a copy of the decoder.
    func copy() -> Adapter {
        let known = Dictionary(modules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Adapter(configuration, base: base, source: source) { known[$0.module]?.copy() }
    }

    /// A new adapter, initialised like in PEFT: A uniformly between ±1/√inputs and B with zeros, so that it has no effect yet.
    /// Every module has a separate random stream.
    static func fresh(_ configuration: AdapterConfiguration, base: String, using generator: Philox) -> Adapter {
        Adapter(configuration, base: base) { place in
            guard try configuration.changes(place.module) else { return nil }
            let rank = try configuration.rank(of: place.module)
            let bound = 1 / Float(max(place.inputs, 1)).squareRoot()
            var stream = generator.split(AdapterModule.downName(place.module))
            let lengths = configuration.decomposesWeights ? place.weight.value.rowSumsOfSquares().map { Float($0.squareRoot()) } : nil
            return AdapterModule(
                place.module, down: .uniform([rank, place.inputs], in: -bound..<bound, using: &stream), up: .zeros([place.outputs, rank]),
                magnitude: lengths.map { Tensor($0, shape: [place.outputs]) }, scale: try configuration.scale(of: place.module),
                dropout: configuration.dropout, isStoredTransposed: place.isStoredTransposed)
        }
    }

    /// Checks that the adapter changes at least one projection.
    /// - Parameters:
    ///   - shape: the dimensions of the decoder.
    ///   - named: whether every name among the targets must be that of a projection, and every layer one of the model's.
    /// - Throws: ``ModelError/adapter(_:)``, which names what does not exist.
    func check(against shape: DecoderShape, named: Bool) throws {
        let parts = Set(projections.compactMap { $0.split(separator: ".").last.map(String.init) }).sorted().joined(separator: ", ")
        if case .names(let names) = configuration.targets, named {
            for name in names where !projections.contains(where: { $0 == name || AdapterConfiguration.Targets.ends($0, with: name) }) {
                throw ModelError.adapter(
                    "the adapter's target '\(name)' is not a projection of the model; use \(parts) or all-linear")
            }
        }
        if named, let layer = configuration.layers?.first(where: { $0 >= shape.layerCount }) {
            throw ModelError.adapter("the adapter targets layer \(layer), but the model has layers 0 to \(shape.layerCount - 1)")
        }
        guard modules.isEmpty else { return }
        let where_ = configuration.layers.map { " in layers \($0.map(String.init).joined(separator: ", "))" } ?? ""
        throw ModelError.adapter("the adapter's targets match no projection of the model\(where_); use \(parts)")
    }
}
