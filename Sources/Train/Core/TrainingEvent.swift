public import Data

/// An event of a running stage. Trainers report events only; they do not print or write files.
public enum TrainingEvent: Sendable {
    /// A stage begins, with the total number of steps for its progress.
    case began(stage: String, totalSteps: Int)
    /// A step is done. `tokens` is the number of tokens processed so far; `figure` is the number for progress lines.
    case progressed(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?)
    /// Metrics of a step: one line of metrics.jsonl.
    case measured(step: Int, values: [String: Double])
    /// Rows for tables/<table>.jsonl.
    case sampled(table: String, rows: [SampleRow])
    /// A message in one line.
    case noted(String)
    /// A stage is done.
    case ended(stage: String, seconds: Double)
}

/// The number shown in progress lines: the loss, or the mean score of responses.
public struct ProgressFigure: Equatable, Sendable {
    /// The name: `loss` or `score`.
    public var name: String
    /// The value.
    public var value: Double

    /// A value with its name.
    public init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// Receives the events of a stage. An error that it throws ends the stage.
public typealias TrainingEventHandler = (TrainingEvent) throws -> Void
