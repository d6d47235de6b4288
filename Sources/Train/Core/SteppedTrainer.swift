/// What the trainers of all stages have in common: they take steps, and the same things are due behind one.
protocol SteppedTrainer: AnyObject {
    /// Steps done.
    var step: Int { get }
    /// Steps of the whole run.
    var totalSteps: Int { get }
    /// Tokens processed.
    var tokens: Int { get }
    /// When something is due.
    var intervals: StepIntervals { get }
    /// Receives progress and metrics.
    var handler: TrainingEventHandler { get }

    /// One step; returns the loss that progress shows, nil when its batch was passed over.
    func trainStep() throws -> Double?
    /// Tells what was measured since the last time.
    func log() throws
    /// Measures every evaluation set.
    func evaluate() throws
}

/// Steps between two lines of metrics, two evaluations and two checkpoints; nil for none before the end.
struct StepIntervals {
    var log: Int
    var evaluation: Int?
    var checkpoint: Int?
}

extension SteppedTrainer {
    /// Takes the steps that are left, or stops when `shouldStop` says so behind one. The last step is logged and evaluated, whatever the
    /// intervals are.
    /// - Returns: whether all steps are done.
    func takeSteps(
        checkpoint: (Self) throws -> Void, shouldSave: () -> Bool, shouldStop: () -> Bool
    ) throws -> Bool {
        while step < totalSteps {
            let loss = try trainStep()
            try handler(.progressed(step: step, totalSteps: totalSteps, tokens: tokens, loss: loss))
            let isLast = step == totalSteps
            if isLast || isDue(intervals.log) { try log() }
            if isLast || isDue(intervals.evaluation) { try evaluate() }
            let stops = shouldStop()
            let saves = shouldSave() || isDue(intervals.checkpoint)
            if stops || saves { try checkpoint(self) }
            if stops { return isLast }
        }
        return true
    }

    private func isDue(_ interval: Int?) -> Bool { interval.map { step % $0 == 0 } ?? false }
}
