public import Tensor

extension TransformerDecoder {
    /// This model with a fresh adapter, which changes nothing until it is trained. Both use the same memory for the model's own weights, which are
    /// frozen in the adapted one: this model is the reference for it.
    ///
    /// - Parameters:
    ///   - configuration: which projections are changed, and how.
    ///   - base: where this model is, for the adapter's file.
    ///   - generator: what A is drawn from; nothing is drawn from it itself.
    /// - Throws: ``ModelError/adapter(_:)`` for numbers that make no sense, targets that are not there, and a model that has an adapter.
    public func adapted(by configuration: AdapterConfiguration, base: String, using generator: Philox) throws -> any TransformerDecoder {
        try configuration.check()
        return try adapted(by: .fresh(configuration, base: base, using: generator), named: true)
    }

    /// This model with an adapter.
    func adapted(by adapter: Adapter, named: Bool) throws -> any TransformerDecoder {
        guard self.adapter == nil else {
            throw ModelError.adapter("the model has an adapter already; train that one further, or make a whole model of it first")
        }
        let decoder = try rebuilt(from: AdaptedWeights(CopiedWeights(bare: self, isTrainable: false), adapter))
        try adapter.check(against: shape, named: named)
        return decoder
    }

    /// The model without its adapter, in the same memory; what it computes has the bits that it had before. All of its weights are frozen where the
    /// adapted model's own are. A model without an adapter gives a copy.
    public func withoutAdapter() -> any TransformerDecoder { rebuiltFromOwn(CopiedWeights(bare: self)) }

    /// A model without an adapter that computes what this one does: B A lies in the weights. Only weights that it changes take memory of their own.
    public func merged() -> any TransformerDecoder {
        guard let adapter else { return copy() }
        return rebuiltFromOwn(MergedWeights(CopiedWeights(bare: self, isTrainable: true), adapter))
    }

    /// An independent model with the same values and a copy of the adapter. Memory is shared until one of the two is trained.
    public func copy() -> any TransformerDecoder { rebuiltFromOwn(CopiedWeights(of: self)) }

    private func rebuiltFromOwn(_ weights: some WeightSource) -> any TransformerDecoder {
        do {
            return try rebuilt(from: weights)
        } catch {
            preconditionFailure("a model always holds its own weights: \(error)")
        }
    }
}

/// The weights of a source with an adapter beside them.
private struct AdaptedWeights: WeightSource {
    private let weights: CopiedWeights
    let adapter: Adapter?

    init(_ weights: CopiedWeights, _ adapter: Adapter) { (self.weights, self.adapter) = (weights, adapter) }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
        weights.parameter(name, shape, fresh: fresh, transposed: transposed)
    }
}

/// The weights of a source with an adapter inside them.
private struct MergedWeights: WeightSource {
    private let weights: CopiedWeights
    private let modules: [String: AdapterModule]

    init(_ weights: CopiedWeights, _ adapter: Adapter) {
        self.weights = weights
        modules = Dictionary(adapter.modules.map { ("\($0.name).weight", $0) }, uniquingKeysWith: { first, _ in first })
    }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
        let parameter = weights.parameter(name, shape, fresh: fresh, transposed: transposed)
        guard let module = modules[name] else { return parameter }
        return Parameter(name, module.merged(parameter.value))
    }
}
