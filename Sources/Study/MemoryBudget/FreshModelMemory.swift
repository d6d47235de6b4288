import Formats
package import Models
package import Tensor
package import Train

/// The least memory that a randomly initialised model takes, computed from its configuration alone, before any tensor is
/// allocated. It counts what ``MemoryPlan`` counts before the first step, except the intermediate results of passes, which depend on
/// the texts.
package struct FreshModelMemory {
    /// The expected bytes of weights, gradients, moments and packed copies. A `Double`, because a configuration can ask for more than
    /// an `Int` can hold.
    package var bytes: Double
    private let model: LlamaConfiguration
    private let choices: MemoryChoices
    private let processes: Int

    /// The bytes of a layer besides its weights: names, objects and minimum block sizes.
    private static let bytesPerLayer = 6000.0

    /// What a user can do about a model that does not fit.
    package static let advice = "use a smaller model (--hidden-size, --intermediate-size, --num-hidden-layers, --vocabulary-size)"

    /// The memory of a model with this configuration.
    /// - Parameters:
    ///   - settings: the configuration.
    ///   - optimizer: the optimiser for which each weight also needs a gradient and moments; nil without training.
    ///   - master: the format of trained weights.
    ///   - gradients: the format of gradients.
    ///   - updatesInBackward: whether gradients are freed in the backward pass.
    ///   - mayUpdateInBackward: whether another choice of that is possible with the other settings.
    ///   - precision: the precision of products. In bf16, they keep packed copies of weights.
    ///   - processes: the number of processes that train together, each with a share of the moments.
    package init(
        _ settings: LlamaConfiguration, trainedBy optimizer: OptimizerKind?, master: MasterFormat = .f32, gradients: GradientFormat = .f32,
        updatesInBackward: Bool = false, mayUpdateInBackward: Bool = false, precision: Compute.Precision = .f32, processes: Int = 1
    ) {
        (model, self.processes) = (settings, processes)
        // no weight is frozen, so the narrowest format leaves none to suggest
        var choices = MemoryChoices(optimizer: optimizer, frozen: .int8, precision: precision)
        if optimizer != nil {
            (choices.master, choices.gradients) = (master, gradients)
            choices.appliesInBackward = updatesInBackward ? true : mayUpdateInBackward && processes == 1 ? false : nil
        }
        self.choices = choices
        bytes = 0
        bytes = bytes(with: choices)
    }

    /// The bytes with other choices.
    private func bytes(with choices: MemoryChoices) -> Double {
        guard let optimizer = choices.optimizer else { return 4 * model.parameterCount }
        let isNarrow = choices.master == .bf16
        let gradient = choices.appliesInBackward == true ? 0.0 : choices.gradients == .bf16 ? 2 : 4
        let perWeight = (isNarrow ? 2 : 4) + gradient + optimizer.bytesPerWeight / Double(processes)
        // a new model has floats in any case
        return max(4, perWeight) * model.parameterCount
            + (choices.precision == .bf16 && choices.packing == .all && !isNarrow ? packed : 0)
    }

    /// The choices of a run that gives up its packed copies, as one does that does not fit with them.
    private var withoutCopies: MemoryChoices {
        var choices = choices
        choices.packing = .none
        return choices
    }

    /// The bytes of the packed copies that products in bf16 precision keep of weights in 32 bits.
    private var packed: Double {
        let (hidden, inner, vocabulary) = (model.hiddenSize, model.intermediateSize, model.vocabularySize)
        // the sizes of a model that does not fit in any case need no exact number
        guard max(hidden, inner, vocabulary, model.heads, model.headDim) < 1 << 24, model.heads * model.headDim < 1 << 24 else { return 0 }
        func kept(_ outputs: Int, _ inputs: Int) -> Double {
            [ProductQuestion.Kind.forward, .inputGradient].reduce(0) {
                $0 + Double(PackedWeight.keptBytes($1, outputs: outputs, inputs: inputs, precision: .bf16))
            }
        }
        let (queries, keys) = (model.heads * model.headDim, model.keyHeads * model.headDim)
        let layer = kept(queries, hidden) + 2 * kept(keys, hidden) + kept(hidden, queries) + 2 * kept(inner, hidden) + kept(hidden, inner)
        return Double(model.layerCount) * layer + kept(vocabulary, hidden)
    }

    /// The expected peak of tensors, including freed blocks that the allocator keeps for reuse, and of the objects of layers.
    private func peak(of bytes: Double) -> Double {
        let bound = bytes < 0x1p60 ? Double(Allocator.bound(peak: Int(bytes))) : bytes
        return bound + Double(model.layerCount) * Self.bytesPerLayer
    }

    /// Checks that the model fits, without packed copies of weights.
    /// - Parameters:
    ///   - limit: the value of the memory option, which is that of each process; nil means the memory that is available.
    ///   - ranks: the number of processes on this machine that each make the model.
    /// - Throws: `MemoryError` when the model needs more.
    package func check(limit: String?, ranks: Int = 1) throws {
        let own = Double(MachineMemory.process()?.now ?? 0)
        let needed = peak(of: bytes - bytes(with: choices) + bytes(with: withoutCopies)) + own
        guard let room = MachineMemory.room(limit: limit, ranks: ranks), needed > Double(room) else { return }
        let advice =
            own < Double(room) ? "\(scope); \(settings(fitting: Double(room) - own))" : MemoryPlan.advice(program: Int(own))
        throw MemoryError(needed: Int(min(needed, 0x1p62)), available: room, settings: advice)
    }

    /// What the estimate counts, and what comes on top.
    private var scope: String {
        guard choices.optimizer != nil else { return "this is for the weights and the program so far; passes come on top" }
        return "this is for the weights, gradients, optimiser and the program so far; activations come on top, which --tokens-per-pass "
            + "limits"
    }

    /// Suggests a smaller model, and the first of the ``MemoryChoices/alternatives`` that may fit into `room` bytes.
    package func settings(fitting room: Double) -> String {
        let plans = withoutCopies.alternatives.lazy.map { (change: $0, bytes: peak(of: bytes(with: $0.choices))) }
        let fitting = plans.first { $0.bytes <= room }
        guard let fitting else { return Self.advice }
        let parts = choices.optimizer == nil ? "the weights" : "weights, gradients and optimiser"
        return "\(Self.advice), or \(fitting.change.options), with which it needs at least \(ByteCount(bytes: Int(fitting.bytes))) "
            + "for \(parts) alone (\(fitting.change.costs))"
    }
}
