import Data
public import Models
public import Tensor

/// The objective of direct preference optimisation on single answers that are labelled good or bad (KTO).
///
/// z₀ = max(0, mean log π/π_ref of mismatched answers), an estimate of the KL from the reference, is computed for the whole batch
/// and has no gradient.
public final class UnpairedObjective: Objective {
    /// The policy that is trained.
    public let policy: any TransformerDecoder
    /// The settings.
    public let config: UnpairedConfig
    let evaluations: [(name: String, answers: [UnpairedAnswer])]
    /// z₀ of the current step's batch, which is reused by the further passes of the step.
    private var divergence: (step: Int, value: Double)?

    /// Creates an objective and freezes the policy's parameters according to the settings.
    /// - Parameters:
    ///   - policy: the policy to train.
    ///   - config: the settings.
    ///   - evaluations: named sets of held-out answers.
    /// - Throws: ``TrainingError`` for invalid settings, or an answer that does not fit the policy.
    public init(
        _ policy: any TransformerDecoder, config: UnpairedConfig, evaluations: [(name: String, answers: [UnpairedAnswer])] = []
    ) throws {
        try config.validate()
        self.policy = policy
        self.config = config
        self.evaluations = evaluations
        try check(evaluations.flatMap(\.answers))
        config.freezing.apply(to: policy, isRewardModel: false)
    }

    /// Checks that the answers have tokens and fit the policy's context.
    func check(_ answers: [UnpairedAnswer]) throws {
        for answer in answers {
            for (what, tokens) in [("prompt", answer.prompt), ("answer", answer.answer), ("mismatched answer", answer.mismatched)]
            where tokens.isEmpty {
                throw TrainingError.noTokens("the \(what) of row \(answer.id)")
            }
            try policy.check(answer.prompt + answer.answer, id: answer.id)
            if config.loss.usesDivergence { try policy.check(answer.prompt + answer.mismatched, id: answer.id) }
        }
    }

    /// The label of progress lines: the name of the method, such as `kto`.
    public var stage: String { config.loss.method }
    /// The policy's parameters.
    public var parameters: [Parameter] { policy.parameters }
    /// Whether the configuration of the policy has dropout.
    public var hasDropout: Bool { !policy.dropout.isNone }
    /// The names of the accumulated loss and weight in a snapshot: `loss` and `answers`.
    public var sumNames: (loss: String, weight: String) { ("loss", "answers") }
    /// The ID of the answer, for error messages.
    public func id(of answer: UnpairedAnswer) -> String { answer.id }
    /// The number of tokens of the prompt and the answer.
    public func tokens(of answer: UnpairedAnswer) -> Int { answer.count }

    private var scorer: TokenScorer {
        TokenScorer(decoder: policy, temperature: 1, validTokens: config.validTokens ?? policy.shape.vocabularySize)
    }

    /// Computes z₀ of a batch by shares of the ranks. In one process, the first pass computes it.
    /// - Throws: ``CollectiveError`` when another rank fails.
    public func prepare(_ batch: [UnpairedAnswer], step: Int, among collective: any Collective) throws {
        guard collective.size > 1, config.loss.usesDivergence else { return }
        let sums = try collective.sharing(batch, tokens: { $0.prompt.count + $0.mismatched.count }) { logRatios(of: $0) }
        divergence = (step, max(0, sums.reduce(0, +) / Double(max(1, batch.count))))
    }

