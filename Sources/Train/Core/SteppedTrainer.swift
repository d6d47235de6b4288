/// The common parts of the trainers of all methods: a loop of steps, and what is due after a step.
protocol SteppedTrainer: AnyObject {
    /// The number of steps done.
    var step: Int { get }
    /// The number of steps of the whole run.
    var totalSteps: Int { get }
    /// The number of tokens processed.
    var tokens: Int { get }
    /// The optimiser.
    var optimizer: Adam { get }
    /// The settings of steps and of what follows them.
    var steps: StepConfig { get }
    /// Receives progress and metrics.
    var handler: TrainingEventHandler { get }
    /// The batches that were skipped.
    var badBatches: BadBatches { get set }
    /// The ranks that train together.
    var collective: CountingCollective { get }
    /// What the steps have sent to other ranks.
    var traffic: StepTraffic { get set }

    /// Takes one step. Returns the number for progress lines; nil when the batch was skipped.
    func trainStep() throws -> ProgressFigure?
    /// Reports the metrics since the last report.
    func log() throws
    /// Measures every evaluation set.
    func evaluate() throws
}

extension SteppedTrainer {
    /// Takes the remaining steps, or stops after a step for which `shouldStop` returns true. The last step is always logged and
    /// evaluated. A stop or a checkpoint that one rank asks for is one of all ranks.
    /// - Parameters:
    ///   - checkpoint: called after a step at which a checkpoint or a stop is due.
    ///   - shouldSave: called after every step; true writes a checkpoint.
    ///   - shouldStop: called after every step; true writes a checkpoint and stops.
    ///   - stepsBegin: called before the first of the remaining steps, if any remain.
    /// - Returns: whether all steps are done.
    /// - Throws: ``TrainingError/weightNotFinite(name:step:)`` before the model is evaluated or saved; errors of the steps and closures.
    func takeSteps(
        checkpoint: (Self) throws -> Void, shouldSave: () -> Bool, shouldStop: () -> Bool, stepsBegin: () -> Void
    ) throws -> Bool {
        if step < totalSteps { stepsBegin() }
        while step < totalSteps {
            let before = collective.bytesSent
            let figure = try trainStep()
            traffic.steps += 1
            traffic.bytesSent += collective.bytesSent - before
            let isLast = step == totalSteps
            try collective.together {
                try handler(.progressed(step: step, totalSteps: totalSteps, tokens: tokens, figure: figure))
                if isLast || isDue(steps.logSteps) { try log() }
            }
            let evaluates = isLast || isDue(steps.evaluationSteps)
            if evaluates {
                try checkWeights()
                try evaluate()
            }
            let stops = shouldStop()
            let saves = shouldSave() || isDue(steps.checkpointSteps)
            let asked = try collective.any([stops, saves])
            if !evaluates, asked[0] || asked[1] { try checkWeights() }
            if asked[0] || asked[1] { try collective.together { try checkpoint(self) } }
            if asked[0] { return isLast }
        }
        return true
    }

    /// Checks that no update has made a weight NaN or Inf. All ranks have the same weights.
    private func checkWeights() throws {
        try collective.together {
            guard let bad = optimizer.parameters.first(where: { $0.value.nonFiniteCount > 0 }) else { return }
            throw TrainingError.weightNotFinite(name: bad.name, step: step)
        }
    }

    private func isDue(_ interval: Int?) -> Bool { interval.map { step % $0 == 0 } ?? false }

    /// Processes a batch. Returns nil and reports it when the batch has NaN or Inf and the run may skip it.
    func passingOverBadBatches<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch let error as TrainingError where badBatches.passesOver(error) {
            try collective.together { try handler(.noted(badBatches.note(error))) }
            return nil
        }
    }
}
