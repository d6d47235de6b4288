public import Models
public import Tensor

/// The objective that a ``Trainer`` minimises: a loss of examples, and its metrics.
///
/// The trainer does everything else: the order of the examples, the division of a batch into passes, gradients, the optimiser and
/// its schedule, skipping of batches with NaN or Inf, intervals, snapshots and events.
public protocol Objective<Example> {
    /// The type of a training example.
    associatedtype Example

    /// The label of progress lines: the name of the method, such as `sft`.
    var stage: String { get }
    /// The model's parameters. Frozen ones (`Parameter.isTrainable` is false) are not changed.
    var parameters: [Parameter] { get }
    /// Whether passes use dropout (``Pass/dropout``).
    var hasDropout: Bool { get }
    /// The names of the accumulated loss and weight in a snapshot.
    var sumNames: (loss: String, weight: String) { get }

    /// The ID of an example, for error messages.
    func id(of example: Example) -> String
    /// The number of tokens of an example, which counts towards the limit of a pass and in progress.
    func tokens(of example: Example) -> Int
    /// The number of tokens that an example adds to a pass when it follows another example. It is less than its length if both
    /// share a prefix that is processed once.
    func tokens(of example: Example, behind previous: Example) -> Int
    /// The number of rows of an example in a pass. Each row has its own dropout mask.
    func rows(of example: Example) -> Int
    /// The weight of a batch in the mean loss of several steps.
    func weight(of batch: [Example]) -> Double

    /// Prepares the passes of a batch. Every rank calls it with the whole batch, before its own passes.
    func prepare(_ batch: [Example], step: Int, among collective: any Collective) throws
    /// The loss of one pass. The losses of a batch's passes are summed, so each must be normalised by a number of the whole
    /// batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``, after which the batch is skipped if the settings allow it; any
    ///   other error ends the run.
    func loss(of pass: Pass<Example>, on tape: Tape) throws -> PassLoss
    /// The metrics of the steps since the last log line, besides the learning rate and the gradient norm.
    func metrics(of sums: LossSums) -> [String: Double]
    /// Metrics that depend only on the progress of the run.
    func progress(step: Int, of total: Int) -> [String: Double]
    /// The metrics of an evaluation, which is made before the first step, at intervals and after the last step. Empty if nothing
    /// is evaluated.
    func evaluate() throws -> [String: Double]
    /// The same metrics, measured by several ranks, which all call it and all get the result.
    func evaluate(among collective: any Collective) throws -> [String: Double]
    /// The same metrics, with the progress of every set as events (``TrainingEvent/part(_:)``).
    func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double]
}

extension Objective {
    /// Default: no dropout.
    public var hasDropout: Bool { false }
    /// Default: "loss" and "weight".
    public var sumNames: (loss: String, weight: String) { ("loss", "weight") }
    /// Default: all tokens of the example.
    public func tokens(of example: Example, behind previous: Example) -> Int { tokens(of: example) }
    /// Default: one row per token.
    public func rows(of example: Example) -> Int { tokens(of: example) }
    /// Default: the number of examples.
    public func weight(of batch: [Example]) -> Double { Double(batch.count) }
    /// Default: does nothing.
    public func prepare(_ batch: [Example], step: Int, among collective: any Collective) throws {}
    /// Default: the mean loss, as `loss`.
    public func metrics(of sums: LossSums) -> [String: Double] { ["loss": sums.meanLoss] }
    /// Default: no metrics.
    public func progress(step: Int, of total: Int) -> [String: Double] { [:] }
    /// Default: no metrics.
    public func evaluate() throws -> [String: Double] { [:] }
    /// Default: every rank evaluates the whole sets.
    public func evaluate(among collective: any Collective) throws -> [String: Double] {
        var values: [String: Double] = [:]
        try collective.together { values = try evaluate() }
        return values
    }
    /// Default: no events.
    public func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double] {
        try evaluate(among: collective)
    }
}

/// A part of a batch that is processed at once.
public struct Pass<Example> {
    /// The whole batch of the optimiser step.
    public var batch: [Example]
    /// The indices in the batch of the examples in this pass.
    public var indices: [Int]
    /// The number of the step, from 1.
    public var step: Int
    /// The source of dropout masks; nil without dropout.
    public var dropout: DropoutSource?

    /// The examples in this pass.
    public var examples: [Example] { indices.map { batch[$0] } }
}

/// The loss of a pass.
public struct PassLoss {
    /// The scalar loss that is differentiated.
    public var loss: Tensor
    /// The pass's share of the reported loss, which is the sum over the passes of a step.
    public var shown: Double
    /// Further quantities by name, which are summed over steps for ``Objective/metrics(of:)``.
    public var sums: [String: Double]

    /// A loss. Default of the reported loss: the differentiated one.
    public init(_ loss: Tensor, shown: Double? = nil, sums: [String: Double] = [:]) {
        self.loss = loss
        self.shown = shown ?? Double(loss.item)
        self.sums = sums
    }
}

/// Sums over the steps since the last line of metrics.
public struct LossSums {
    /// Σ loss · weight of the steps.
    public internal(set) var loss = 0.0
    /// Σ weight of the steps.
    public internal(set) var weight = 0.0
    /// The sums of ``PassLoss/sums``.
    public internal(set) var extra: [String: Double] = [:]

    /// The weighted mean loss.
    public var meanLoss: Double { loss / weight }

    mutating func add(loss: Double, weight: Double, sums: [String: Double]) {
        self.loss += loss * weight
        self.weight += weight
        extra.merge(sums) { $0 + $1 }
    }
}
