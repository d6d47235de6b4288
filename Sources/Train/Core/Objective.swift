public import Models
public import Tensor

/// What a ``Trainer`` minimises: a loss of examples, and what people want to know of it.
///
/// The trainer owns everything else: the order of the examples, the cut of a batch into passes, gradients, the optimiser and its
/// schedule, batches that are not finite, intervals, snapshots and events.
public protocol Objective<Example> {
    /// What is trained on.
    associatedtype Example

    /// The name of the stage in progress lines.
    var stage: String { get }
    /// The parameters that may be trained; those that are frozen (`Parameter.isTrainable`) are left as they are.
    var parameters: [Parameter] { get }
    /// Whether passes have numbers to drop (``Pass/dropout``).
    var hasDropout: Bool { get }
    /// The names of some steps's sums in a snapshot: of the losses, and of what they weigh.
    var sumNames: (loss: String, weight: String) { get }

    /// The name of an example in errors.
    func id(of example: Example) -> String
    /// The tokens of an example: what a pass may hold so many of, and what progress counts.
    func tokens(of example: Example) -> Int
    /// The tokens that an example adds to a pass behind another example: fewer than it has where the two have a beginning in common that is read
    /// once.
    func tokens(of example: Example, behind previous: Example) -> Int
    /// The rows of an example in a pass, each of which has dropped numbers of its own.
    func rows(of example: Example) -> Int
    /// What a batch weighs in the mean loss of several steps.
    func weight(of batch: [Example]) -> Double

    /// The loss of one pass. The losses of a batch's passes are summed: each divides by a number of the whole batch.
    /// - Throws: what ends the run; ``TrainingError/notFinite(what:step:examples:)`` passes over the batch where the settings allow it.
    func loss(of pass: Pass<Example>, on tape: Tape) throws -> PassLoss
    /// The metrics of some steps, besides learning rate and gradient norm.
    func metrics(of sums: LossSums) -> [String: Double]
    /// Metrics that depend on the run's progress alone.
    func progress(step: Int, of total: Int) -> [String: Double]
    /// The metrics of an evaluation, before the first step, at intervals and behind the last step; none where nothing is evaluated.
    func evaluate() throws -> [String: Double]
}

extension Objective {
    /// False.
    public var hasDropout: Bool { false }
    /// "loss" and "weight".
    public var sumNames: (loss: String, weight: String) { ("loss", "weight") }
    /// All that it has.
    public func tokens(of example: Example, behind previous: Example) -> Int { tokens(of: example) }
    /// As many as it has tokens.
    public func rows(of example: Example) -> Int { tokens(of: example) }
    /// As much as it has examples.
    public func weight(of batch: [Example]) -> Double { Double(batch.count) }
    /// `loss`, the mean.
    public func metrics(of sums: LossSums) -> [String: Double] { ["loss": sums.meanLoss] }
    /// None.
    public func progress(step: Int, of total: Int) -> [String: Double] { [:] }
    /// None.
    public func evaluate() throws -> [String: Double] { [:] }
}

/// A part of a batch that is run at once.
public struct Pass<Example> {
    /// The whole batch of the optimiser step.
    public var batch: [Example]
    /// The places in the batch of what is run now.
    public var indices: [Int]
    /// The number of the step, from 1.
    public var step: Int
    /// What decides which numbers are dropped; nil where none are.
    public var dropout: DropoutSource?

    /// What is run now.
    public var examples: [Example] { indices.map { batch[$0] } }
}

/// The loss of a pass.
public struct PassLoss {
    /// What gradients are taken of.
    public var loss: Tensor
    /// The pass's share of the loss that people see; that of a step is the sum of them.
    public var shown: Double
    /// Further sums over some steps, by name.
    public var sums: [String: Double]

    /// A loss; unless given, people see the one that gradients are taken of.
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
    /// The further sums of the passes.
    public internal(set) var extra: [String: Double] = [:]

    /// The mean loss.
    public var meanLoss: Double { loss / weight }

    mutating func add(loss: Double, weight: Double, sums: [String: Double]) {
        self.loss += loss * weight
        self.weight += weight
        extra.merge(sums) { $0 + $1 }
    }
}
