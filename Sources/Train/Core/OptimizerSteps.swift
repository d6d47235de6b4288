import Models
import Tensor

/// Takes optimiser steps on the losses of an objective, for any trainer. Each batch is divided into passes of at most
/// `tokensPerPass` tokens, the gradients of the passes are accumulated, and the weights are updated once.
///
/// In a group of several ranks, each rank runs the passes of its share of a batch. Losses and sums are those of the whole batch.
final class OptimizerSteps<Method: Objective> {
    let objective: Method
    let optimizer: Adam
    private let config: StepConfig
    private let dropsOut: Bool
    private let collective: any Collective
    /// The source of the stochastic rounding of gradients. Its stream of a step, a rank, a pass and a parameter is a function of them.
    private let random: Philox
    /// The passes whose gradients the next step accumulates, so far.
    private var passes: UInt64 = 0

    init(_ objective: Method, config: StepConfig, dropsOut: Bool = false, collective: any Collective = LocalCollective()) {
        self.objective = objective
        self.config = config
        self.collective = collective
        random = Philox(seed: config.seed).split("gradients")
        self.dropsOut = dropsOut && objective.hasDropout
        optimizer = Adam(
            objective.parameters, config: config.optimizer, random: Philox(seed: config.seed).split("master weights"),
            collective: collective, exchange: config.exchange)
    }

    /// The number of steps taken.
    var count: Int { optimizer.stepCount }

    /// Accumulates the gradients of a batch's loss.
    /// - Parameters:
    ///   - step: the number of the trainer's step, from 1.
    ///   - scale: a factor on the loss.
    ///   - learningRate: the learning rate of the step if this is its last batch; ``take(learningRate:batch:of:)`` must follow then. In
    ///     the last backward pass, the weights are updated if the settings say so (``AdamConfig/appliesInBackward``), and gradients
    ///     travel to the other ranks.
    ///   - share: the indices of this rank's examples, for an objective without dropout. Default: nil, consecutive examples with
    ///     about as many tokens as those of the other ranks.
    /// - Returns: the reported loss, and the further sums of the passes, of all ranks.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)``; errors of the objective; ``CollectiveError``. If one rank throws,
    ///   all do. After an error the caller must clear the gradients.
    func add(
        _ batch: [Method.Example], of step: Int, scale: Float? = nil, learningRate: Double? = nil, share: [Int]? = nil
    ) throws -> (loss: Double, sums: [String: Double]) {
        let own = share ?? Array(BatchShare.indices(tokens: batch.map(objective.tokens), rank: collective.rank, of: collective.size))
        try objective.prepare(batch, step: step, among: collective)
        let overlaps = learningRate != nil && optimizer.overlapsExchange
        var last: LastPass?
        // gradients may travel only when no rank can fail any more
        var shares = try collective.together { () throws -> PassSums in
            let found = try run(batch, own, of: step, scale: scale, learningRate: learningRate, keepsLast: overlaps)
            last = found.last
            return found.sums
        }[...]
        if overlaps {
            try optimizer.sumGradients(during: last?.tape) {
                last?.backward()
                last = nil
            }
        }
        var all = shares.popFirst() ?? PassSums()
        for share in shares {
            all.loss += share.loss
            all.sums.merge(share.sums) { $0 + $1 }
        }
        return (all.loss, all.sums)
    }

    /// Runs the passes of some examples of a batch. With dropout, they must be consecutive.
    /// - Parameter keepsLast: whether the last backward pass is left to the caller. Nothing can fail in it.
    private func run(
        _ batch: [Method.Example], _ own: [Int], of step: Int, scale: Float?, learningRate: Double?, keepsLast: Bool
    ) throws -> (sums: PassSums, last: LastPass?) {
        var (result, last) = (PassSums(), LastPass?.none)
        var noise = DropoutNoise(seed: config.seed, step: step - 1, isWanted: dropsOut)
        noise.skip(rows: batch[..<(own.first ?? 0)].reduce(0) { $0 + objective.rows(of: $1) })
        let parts = Packing.parts(own, tokensPerPass: config.tokensPerPass) { index, previous in
            previous.map { objective.tokens(of: batch[index], behind: batch[$0]) } ?? objective.tokens(of: batch[index])
        }
        // a step that failed leaves no gradients
        if optimizer.parameters.allSatisfy({ $0.gradient == nil }) { passes = 0 }
        for (number, indices) in parts.enumerated() {
            let isLast = number == parts.count - 1
            let rate = config.optimizer.appliesInBackward && isLast ? learningRate : nil
            let rows = indices.reduce(0) { $0 + objective.rows(of: batch[$1]) }
            let pass = Pass(batch: batch, indices: indices, step: step, dropout: noise.next(rows: rows))
            let finished = finisher(applies: rate != nil, sends: isLast && keepsLast)
            let tape = Tape(recomputingLayers: config.recomputesLayers, finished: finished)
            let found = try objective.loss(of: pass, on: tape)
            guard found.loss.item.isFinite else {
                throw TrainingError.notFinite(what: "the loss", step: step, examples: pass.examples.map(objective.id))
            }
            result.loss += found.shown
            result.sums.merge(found.sums) { $0 + $1 }
            if let rate { optimizer.begin(learningRate: rate) }
            let pending = LastPass(tape: tape, loss: scale.map { found.loss.scaled(by: $0) } ?? found.loss)
            if isLast, keepsLast { last = pending } else { pending.backward() }
        }
        return (result, last)
    }

    /// What happens to a parameter's gradient when a backward pass has added everything to it; nil for nothing.
    private func finisher(applies: Bool, sends: Bool) -> ((Parameter) -> Void)? {
        passes += 1
        let rounds = config.gradientFormat == .bf16
        guard applies || rounds || sends else { return nil }
        let random = random.split(UInt64(count)).split(UInt64(collective.rank)).split(passes)
        return { [optimizer] in
            // rounded also where it is used at once, so that the weights have the bits of a step after the pass
            if rounds { optimizer.roundGradient(of: $0, with: random) }
            if applies { optimizer.apply(to: $0) }
            if sends { optimizer.complete($0) }
        }
    }

    /// Updates the weights with the accumulated gradients of all ranks, and clears the gradients.
    /// - Returns: the global norm of the gradients before clipping.
    /// - Throws: ``TrainingError/notFinite(what:step:examples:)`` before any weight is changed;
    ///   ``TrainingError/notFiniteInBackward(what:step:examples:)``.
    func take(learningRate: Double, batch: [Method.Example], of step: Int) throws -> Double {
        let examples = batch.map(objective.id)
        guard config.optimizer.appliesInBackward else {
            return try optimizer.step(learningRate: learningRate, examples: examples, of: step)
        }
        return try optimizer.finish(learningRate: learningRate, examples: examples, of: step)
    }
}

/// The reported loss and the further sums of a rank's passes.
private struct PassSums: Codable {
    var loss = 0.0
    var sums: [String: Double] = [:]
}

/// A pass whose loss is known, and whose backward pass is to come.
private struct LastPass {
    let tape: Tape
    let loss: Tensor

    func backward() { tape.backward(from: loss) }
}
