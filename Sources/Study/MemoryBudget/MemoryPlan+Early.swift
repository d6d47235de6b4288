import Formats
import Models
import Tensor
package import Train

// A first check before long work that precedes the trainer: simulated comparisons, and the reference's log-probabilities.
extension MemoryPlan {
    /// The least that training takes: the weights of the trained model, their gradients and the optimiser's moments, without packed
    /// copies that a run can do without, and without passes.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - models: the models of the run. Only the trained one counts, with its weights in the formats of the settings.
    ///   - optimizer: the optimiser.
    ///   - processes: the number of processes that train together, each with a share of the moments.
    ///   - program: the bytes of the program and its data.
    package static func least(
        _ run: RunSettings, training models: RunModels, optimizer: AdamConfig, processes: Int, program: Int
    ) -> MemoryPlan {
        var choices = MemoryChoices(run, optimizer: optimizer, mayApplyInBackward: false)
        choices.packing = .none
        let weights = RunModels(model: models.model, isScorer: models.isScorer).memory
        let bytes = weights.bytes(run.frozenFormat, choices.precision, master: run.masterFormat, packing: .none)
        var least = TrainingMemory()
        (least.weights, least.mapped, least.packed) = (bytes.allocated, bytes.mapped, bytes.packed)
        least.trained = models.model.parameters.filter(\.isTrainable).map(\.value.shape)
        least.optimizer = least.moments(of: optimizer.kind) / processes
        if !optimizer.appliesInBackward { least.gradients = least.gradientBytes(as: run.gradientFormat, freed: false) }
        return MemoryPlan(program: program, training: least, loaded: 0, longest: 0, weights: weights, choices: choices)
    }

    /// Checks that the least that training takes fits; see ``least(_:training:optimizer:processes:program:)``. The whole run is
    /// checked by ``check(_:_:_:optimizer:mayApplyInBackward:longest:advice:_:)`` when its trainer exists.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - models: the models of the run.
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
        let plan = least(run, training: models, optimizer: optimizer, processes: processes, program: program)
        guard plan.expected > room else { return }
        throw MemoryError(
            needed: plan.expected, available: room,
            settings: "this is for the program, weights, gradients and optimiser; activations come on top; "
                + plan.settings(fitting: room, otherwise: advice))
    }

    /// Checks the same before the adapter of the settings is added to the starting model and its weights are frozen.
    /// - Parameters:
    ///   - run: the settings of the run.
    ///   - start: the starting model. It stays as it is.
    ///   - isScorer: whether it becomes a reward model.
    ///   - training: the optimiser, and which weights are frozen.
    ///   - adapter: the adapter that is added.
    ///   - session: the session of the run.
    ///   - advice: the program's settings that reduce the memory of weights and optimiser.
    /// - Throws: `MemoryError` when training needs more memory than is available; the errors of `AdapterSettings.adapt`.
    static func checkLeast(
        _ run: RunSettings, from start: LoadedModel, isScorer: Bool = false, _ training: TrainingSettings, _ adapter: AdapterSettings,
        _ session: RunSession, advice: String
    ) throws {
        var start = start
        // the copy shares the memory of the weights
        start.model.decoder = start.model.decoder.copy()
        try adapter.adapt(&start, freezing: training.freezing, seed: run.seed)
        training.freezing.apply(to: start.model.decoder, isRewardModel: isScorer)
        try checkLeast(
            run, RunModels(model: start.model.decoder, isScorer: isScorer), optimizer: training.optimizerConfig,
            processes: session.collective.size, ranks: session.ranksOnMachine, advice: advice)
    }
}