    /// The loss of a pass over some answers of a batch.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``.
    public func loss(of pass: Pass<UnpairedAnswer>, on tape: Tape) throws -> PassLoss {
        let answers = pass.examples
        let divergence = divergence(of: pass.batch, step: pass.step)
        var target = TargetPass(prompts: answers.map(\.prompt), targets: answers.map(\.answer))
        target.batch.dropout = pass.dropout
        let logProbs = scorer(target, on: tape).logProbs
        let (found, statistics, gradient) = measured(
            answers, logProbs.values, counts: target.counts, divergence: divergence, batch: pass.batch.count)
        let loss = (logProbs * Tensor(gradient, shape: logProbs.shape)).sum()
        guard found.isFinite, loss.item.isFinite else {
            throw TrainingError.notFinite(
                logProbs.nonFiniteCount > 0 ? "a log-probability" : "the loss", step: pass.step, in: policy, ids: answers.map(\.id),
                sequences: answers.map { $0.prompt + $0.answer })
        }
        var sums = statistics
        // added once per batch, with the first pass
        if pass.indices.first == 0 { sums["kl", default: 0] += divergence * Double(pass.batch.count) }
        return PassLoss(loss, shown: found, sums: sums)
    }

    /// The loss, sums for metrics, and the gradient with respect to every token's log-probability.
    private func measured(
        _ answers: [UnpairedAnswer], _ numbers: [Float], counts: [Int], divergence: Double, batch: Int
    ) -> (loss: Double, sums: [String: Double], gradient: [Float]) {
        var (loss, sums, gradient, at) = (0.0, [String: Double](), [Float](repeating: 0, count: numbers.count), 0)
        for (answer, count) in zip(answers, counts) {
            let sum = numbers[at..<at + count].reduce(0) { $0 + Double($1) }
            let ratio = PairNumber(sum - answer.reference.answer, chosen: 1)
            let weight = answer.isDesirable ? config.desirableWeight : config.undesirableWeight
            let value = weight * config.loss.value(ratio, divergence, config.beta, answer.isDesirable)
            loss += value.value / Double(batch)
            for place in at..<at + count { gradient[place] = Float(value.chosen / Double(batch)) }
            let kind = answer.isDesirable ? "chosen" : "rejected"
            for (name, number) in [("rewards_\(kind)", config.beta * ratio.value), ("logps_\(kind)", sum), ("count_\(kind)", 1)] {
                sums[name, default: 0] += number
            }
            at += count
        }
        return (loss, sums, gradient)
    }

    /// z₀ of a batch with the policy's weights of the step.
    private func divergence(of batch: [UnpairedAnswer], step: Int) -> Double {
        guard config.loss.usesDivergence else { return 0 }
        if let divergence, divergence.step == step { return divergence.value }
        let value = divergence(of: batch)
        divergence = (step, value)
        return value
    }

    private func divergence(of batch: [UnpairedAnswer]) -> Double { max(0, logRatios(of: batch) / Double(max(1, batch.count))) }

    /// The sum of log π/π_ref of mismatched answers.
    private func logRatios(of batch: [UnpairedAnswer]) -> Double {
        let length = { (answer: UnpairedAnswer) in answer.prompt.count + answer.mismatched.count }
        return Packing.parts(batch, tokensPerPass: 2 * config.tokensPerPass, length: length).reduce(0.0) { sum, part in
            let numbers = scorer(TargetPass(prompts: part.map(\.prompt), targets: part.map(\.mismatched))).logProbs.values
            return sum + numbers.reduce(0) { $0 + Double($1) } - part.reduce(0) { $0 + $1.reference.mismatched }
        }
    }

    // MARK: Metrics

    /// The metrics of the steps since the last log line: loss, reference point, margin, rewards and log-probabilities.
    public func metrics(of sums: LossSums) -> [String: Double] {
        values(sums.extra, loss: sums.meanLoss, divergence: (sums.extra["kl"] ?? 0) / sums.weight, prefix: "")
    }

    /// The number of samples seen, and the progress of the run in percent.
    public func progress(step: Int, of total: Int) -> [String: Double] {
        ["total_samples_seen": Double(step * config.batchSize), "percent_progress": 100 * Double(step) / Double(total)]
    }

    /// The metrics of every evaluation set: `<name>_loss`, `<name>_reference_point` (z₀ of the whole set), rewards and
    /// log-probabilities.
    public func evaluate() throws -> [String: Double] { try evaluate(among: LocalCollective()) }

