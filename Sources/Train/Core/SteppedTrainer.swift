/// What the trainers of all methods have in common: they take steps, and the same things are due behind one.
protocol SteppedTrainer: AnyObject {
    /// Steps done.
    var step: Int { get }
    /// Steps of the whole run.
    var totalSteps: Int { get }
    /// Tokens processed.
    var tokens: Int { get }
    /// How steps are taken, and what is due behind them.
    var steps: StepConfig { get }
    /// Receives progress and metrics.
    var handler: TrainingEventHandler { get }
    /// What has been passed over.
    var badBatches: BadBatches { get set }

    /// One step; returns the number that progress shows, nil when its batch was passed over.
    func trainStep() throws -> ProgressFigure?
    /// Tells what was measured since the last time.
    func log() throws
    /// Measures every evaluation set.
    func evaluate() throws
}

extension SteppedTrainer {
    /// Takes the steps that are left, or stops when `shouldStop` says so behind one. The last step is logged and evaluated, whatever the
    /// intervals are.
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

    /// Works on a batch; nil when numbers of it are not finite and the run may pass over such batches, which is told then.
    func passingOverBadBatches<Result>(_ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch let error as TrainingError where badBatches.passesOver(error) {
            try handler(.noted(badBatches.note(error)))
            return nil
        }
    }
}
