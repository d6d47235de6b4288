public import Tensor

extension TransformerDecoder {
    /// Returns this model with a new adapter, which has no effect until it is trained. Both models share the memory of the base
    /// weights, which are frozen in the new one; this model can serve as its reference model.
    ///
    /// - Parameters:
    ///   - configuration: which projections are adapted, and how.
    ///   - base: the location of this model, for the adapter's file.
    ///   - generator: the source of the random initialisation of A. Its state does not change.
    /// - Throws: ``ModelError/adapter(_:)`` for invalid values, targets that do not exist, or a model that already has an
    ///   adapter.
    public func adapted(by configuration: AdapterConfiguration, base: String, using generator: Philox) throws -> any TransformerDecoder {
        try configuration.check()
        return try adapted(by: .fresh(configuration, base: base, using: generator), named: true)
    }

    /// Returns this model with an adapter; see ``Adapter/check(against:named:)`` for `named`.
    func adapted(by adapter: Adapter, named: Bool) throws -> any TransformerDecoder {
        guard self.adapter == nil else {
            throw ModelError.adapter("the model already has an adapter; continue training it, or merge it into the model first")
        }
        let decoder = try rebuilt(from: AdaptedWeights(CopiedWeights(bare: self, isTrainable: false), adapter))
        try adapter.check(against: shape, named: named)
        return decoder
    }

    /// The model without its adapter, in the same memory. Its outputs have the same bits as before the adapter was added. Weights
    /// that are frozen in this model are frozen in the result. For a model without an adapter, the result is a copy.
    public func withoutAdapter() -> any TransformerDecoder { rebuiltFromOwn(CopiedWeights(bare: self)) }

    /// A model without an adapter that is equivalent to this one: the product B A is merged into the weights. Only the changed
    /// weights need new memory.
    public func merged() -> any TransformerDecoder {
        guard let adapter else { return copy() }
        return rebuiltFromOwn(MergedWeights(CopiedWeights(bare: self, isTrainable: true), adapter))
    }

    /// An independent copy of the model and its adapter. Memory is shared until one of the two is trained.
    public func copy() -> any TransformerDecoder { rebuiltFromOwn(CopiedWeights(of: self)) }

    private func rebuiltFromOwn(_ weights: some WeightSource) -> any TransformerDecoder {
        do {
            return try rebuilt(from: weights)
        } catch {
            preconditionFailure("a model always has its own weights: \(error)")
        }
    }
}

/// The weights of a source, with an adapter for its projections.
private struct AdaptedWeights: WeightSource {
    private let weights: CopiedWeights
    let adapter: Adapter?

    init(_ weights: CopiedWeights, _ adapter: Adapter) { (self.weights, self.adapter) = (weights, adapter) }

    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) -> Parameter {
        weights.parameter(name, shape, fresh: fresh, transposed: transposed)
    }
}

/// The weights of a source, with an adapter merged into them.
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
