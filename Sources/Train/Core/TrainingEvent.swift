public import Data

/// An event of a running stage. Trainers report events only; they do not print or write files.
public enum TrainingEvent: Sendable {
    /// A stage begins.
    ///
    /// `stage` is the label of its progress lines: the name of the method, such as `sft` or `grpo`. `totalSteps` is the number of
    /// steps of the whole stage, and `unit` what a step is, in the singular: a `step` of training, a `response`, a `prompt`. A
    /// resumed stage gives the steps done and the tokens processed before, which do not count towards its speed.
    case began(stage: String, totalSteps: Int, unit: String = "step", step: Int = 0, tokens: Int = 0)
    /// Some steps are done. `step` and `tokens` are the numbers of steps done and of tokens processed since the beginning of the
    /// stage; `figure` is the number for progress lines.
    case progressed(step: Int, totalSteps: Int, tokens: Int, figure: ProgressFigure?)
    /// A part of the stage that is not a step begins, advances or ends. Such a part may lie between two steps.
    case part(PartProgress)
    /// Metrics of a step: one line of metrics.jsonl.
    case measured(step: Int, values: [String: Double])
    /// Rows for tables/<table>.jsonl.
    case sampled(table: String, rows: [SampleRow])
    /// A message in one line.
    case noted(String)
    /// A stage is done, after `seconds` that include loading and the final evaluations.
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
