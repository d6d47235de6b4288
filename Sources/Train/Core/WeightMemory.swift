package import Models
package import Tensor

/// The weights of which products in bf16 precision keep packed copies, in the order in which a run gives them up. Each product packs the
/// others on the fly. Results have the same bits.
package enum PackedCopies: CaseIterable, Sendable {
    /// All weights whose format allows it.
    case all
    /// The frozen ones of them. A trained weight is packed again after each step in any case.
    case frozen
    /// None, except of weights whose copies take less memory than the pages of the file that they replace.
    case none
}

/// How the weights of a run's models take memory: in allocated blocks, in the pages of mapped files, and in the packed copies that
/// products in bf16 precision keep. It also tells what another format of the frozen weights or another precision would take.
package struct WeightMemory: Sendable {
    /// The bytes of some weights.
    package struct Bytes: Sendable, Equatable {
        /// In allocated blocks.
        package var allocated = 0
        /// In pages of mapped files that passes read again and again.
        package var mapped = 0
        /// In packed copies that products keep, once every product has been computed.
        package var packed = 0

        /// All of them.
        package var total: Int { allocated + mapped + packed }

        static func += (sum: inout Bytes, more: Bytes) {
            sum.allocated += more.allocated
            sum.mapped += more.mapped
            sum.packed += more.packed
        }
    }

    /// One stored matrix or vector.
    private struct Weight: Sendable {
        /// The storage.
        var storage: ObjectIdentifier
        var count: Int
        var format: NumberFormat
        var allocated: Int
        var mapped: Int
        /// The packed copies that products in bf16 precision keep of it.
        var packed = 0
        /// The packed copies that exist already.
        var existing = 0
        /// Whether an optimiser changes it, or another weight that has the same storage until then.
        var sharesTrained = false
        /// Whether ``FrozenWeights`` may replace it.
        var isFrozenMatrix = false
        /// Whether ``MasterWeights`` may hold it.
        var isTrainedMatrix = false
        /// Whether passes look up its rows, which packed copies do not serve.
        var isLookedUp = false
        /// Whether passes use it at all.
        var isUsed = false

        /// Whether products pack it on the fly although they could keep copies of it. Copies that take less than the pages of the file
        /// that they replace are kept.
        func isPackedInPassing(_ packing: PackedCopies) -> Bool {
            switch packing {
            case .all: false
            case .frozen: sharesTrained && packed > 0
            case .none: packed > (isUsed && !isLookedUp && !sharesTrained ? mapped : 0)
            }
        }

        /// Its bytes with frozen and trained matrices in a format, and products in a precision that keep packed copies of some weights.
        func bytes(
            _ wanted: FrozenFormat, _ precision: Compute.Precision, _ master: MasterFormat, _ packing: PackedCopies
        ) -> Bytes {
            if isTrainedMatrix, master == .bf16 {
                // products pack it on the fly
                return Bytes(allocated: Allocator.capacity(for: NumberFormat.bf16.byteCount(of: count)))
            }
            var (format, isRounded) = (format, false)
            if isFrozenMatrix, let narrow = wanted.narrow, narrow.byteCount(of: count) < format.byteCount(of: count) {
                // in bf16 precision the packed copy of a mapped matrix already is the rounded one
                isRounded = wanted == .int8 || precision == .f32 || isLookedUp || mapped == 0 || packed == 0
                if isRounded { format = narrow }
            }
            // products pack rounded weights on the fly
            let packed = precision == .bf16 && !isRounded && !isPackedInPassing(packing) ? self.packed : 0
            guard !isRounded else { return Bytes(allocated: Allocator.capacity(for: format.byteCount(of: count))) }
            return Bytes(allocated: allocated, mapped: isUsed && (packed == 0 || isLookedUp) ? mapped : 0, packed: packed)
        }
    }

    private var weights: [Weight] = []
    /// The bytes that the first step of an optimiser adds, because it changes weights that other models share.
    package private(set) var copied = 0

    /// Without any weight.
    package init() {}

    /// The weights of models, each storage once.
    /// - Parameters:
    ///   - models: the models.
    ///   - scorers: reward models, which do not use their output projections.
    ///   - asStored: frozen parameters that stay in the format in which they are stored.
    package init(of models: [any TransformerDecoder], scorers: [any TransformerDecoder] = [], asStored: [Parameter] = []) {
        var table = Table(asStored: Set(asStored.map(ObjectIdentifier.init)))
        models.forEach { table.add($0, isScorer: false) }
        scorers.forEach { table.add($0, isScorer: true) }
        for key in table.trained.keys {
            guard let shared = table.frozen[key] else { continue }
            // what exists counts once
            table.trained[key]?.existing = 0
            table.frozen[key]?.sharesTrained = table.trained[key].map { $0.packed > 0 } ?? false
            if shared.mapped == 0, shared.format == .f32 { copied += Allocator.capacity(for: 4 * shared.count) }
        }
        weights = Array(table.frozen.values) + Array(table.trained.values)
    }

    /// The bytes of all weights, with frozen and trained matrices in a format, and products in a precision that keep packed copies of
    /// some weights. Weights that are held in a narrower format already stay in it.
    package func bytes(
        _ format: FrozenFormat = .f32, _ precision: Compute.Precision = Compute.precision, master: MasterFormat = .f32,
        packing: PackedCopies = .all
    ) -> Bytes {
        weights.reduce(into: Bytes()) { $0 += $1.bytes(format, precision, master, packing) }
    }

    /// Lets products pack on the fly the weights of which ``PackedCopies`` keeps no copies. Copies of them that exist are freed.
    /// - Parameters:
    ///   - packing: the weights whose copies are kept.
    ///   - models: the models whose weights these are.
    package func apply(_ packing: PackedCopies, to models: [any TransformerDecoder]) {
        let inPassing = Set(weights.filter { $0.isPackedInPassing(packing) }.map(\.storage))
        for parameter in models.flatMap(\.parameters) where inPassing.contains(ObjectIdentifier(parameter.value.storage)) {
            parameter.value.storage.packsInPassing = true
        }
    }

    /// The bytes of the frozen matrices that ``FrozenWeights`` may replace.
    package func frozen(_ format: FrozenFormat = .f32, _ precision: Compute.Precision = Compute.precision) -> Int {
        weights.reduce(0) { $0 + ($1.isFrozenMatrix ? $1.bytes(format, precision, .f32, .all).total : 0) }
    }

    /// The bytes of the packed copies that products are still going to make.
    package func unpacked(_ precision: Compute.Precision = Compute.precision, packing: PackedCopies = .all) -> Int {
        weights.reduce(0) { $0 + max(0, $1.bytes(.f32, precision, .f32, packing).packed - $1.existing) }
    }

    /// The weights by storage. One that an optimiser changes while another model keeps it frozen has an entry in both tables.
    private struct Table {
        let asStored: Set<ObjectIdentifier>
        var frozen: [ObjectIdentifier: Weight] = [:]
        var trained: [ObjectIdentifier: Weight] = [:]

        mutating func add(_ model: any TransformerDecoder, isScorer: Bool) {
            let adapter = Set((model.adapter?.parameters ?? []).map(ObjectIdentifier.init))
            let isTrained = model.parameters.contains(where: \.isTrainable)
            func add(_ parameters: [Parameter], passesGradients: Bool, isEmbedding: Bool = false, isUsed: Bool = true) {
                for parameter in parameters {
                    let isPosition = parameter === model.positionParameter
                    let isAdapter = adapter.contains(ObjectIdentifier(parameter))
                    take(
                        parameter, mayBeHeld: !isPosition && !isAdapter, isHeldIfTrained: !isAdapter,
                        directions: isEmbedding || !isUsed ? [] : passesGradients && isTrained ? [.forward, .inputGradient] : [.forward],
                        isLookedUp: isEmbedding, isUsed: isUsed)
                }
            }
            add(model.embeddingParameters, passesGradients: false, isEmbedding: true)
            for layer in 0..<model.shape.layerCount {
                add(model.parameters(ofLayer: layer), passesGradients: layer >= model.frozenTrunk)
            }
            add(model.finalParameters, passesGradients: true)
            let head = [model.projection, model.projectionBias].compactMap { $0 }
            if model.isTied {
                // looked up, and multiplied unless the model scores texts
                if !isScorer { add(head, passesGradients: true) }
            } else {
                add(head, passesGradients: true, isUsed: !isScorer)
            }
        }

        private mutating func take(
            _ parameter: Parameter, mayBeHeld: Bool, isHeldIfTrained: Bool, directions: [ProductQuestion.Kind], isLookedUp: Bool,
            isUsed: Bool
        ) {
            let (storage, shape) = (parameter.value.storage, parameter.value.shape)
            let key = ObjectIdentifier(storage)
            let mapped = storage.mappedByteCount
            var weight =
                (parameter.isTrainable ? trained[key] : frozen[key])
                ?? Weight(
                    storage: key, count: parameter.value.count, format: storage.format,
                    allocated: mapped > 0 ? 0 : Allocator.capacity(for: storage.format.byteCount(of: parameter.value.count)),
                    mapped: mapped,
                    existing: storage.packedByteCount)
            if shape.rank == 2 {
                let kept = directions.map {
                    PackedWeight.keptBytes(
                        // an optimiser's step makes floats of anything that is not held in bfloat16
                        $0, outputs: shape[0], inputs: shape[1],
                        keepsPacking: parameter.isTrainable
                            ? parameter.masterFormat == .f32 && !storage.packsInPassing : storage.keepsPacking,
                        precision: .bf16)
                }
                weight.packed = max(weight.packed, kept.reduce(0, +))
            }
            weight.isLookedUp = weight.isLookedUp || isLookedUp
            weight.isUsed = weight.isUsed || isUsed
            if parameter.isTrainable {
                weight.sharesTrained = true
                // the first step makes floats of it in memory, unless it is held in bfloat16, which `Adam.mappedBytes` counts
                weight.format = parameter.masterFormat
                (weight.allocated, weight.mapped) = (Allocator.capacity(for: weight.format.byteCount(of: weight.count)), 0)
                weight.isTrainedMatrix = weight.isTrainedMatrix || isHeldIfTrained && MasterWeights.holds(shape)
                trained[key] = weight
            } else {
                let isFrozenMatrix = MasterWeights.holds(shape) && mayBeHeld && !asStored.contains(ObjectIdentifier(parameter))
                weight.isFrozenMatrix = weight.isFrozenMatrix || isFrozenMatrix
                frozen[key] = weight
            }
        }
    }
}

extension FrozenFormat {
    /// The narrow format; nil for weights as they are stored.
    fileprivate var narrow: NumberFormat? {
        switch self {
        case .f32: nil
        case .bf16: .bf16
        case .int8: .q8
        }
    }
}