    /// The metrics of every evaluation set. Each rank evaluates a share of each set.
    public func evaluate(among collective: any Collective) throws -> [String: Double] {
        try evaluate(among: collective, reporting: { _ in })
    }

    /// The metrics of every evaluation set, with progress.
    public func evaluate(among collective: any Collective, reporting handler: @escaping TrainingEventHandler) throws -> [String: Double] {
        var all: [String: Double] = [:]
        for (name, set) in evaluations where !set.isEmpty {
            all.merge(try evaluation(of: set, name: name, among: collective, reporting: handler)) { $1 }
        }
        return all
    }

    /// The metrics of a set, prefixed with its name. Each rank evaluates a share of the set.
    /// - Parameters:
    ///   - set: the answers.
    ///   - name: the prefix of the names.
    ///   - collective: the ranks that share the work.
    ///   - handler: receives the progress. Default: none.
    /// - Throws: errors of the handler; ``CollectiveError`` when another rank fails.
    public func evaluation(
        of set: [UnpairedAnswer], name: String, among collective: any Collective,
        reporting handler: @escaping TrainingEventHandler = { _ in }
    ) throws -> [String: Double] {
        var divergence = 0.0
        if config.loss.usesDivergence {
            let sums = try collective.sharing(set, tokens: { $0.prompt.count + $0.mismatched.count }) { logRatios(of: $0) }
            divergence = max(0, sums.reduce(0, +) / Double(max(1, set.count)))
        }
        let parts = try collective.reporting("evaluation of \(name)", set.count, unit: "answer", to: handler) { progress in
            try collective.sharing(set, tokens: \.count) { share in
                try evaluationSums(of: share, in: set, divergence: divergence) {
                    try collective.estimating(share.count, of: set.count, progress, $0, $1)
                }
            }
        }
        let sums = EvaluationSums(of: parts)
        return values(sums.sums, loss: sums.loss, divergence: divergence, prefix: "\(name)_")
    }

    /// The metrics of a set, prefixed with its name.
    public func evaluation(of set: [UnpairedAnswer], name: String) -> [String: Double] {
        let divergence = config.loss.usesDivergence ? divergence(of: set) : 0
        let sums = evaluationSums(of: set, in: set, divergence: divergence) { _, _ in }
        return values(sums.sums, loss: sums.loss, divergence: divergence, prefix: "\(name)_")
    }

    /// The share of some answers in the metrics of a set.
    private func evaluationSums(
        of answers: [UnpairedAnswer], in set: [UnpairedAnswer], divergence: Double, progress: PartProgressHandler
    ) rethrows -> EvaluationSums {
        var (loss, sums) = (0.0, [String: Double]())
        try Packing.forEachPart(of: answers, tokensPerPass: 2 * config.tokensPerPass, length: \.count, progress: progress) { part in
            let pass = TargetPass(prompts: part.map(\.prompt), targets: part.map(\.answer))
            let found = measured(part, scorer(pass).logProbs.values, counts: pass.counts, divergence: divergence, batch: set.count)
            loss += found.loss
            sums.merge(found.sums) { $0 + $1 }
        }
        return EvaluationSums(loss: loss, sums: sums)
    }

    /// Means over the wanted (`chosen`) and the unwanted (`rejected`) answers. A kind without answers has no means.
    private func values(_ sums: [String: Double], loss: Double, divergence: Double, prefix: String) -> [String: Double] {
        var values = ["\(prefix)loss": loss]
        if config.loss.usesDivergence { values["\(prefix)reference_point"] = divergence }
        for kind in ["chosen", "rejected"] {
            guard let count = sums["count_\(kind)"], count > 0 else { continue }
            for name in ["rewards", "logps"] { values["\(prefix)\(name)_\(kind)"] = (sums["\(name)_\(kind)"] ?? 0) / count }
        }
        if let chosen = values["\(prefix)rewards_chosen"], let rejected = values["\(prefix)rewards_rejected"] {
            values["\(prefix)margin"] = chosen - rejected
        }
        return values
    }
}

