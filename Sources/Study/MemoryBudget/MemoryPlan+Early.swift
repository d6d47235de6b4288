import Formats
package import Models
import Tensor
package import Train

// A first check before long work that precedes the trainer, such as the reference's log-probabilities.
extension MemoryPlan {
    /// The least that training takes: the weights of the trained model, their gradients and the optimiser's moments, without packed
    /// copies that a run can do without, and without passes.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - model: the model that is trained, with its weights in the formats in which they are held.
    ///   - optimizer: the optimiser.
    ///   - processes: the number of processes that train together, each with a share of the moments.
    ///   - program: the bytes of the program and its data.
    package static func least(
        _ run: RunSettings, training model: any TransformerDecoder, optimizer: AdamConfig, processes: Int, program: Int
    ) -> MemoryPlan {
        var choices = MemoryChoices(run, optimizer: optimizer, mayApplyInBackward: false)
        choices.packing = .none
        let weights = WeightMemory(of: [model])
        let bytes = weights.bytes(.f32, choices.precision, packing: .none)
        var least = TrainingMemory()
        (least.weights, least.mapped, least.packed) = (bytes.allocated, bytes.mapped, bytes.packed)
        least.trained = model.parameters.filter(\.isTrainable).map(\.value.shape)
        least.optimizer = least.moments(of: optimizer.kind) / processes
        if !optimizer.appliesInBackward { least.gradients = least.gradientBytes(as: run.gradientFormat, freed: false) }
        return MemoryPlan(program: program, training: least, loaded: 0, longest: 0, weights: weights, choices: choices)
    }

    /// Checks that the least that training takes fits; see ``least(_:training:optimizer:processes:program:)``. The whole run is
    /// checked by ``check(_:_:_:optimizer:mayApplyInBackward:longest:advice:_:)`` when its trainer exists.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - models: all models that exist, as they are held during training.
    ///   - optimizer: the optimiser.
    ///   - processes: the number of processes that train together.
    ///   - ranks: the number of them on this machine.
    ///   - advice: the program's settings that reduce the memory of weights and optimiser.
    /// - Throws: `MemoryError` when training needs more memory than is available in any case.
    package static func checkLeast(
        _ run: RunSettings, _ models: RunModels, optimizer: AdamConfig, processes: Int, ranks: Int, advice: String
    ) throws {
        Allocator.shared.releaseKept()
        models.forgetPages()
        guard let now = MachineMemory.process()?.now, let room = MachineMemory.room(limit: run.memoryLimit, ranks: ranks) else { return }
        let program = max(0, now - Allocator.shared.bytesInUse)
        let plan = least(run, training: models.model, optimizer: optimizer, processes: processes, program: program)
        guard plan.expected > room else { return }
        throw MemoryError(
            needed: plan.expected, available: room,
            settings: "this is for the program, weights, gradients and optimiser; activations come on top; "
                + plan.settings(fitting: room, otherwise: advice))
    }
}
