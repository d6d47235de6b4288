import Formats
package import Models
import Tensor
package import Train

/// The models whose weights a run keeps in memory.
package struct RunModels {
    /// The model that is trained or sampled from.
    package var model: any TransformerDecoder
    /// Whether ``model`` scores texts, so that its output projection is not used.
    package var isScorer: Bool
    /// The reference model; nil if there is none, or if it is ``model`` itself.
    package var reference: (any TransformerDecoder)?
    /// The reward models that score responses.
    package var judges: [any TransformerDecoder]

    /// The models of a run; see the properties.
    package init(
        model: any TransformerDecoder, isScorer: Bool = false, reference: (any TransformerDecoder)? = nil,
        judges: [any TransformerDecoder] = []
    ) { (self.model, self.isScorer, self.reference, self.judges) = (model, isScorer, reference, judges) }

    /// All models, each once.
    private var all: [any TransformerDecoder] {
        var seen: Set<ObjectIdentifier> = []
        return ([model, reference].compactMap { $0 } + judges).filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// The reference's parameters that are trained in ``model``. They are not rounded, so that the KL of an untrained model from its
    /// own reference is 0.
    private var asStored: [Parameter] {
        guard let reference, reference !== model else { return [] }
        let trained = Set(model.parameters.filter(\.isTrainable).map(\.name))
        return reference.parameters.filter { trained.contains($0.name) }
    }

    /// The memory of the weights.
    package var memory: WeightMemory {
        let scorers = judges + (isScorer ? [model] : [])
        let others = all.filter { model in !scorers.contains { $0 === model } }
        return WeightMemory(of: others, scorers: scorers, asStored: asStored)
    }

    /// Freezes all models, for runs that train none, and lets weights that are equal in ``model`` and another one share one memory.
    package func freezeAndShare(note: (String) -> Void) {
        all.flatMap(\.parameters).forEach { $0.isTrainable = false }
        let others = [reference].compactMap { $0 }.map { ("reference model", $0) } + judges.map { ("reward model", $0) }
        for (name, other) in others where other !== model {
            let shared = Trunk.share(model, with: other, atMost: model.shape.layerCount)
            guard shared.bytesFreed > 0 else { continue }
            note("the \(name) shares \(shared.layers) layers with the policy (\(ByteCount(bytes: shared.bytesFreed)) saved)")
        }
    }

    /// Holds the trained and the frozen weights in the formats of the settings; see the other two functions.
    package func hold(_ run: RunSettings, note: (String) -> Void) throws {
        try hold(masters: run.masterFormat, note: note)
        try hold(as: run.frozenFormat, note: note)
    }

    /// Holds the trained weights in a format, and says what that saves. The reference's copies of them are rounded in the same way.
    /// It must come after everything that compares weights, and before any number that a model gives.
    /// - Throws: errors of `MasterWeights`, which name the weight.
    package func hold(masters format: MasterFormat, note: (String) -> Void) throws {
        guard format != .f32 else { return }
        let bytes = try MasterWeights.hold(model, others: asStored, as: format)
        guard bytes.after < bytes.before else {
            return note("--master-dtype \(format.rawValue) saves no memory: no trained weight is a matrix of the model")
        }
        note(
            "trained weights are kept as \(format.rawValue) and rounded at random: \(ByteCount(bytes: bytes.after)) instead of "
                + "\(ByteCount(bytes: bytes.before)), \(ByteCount(bytes: bytes.before - bytes.after)) saved")
    }

    /// Holds the frozen weights in a format, and says what that saves. Models should share equal weights before, so that each is
    /// rounded once; those that are equal only after rounding are shared then. It must come before any number that a model gives.
    /// - Throws: errors of `FrozenWeights`, which name the weight.
    package func hold(as format: FrozenFormat, note: (String) -> Void) throws {
        guard format != .f32 else { return }
        // only frozen parameters are rounded
        let kept = asStored
        kept.forEach { $0.isTrainable = true }
        defer { kept.forEach { $0.isTrainable = false } }
        let bytes = try FrozenWeights.hold(all, as: format)
        // a checkpoint has rounded numbers of weights that have no original, so they only become equal to the others here
        for other in all where other !== model { _ = Trunk.share(model, with: other, atMost: model.frozenTrunk) }
        guard bytes.after < bytes.before else {
            return note("--frozen-dtype \(format.rawValue) saves no memory: no frozen weight takes less in it")
        }
        note(
            "frozen weights are held as \(format.rawValue): \(ByteCount(bytes: bytes.after)) instead of "
                + "\(ByteCount(bytes: bytes.before)), \(ByteCount(bytes: bytes.before - bytes.after)) saved")
    }

    /// Lets products keep packed copies of some weights only, and frees the other copies.
    func keepCopies(_ packing: PackedCopies, of weights: WeightMemory) {
        guard packing != .all else { return }
        weights.apply(packing, to: all)
        Allocator.shared.releaseKept()
    }

    /// Lets the system reclaim the pages of mapped weights, which are read again when they are needed.
    func forgetPages() {
        for parameter in all.flatMap(\.parameters) { parameter.value.storage.forget() }
    }
}
