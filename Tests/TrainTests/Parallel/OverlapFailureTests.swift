import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Steps whose gradients travel during the backward pass: parameters that some passes do not use, and what fails on one rank.
@Suite struct OverlapFailureTests {
    /// Σ over examples of the squares of a vector after three layers. A fourth matrix is used by odd examples only, a fifth is watched
    /// but does not reach the loss, and a sixth is not used.
    private final class Layers: Objective {
        let weights: [Parameter]
        /// Called before the loss of a pass, with its examples.
        var before: ([Int]) throws -> Void = { _ in }
        /// Called in the backward pass of the first layer.
        var inBackward: () -> Void = {}

        init() {
            var random = Philox(seed: 3)
            weights = (0..<6).map { Parameter("w\($0)", .normal([4, 4], standardDeviation: 0.5, using: &random)) }
        }

        var stage: String { "layers" }
        var parameters: [Parameter] { weights }
        func id(of example: Int) -> String { "e\(example)" }
        func tokens(of example: Int) -> Int { 3 }
        func loss(of pass: Pass<Int>, on tape: Tape) throws -> PassLoss {
            try before(pass.examples)
            var loss = Tensor(0)
            for example in pass.examples {
                let x = Tensor((0..<4).map { Float(example + $0) / 8 }, shape: [1, 4])
                var y = x.recomputed(on: tape) { [self] x, inner in
                    if inner != nil { inBackward() }
                    return x.linear(weights[0].on(inner))
                }
                for weight in weights[1...2] { y = y.linear(weight.on(tape)).squared() }
                if example % 2 == 1 { y = y.linear(weights[3].on(tape)) }
                loss = loss + y.squared().sum()
            }
            _ = weights[4].on(tape)
            return PassLoss(loss.scaled(by: 1 / Float(pass.batch.count)))
        }
    }

    private static func config(overlaps: Bool = true, skipped: Int = 0) -> LoopConfig {
        configured(LoopConfig()) {
            ($0.maxSteps, $0.batchSize, $0.steps.tokensPerPass, $0.steps.skippedBatches) = (3, 4, 3, skipped)
            $0.steps.optimizer = AdamConfig(learningRate: 0.01)
            $0.steps.optimizer.weightDecay = 0.1
            ($0.steps.exchange.bucket, $0.steps.exchange.overlaps) = (4, overlaps)
        }
    }

    @Test("parameters without a gradient on some ranks or on all", arguments: [2, 3, 5])
    func unused(ranks: Int) throws {
        func trained(_ overlaps: Bool) throws -> [(weights: Weights, inBackground: Int)] {
            try ThreadCollective.run(ranks) { group in
                let (recorded, objective) = (RecordedCollective(group), Layers())
                let before = Weights(objective.weights)
                try Trainer(objective, config: Self.config(overlaps: overlaps), examples: Array(0..<8), collective: recorded).run()
                // weights that no rank has a gradient of do not even decay
                #expect(before.moved(objective.weights) == ["w0", "w1", "w2", "w3"])
                return (Weights(objective.weights), recorded.inBackground)
            }
        }
        let plain = try trained(false)
        for run in try trained(true) {
            #expect(run.inBackground > 0)
            run.weights.expectIdentical(to: plain[0].weights)
        }
    }

    @Test("an objective that throws on one rank ends all before any gradient travels", arguments: [0, 1, 2])
    func objective(broken: Int) throws {
        let results = ThreadCollective.results(3) { group in
            let (recorded, objective) = (RecordedCollective(group), Layers())
            objective.before = { _ in if group.rank == broken { throw DiskFull() } }
            let before = Weights(objective.weights)
            defer {
                #expect(recorded.inBackground == 0 && before.moved(objective.weights).isEmpty)
                #expect(objective.weights.allSatisfy { $0.gradient == nil })
            }
            try Trainer(objective, config: Self.config(), examples: Array(0..<8), collective: recorded).run()
        }
        expectDiskFull(onRank: broken, results)
    }

    @Test("a batch with NaN on one rank is skipped by all, and the next one is not")
    func skipping() throws {
        func trained(_ overlaps: Bool) throws -> [(Weights, EventLog)] {
            try ThreadCollective.run(3) { group in
                let (objective, log) = (Layers(), EventLog())
                objective.before = { examples in
                    if examples.contains(5) { throw TrainingError.notFinite(what: "the loss", step: 1, examples: ["e5"]) }
                }
                try Trainer(
                    objective, config: Self.config(overlaps: overlaps, skipped: 3), examples: Array(0..<8), collective: group,
                    handler: log.handler
                ).run()
                return (Weights(objective.weights), log)
            }
        }
        let plain = try trained(false)
        // of three batches of an order of 8 examples, one or two have example 5
        #expect(!plain[0].1.notes.isEmpty && !plain[0].1.losses.isEmpty)
        for (weights, log) in try trained(true) {
            weights.expectIdentical(to: plain[0].0)
            #expect(log.notes == plain[0].1.notes && log.losses == plain[0].1.losses)
        }
    }

    @Test("a rank that ends during its backward pass ends all", arguments: [2, 3])
    func backward(ranks: Int) throws {
        let results = ThreadCollective.results(ranks) { group in
            let objective = Layers()
            objective.inBackward = { if group.rank == 1 { group.abort("out of memory", status: 70) } }
            // the only pass of a rank is the last one
            let config = configured(Self.config()) { $0.steps.tokensPerPass = 100 }
            try Trainer(objective, config: config, examples: Array(0..<8), collective: group).run()
        }
        for result in results {
            #expect(throws: CollectiveError.rankFailed(rank: 1, message: "out of memory")) { try result.get() }
        }
    }

    @Test("a failed exchange ends all ranks, also of a guarded group", arguments: [false, true])
    func exchange(isGuarded: Bool) throws {
        let results = ThreadCollective.results(2) { group in
            let recorded = RecordedCollective(group, failingAfter: group.rank == 1 ? 3 : nil)
            let used: any Collective = isGuarded ? GuardedCollective(recorded) : recorded
            let objective = Layers()
            defer { #expect(objective.weights.allSatisfy { $0.gradient == nil }) }
            try Trainer(objective, config: Self.config(), examples: Array(0..<8), collective: used).run()
        }
        let error = CollectiveError.broken(rank: 1, message: "no cable")
        #expect(throws: CollectiveError.rankFailed(rank: 1, message: "\(error)")) { try results[0].get() }
        #expect(throws: error) { try results[1].get() }
    }
}
