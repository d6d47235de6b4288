import Data
import Eval
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Where the states behind the frozen layers lie, and who gets to see them.
@Suite struct TrunkRowsTests {
    private func trainer(_ reward: any RewardFunction) throws -> PPOTrainer {
        try PPOTrainerTests.Setup(PPOTrainerTests().config(1), reward: reward).trainer
    }

    @Test("all rollouts of a step share the states that generation wrote, and so do the copies that passes learn from")
    func stayWhereTheyAre() throws {
        let trainer = try trainer(TokenShare(token: 7))
        #expect(trainer.sharedTrunkLayers == 2)
        let responses = try trainer.sample(ToyData.prompts(8))
        var rollouts = trainer.rollouts(of: responses, scores: responses.map { _ in 1 })
        let drawn = try #require(responses.first?.drawn.trunk)
        func expectInPlace(_ rollouts: [Rollout]) throws {
            for (rollout, response) in zip(rollouts, responses) {
                let trunk = try #require(rollout.trunk)
                #expect(trunk.states.sharesMemory(with: drawn.states) && trunk.rows == response.drawn.trunk?.rows)
            }
        }
        try expectInPlace(rollouts)
        trainer.addReferenceLogProbs(to: &rollouts)
        trainer.addRewards(to: &rollouts)
        trainer.addAdvantages(to: &rollouts)
        try expectInPlace(trainer.prepared(rollouts))

        // the rows of two texts do not overlap, and are those of a pass over the text
        let rows = responses.compactMap(\.drawn.trunk?.rows)
        #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        for rollout in rollouts {
            let text = rollout.prompt + rollout.response
            let expected = trainer.policy.run(TokenBatch([text]), layers: 0..<2)
            expectClose(try #require(rollout.trunk).prefix(text.count).tensor, expected, relative: 1e-5, absolute: 1e-5)
        }
    }

    @Test("gathered rows are those of the texts, in any order and from several matrices")
    func gathered() {
        let a = Tensor((0..<12).map(Float.init), shape: [6, 2])
        let b = Tensor((0..<4).map { Float(100 + $0) }, shape: [2, 2])
        let texts = [TrunkRows(a, rows: 3..<5), TrunkRows(b, rows: 0..<2).prefix(1), TrunkRows(a, rows: 0..<1)]
        #expect(TrunkRows.gathered(texts).values == [6, 7, 8, 9, 100, 101, 0, 1])
        #expect(texts[0].prefix(1).tensor.values == [6, 7])
        #expect(TrunkRows.gathered([TrunkRows(a, rows: 2..<2), texts[2]]).values == [0, 1])
    }

    /// Counts in which way it was asked.
    private final class Asked: TrunkReadingReward {
        var withStates: [TrunkStates] = []
        var without = 0
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            without += 1
            return requests.map { _ in 1 }
        }
        func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] {
            withStates.append(trunk)
            return requests.map { _ in 1 }
        }
    }

    /// A reward of texts: all that there is of a request are texts and tokens.
    private final class Plain: RewardFunction {
        var seen: Set<String> = []
        func rewards(for requests: [RewardRequest]) throws -> [Double] {
            for request in requests { seen.formUnion(Mirror(reflecting: request).children.compactMap(\.label)) }
            return requests.map { _ in 1 }
        }
    }

    @Test("states go to the reward that reads them, in rollouts alone; others see texts and tokens")
    func onlyOnRequest() throws {
        let asked = Asked()
        let trainer = try trainer(asked)
        try trainer.run()
        // one step of eight responses; the evaluations before and behind it have no states
        #expect(asked.withStates.map(\.texts.count) == [8] && asked.withStates.map(\.layers) == [2])
        #expect(asked.without == 2)

        let plain = Plain()
        try self.trainer(plain).run()
        #expect(plain.seen == ["query", "response", "reference", "messages", "promptTokens", "responseTokens"])
    }

    @Test("a sum hands states on to the parts that read them, and to no others")
    func sums() throws {
        let (asked, plain) = (Asked(), Plain())
        try trainer(WeightedReward([(1, plain), (2, asked)])).run()
        #expect(asked.withStates.count == 1 && asked.without == 2 && plain.seen.count == 6)
    }

    @Test("nothing is shared where no layer is frozen, and then a reward is asked without states")
    func nothingFrozen() throws {
        let asked = Asked()
        let setup = try PPOTrainerTests.Setup(PPOTrainerTests().config(1) { $0.freezing = Freezing(fraction: 0) }, reward: asked)
        #expect(setup.trainer.sharedTrunkLayers == 0)
        try setup.trainer.run()
        #expect(asked.withStates.isEmpty && asked.without == 3)
        #expect(try setup.trainer.sample(ToyData.prompts(2)).allSatisfy { $0.drawn.trunk == nil })
    }
}
