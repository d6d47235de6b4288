import Formats
public import Tensor

/// The trained part of a decoder whose own weights stay as they are: a few small matrices beside some of its projections.
///
/// A decoder has one from ``TransformerDecoder/adapted(by:base:using:)`` or from a folder that ``LanguageModel/load(_:base:usesTanh:families:note:)``
/// reads. ``TransformerDecoder/withoutAdapter()`` is the bare model, in the same memory.
public final class Adapter {
    /// Which projections are changed, and how.
    public let configuration: AdapterConfiguration
    /// Where the bare model is: what `base_model_name_or_path` says.
    public let base: String
    /// adapter_config.json as it was read, so that keys that change nothing survive; nil for an adapter made here.
    let source: JSONValue?
    /// The modules, in the order of the decoder's construction.
    public private(set) var modules: [AdapterModule] = []
    /// The names of all projections that were asked for.
    private(set) var projections: [String] = []
    /// Makes a projection's module; nil as soon as the decoder is built.
    private var make: ((Place) throws -> AdapterModule?)?

    /// A projection that may be changed.
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

    /// All that is trained.
    public var parameters: [Parameter] { modules.flatMap(\.parameters) }

    /// The module of a projection that is being built; nil where nothing is changed.
    func module(for place: Place) throws -> AdapterModule? {
        guard let make else { preconditionFailure("an adapter belongs to one decoder, which is built already") }
        projections.append(place.module)
        let module = try make(place)
        if let module { modules.append(module) }
        return module
    }

    /// The adapter of a decoder that has been built.
    package func finished() -> Adapter {
        make = nil
        return self
    }

    /// An adapter with copies of the modules, for a copy of the decoder.
    func copy() -> Adapter {
        let known = Dictionary(modules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Adapter(configuration, base: base, source: source) { known[$0.module]?.copy() }
    }

    /// A fresh adapter: A uniform between ±1/√inputs, as PEFT draws it, and B zero, so that it changes nothing yet. Every module has a generator
    /// stream of its own.
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

    /// Refuses an adapter that changes nothing.
    /// - Parameter named: whether every name among the targets has to be that of a projection, and every layer one of the model's.
    /// - Throws: ``ModelError/adapter(_:)``, naming what is not there.
    func check(against shape: DecoderShape, named: Bool) throws {
        let parts = Set(projections.compactMap { $0.split(separator: ".").last.map(String.init) }).sorted().joined(separator: ", ")
        if case .names(let names) = configuration.targets, named {
            for name in names where !projections.contains(where: { $0 == name || AdapterConfiguration.Targets.ends($0, with: name) }) {
                throw ModelError.adapter(
                    "the adapter's target '\(name)' is no projection of the model; there are \(parts) (or all-linear)")
            }
        }
        if named, let layer = configuration.layers?.first(where: { $0 >= shape.layerCount }) {
            throw ModelError.adapter("the adapter is for layer \(layer), but the model has layers 0 to \(shape.layerCount - 1)")
        }
        guard modules.isEmpty else { return }
        let where_ = configuration.layers.map { " in layers \($0.map(String.init).joined(separator: ", "))" } ?? ""
        throw ModelError.adapter("the adapter's targets match no projection of the model\(where_); there are \(parts)")
    }
}