/// The trainer for direct preference optimisation on single answers.
public typealias UnpairedTrainer = Trainer<UnpairedObjective>

extension Trainer where Method == UnpairedObjective {
    /// Creates a trainer. The answers need the log-probabilities from ``UnpairedReference``.
    /// - Throws: ``TrainingError`` for invalid settings, without answers, or for an answer that does not fit the policy.
    public convenience init(
        _ policy: any TransformerDecoder, config: UnpairedConfig, answers: [UnpairedAnswer],
        evaluations: [(name: String, answers: [UnpairedAnswer])] = [], collective: any Collective = LocalCollective(),
        handler: @escaping TrainingEventHandler = { _ in }
    ) throws {
        let objective = try UnpairedObjective(policy, config: config, evaluations: evaluations)
        guard !answers.isEmpty else { throw TrainingError.noExamples("the set of answers") }
        try objective.check(answers)
        try self.init(objective, config: config.loop, examples: answers, collective: collective, handler: handler)
    }

    /// The policy that is trained.
    public var policy: any TransformerDecoder { objective.policy }
    /// The settings.
    public var config: UnpairedConfig { objective.config }
}

/// Computes a reference model's log-probabilities of single answers, once, before the first step.
public struct UnpairedReference {
    private let reference: any TransformerDecoder
    private let config: UnpairedConfig

    /// The log-probabilities of a reference model.
    public init(_ reference: any TransformerDecoder, config: UnpairedConfig) { (self.reference, self.config) = (reference, config) }

    /// Answers with the reference's log-probabilities of each answer and its mismatched answer.
    ///
    /// Several ranks divide the passes among themselves. All of them get all answers, with the bits of one process.
    /// - Parameters:
    ///   - answers: the answers with their prompts and mismatched answers.
    ///   - collective: the ranks that share the work. Default: this process alone.
    ///   - progress: called with the number of answers done.
    /// - Throws: ``TrainingError/noTokens(_:)`` for a prompt or an answer without tokens; errors of `progress`;
    ///   ``CollectiveError`` when another rank fails.
    public func answers(
        _ answers: [UnpairedAnswer], among collective: any Collective = LocalCollective(), progress: (Int) throws -> Void = { _ in }
    ) throws -> [UnpairedAnswer] {
        for answer in answers where answer.prompt.isEmpty || answer.answer.isEmpty || answer.mismatched.isEmpty {
            throw TrainingError.noTokens("the prompt or the answer of row \(answer.id)")
        }
        let given = answers
        var answers = answers
        let scorer = TokenScorer(decoder: reference, temperature: 1, validTokens: config.validTokens ?? reference.shape.vocabularySize)
        var done = 0
        let length = { (index: Int) in given[index].count + given[index].mismatched.count }
        let parts = Packing.parts(Array(given.indices), tokensPerPass: 2 * config.tokensPerPass, length: length)
        try collective.inRounds(parts) { part -> [Double] in
            // both answers follow one prompt, which is read once
            let both = part.map { config.loss.usesDivergence ? [given[$0].answer, given[$0].mismatched] : [given[$0].answer] }
            let pass = TargetPass(prompts: part.map { given[$0].prompt }, answers: both)
            return scorer.scores(pass).map { $0.logProbs.reduce(0) { $0 + Double($1) } }
        } each: { part, sums in
            var sums = sums[...]
            for index in part {
                answers[index].reference.answer = sums.popFirst() ?? 0
                if config.loss.usesDivergence { answers[index].reference.mismatched = sums.popFirst() ?? 0 }
            }
            done += part.count
            try progress(done)
        }
        return answers
    }
}
