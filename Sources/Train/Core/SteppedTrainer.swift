/// The common parts of the trainers of all methods: a loop of steps, and what is due after a step.
protocol SteppedTrainer: AnyObject {
    /// The number of steps done.
    var step: Int { get }
    /// The number of steps of the whole run.
    var totalSteps: Int { get }
    /// The number of tokens processed.
    var tokens: Int { get }
    /// The settings of steps and of what follows them.
    var steps: StepConfig { get }
    /// Receives progress and metrics.
    var handler: TrainingEventHandler { get }
    /// The batches that were skipped.
    var badBatches: BadBatches { get set }

    /// Takes one step. Returns the number for progress lines; nil when the batch was skipped.
    func trainStep() throws -> ProgressFigure?
    /// Reports the metrics since the last report.
    func log() throws
    /// Measures every evaluation set.
    func evaluate() throws
}

extension SteppedTrainer {
    /// Takes the remaining steps, or stops after a step for which `shouldStop` returns true. The last step is always logged and
    /// evaluated.
    /// - Returns: whether all steps are done.
    func takeSteps(
        checkpoint: (Self) throws -> Void, shouldSave: () -> Bool, shouldStop: () -> Bool
    ) throws -> Bool {
        while step < totalSteps {
            let figure = try trainStep()
            try handler(.progressed(step: step, totalSteps: totalSteps, tokens: tokens, figure: figure))
            let isLast = step == totalSteps
            if isLast || isDue(steps.logSteps) { try log() }
            if isLast || isDue(steps.evaluationSteps) { try evaluate() }
            let stops = shouldStop()
            let saves = shouldSave() || isDue(steps.checkpointSteps)
            if stops || saves { try checkpoint(self) }
            if stops { return isLast }
        }
        return true
    }

    private func isDue(_ interval: Int?) -> Bool { interval.map { step % $0 == 0 } ?? false }

    /// Processes a batch. Returns nil and reports it when the batch has NaN or Inf and the run may skip it.
    func passingOverBadBatches<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch let error as TrainingError where badBatches.passesOver(error) {
            try handler(.noted(badBatches.note(error)))
            return nil
        }
    }
}
