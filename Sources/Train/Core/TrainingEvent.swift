public import Data

/// What a stage tells the outside while it works. Trainers never print or write files themselves.
public enum TrainingEvent: Sendable {
    /// A stage begins; `totalSteps` is what its progress counts to.
    case began(stage: String, totalSteps: Int)
    /// A step is done. `tokens` counts what the stage has processed so far.
    case progressed(step: Int, totalSteps: Int, tokens: Int, loss: Double?)
    /// Numbers of a step: one line of metrics.jsonl.
    case measured(step: Int, values: [String: Double])
    /// Rows for tables/<table>.jsonl.
    case sampled(table: String, rows: [SampleRow])
    /// One line for people.
    case noted(String)
    /// A stage is done.
    case ended(stage: String, seconds: Double)
}

/// Receives the events of a stage. What it throws ends the stage.
public typealias TrainingEventHandler = (TrainingEvent) throws -> Void
