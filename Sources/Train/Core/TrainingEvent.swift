public import Data

/// What a stage tells the outside while it works. Trainers never print or write files themselves.
public enum TrainingEvent: Sendable {
    /// A stage begins; `totalSteps` is what its progress counts to.
    case began(stage: String, totalSteps: Int)
    /// A step is done. `tokens` counts what the stage has processed so far; `figure` is the number that progress shows.
    case progressed(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?)
    /// Numbers of a step: one line of metrics.jsonl.
    case measured(step: Int, values: [String: Double])
    /// Rows for tables/<table>.jsonl.
    case sampled(table: String, rows: [SampleRow])
    /// One line for people.
    case noted(String)
    /// A stage is done.
    case ended(stage: String, seconds: Double)
}

/// The number that says how a stage goes: the loss, or the mean score of responses.
public struct ProgressFigure: Equatable, Sendable {
    /// What it is called: `loss` or `score`.
    public var name: String
    /// The number.
    public var value: Double

    /// A number with its name.
    public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// Receives the events of a stage. What it throws ends the stage.
public typealias TrainingEventHandler = (TrainingEvent) throws -> Void
