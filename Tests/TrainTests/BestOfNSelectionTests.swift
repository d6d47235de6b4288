import Data
import Eval
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Soft best-of-N, and the reward that distils best-of-N.
@Suite struct BestOfNSelectionTests {
    private func rows(_ rewards: [Double?]) -> [SampleRow] {
        rewards.enumerated().map { SampleRow(id: "p", input: "x", response: "\($0)", reward: $1) }
    }

    @Test("the weights of a soft choice are exp(r / T) over their sum, also where that would overflow")
    func weights() {
        let rewards = [0.5, -1, 2, 2, 0.25]
        for temperature in [0.1, 1, 7] {
            let powers = rewards.map { exp($0 / temperature) }
            let expected = powers.map { $0 / powers.reduce(0, +) }
            expectClose(BestOfNSelection.soft(temperature: temperature).weights(rewards), expected, relative: 1e-12)
        }
        expectClose(BestOfNSelection.soft(temperature: 1).weights([1e30, 0, nil]), [1, 0, 0], relative: 0, absolute: 0)
        // the limits of the temperature
        expectClose(BestOfNSelection.soft(temperature: 1e-9).weights([1, 3, 2]), [0, 1, 0], relative: 0, absolute: 0)
        expectClose(BestOfNSelection.soft(temperature: 1e9).weights([1, 3, 2]), [1.0 / 3, 1.0 / 3, 1.0 / 3], relative: 1e-8)
        expectClose(BestOfNSelection.best.weights([1, 3, 3, nil]), [0, 1, 0, 0], relative: 0, absolute: 0)
        #expect(BestOfNSelection.soft(temperature: 1).weights([]).isEmpty)
    }

    @Test("choices come as often as their weights say, and carry weight and expectation")
    func choices() throws {
        let rows = rows([0, 1, 2.5, -4])
        let selection = BestOfNSelection.soft(temperature: 1.5)
        let weights = selection.weights(rows.map(\.reward))
        let expected = zip(weights, rows).reduce(0) { $0 + $1.0 * ($1.1.reward ?? 0) }
        var (counts, sum) = ([0, 0, 0, 0], 0.0)
        for draw in 0..<4000 {
            let row = try #require(selection.choose(of: rows, using: Philox(seed: 1).split(UInt64(draw))))
            let index = try #require(Int(row.response))
            counts[index] += 1
            sum += row.reward ?? .nan
            #expect(row.numbers["weight"] == weights[index])
            expectClose([row.numbers["expected_reward"] ?? .nan], [expected], relative: 1e-12)
        }
        for (count, weight) in zip(counts, weights) { #expect(abs(Double(count) / 4000 - weight) < 0.03) }
        #expect(abs(sum / 4000 - expected) < 0.08)
        // the same stream gives the same choice; the best has no numbers of its own
        #expect(
            selection.choose(of: rows, using: Philox(seed: 9)) == selection.choose(of: rows, using: Philox(seed: 9)))
        #expect(BestOfNSelection.best.choose(of: rows, using: Philox(seed: 9)) == rows[2])
        #expect(selection.choose(of: [], using: Philox(seed: 9)) == nil)
    }

    @Test("expected rewards and bounds of the KL for the first n rows, for every n", arguments: [0.02, 0.5, 3])
    func curves(temperature: Double) {
        var random = Philox(seed: 4)
        let rows = rows((0..<40).map { _ in Double(random.normal()) * 3 })
        let selection = BestOfNSelection.soft(temperature: temperature)
        for (place, (reward, bound)) in zip(selection.expectedRewards(rows), selection.klBounds(rows)).enumerated() {
            let first = rows[...place]
            let weights = selection.weights(first.map(\.reward))
            expectClose([reward], [zip(weights, first).reduce(0) { $0 + $1.0 * ($1.1.reward ?? 0) }], relative: 1e-9, absolute: 1e-9)
            let divergence = weights.reduce(0) { $0 + ($1 > 0 ? $1 * log($1 * Double(place + 1)) : 0) }
            expectClose([bound], [divergence], relative: 1e-9, absolute: 1e-9)
            #expect(bound >= 0 && bound <= log(Double(place + 1)) + 1e-12)
        }
        #expect(BestOfNSelection.best.expectedRewards(rows) == BestOfN.bestRewards(rows))
        #expect(BestOfNSelection.best.klBounds(rows) == (1...40).map(BestOfN.kl(n:)))
    }

    @Test("the bound holds: no choice among n of a few answers is farther from their distribution")
    func bound() {
        // three answers with probabilities and rewards: all triples of draws, and what a soft choice among them gives
        let (chances, rewards) = ([0.2, 0.5, 0.3], [2.0, 0, 1])
        for temperature in [0.2, 1, 4] {
            let selection = BestOfNSelection.soft(temperature: temperature)
            var (chosen, bound) = ([0.0, 0, 0], 0.0)
            for code in 0..<27 {
                let draws = [code % 3, code / 3 % 3, code / 9]
                let chance = draws.reduce(1) { $0 * chances[$1] }
                let weights = selection.weights(draws.map { rewards[$0] })
                for (draw, weight) in zip(draws, weights) { chosen[draw] += chance * weight }
                bound += chance * (selection.klBounds(rows(draws.map { rewards[$0] })).last ?? 0)
            }
            let divergence = zip(chosen, chances).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
            #expect(divergence > 0 && divergence <= bound)
        }
    }

    // MARK: Distillation

    /// A reward that reads the number that an answer is.
    private let number = ClosureReward.each { _, response, _ in Double(response) ?? 0 }

    private func requests(_ answers: [Double], to prompt: String = "x") -> [RewardRequest] {
        answers.map { RewardRequest(query: prompt, response: "\($0)") }
    }

    @Test("the estimate of F is (#{≤ r} + ½) / (M + 1): never 0, never 1, and every prompt has its own samples")
    func estimate() throws {
        let samples =
            [3, 1, 2, 2].map { SampleRow(id: "a", input: "x", response: "", reward: $0) }
            + [SampleRow(id: "b", input: "y", response: "", reward: 10), SampleRow(id: "b", input: "y", response: "")]
        let reward = DistilledBestOfN(number, n: 5, samples: samples)
        #expect(reward.sampleCount(of: "x") == 4 && reward.sampleCount(of: "y") == 1 && reward.sampleCount(of: "z") == 0)
        let found = try reward.rewards(for: requests([0, 1, 1.5, 2, 3, 99]) + requests([9, 10], to: "y"))
        expectClose(found, [0.5, 1.5, 1.5, 3.5, 4.5, 4.5].map { 4 * log($0 / 5) } + [0.5, 1.5].map { 4 * log($0 / 2) }, relative: 1e-12)
        #expect(found.allSatisfy { $0.isFinite && $0 < 0 })
        #expect(throws: RewardError.noSamples(prompt: "z")) { try reward.rewards(for: requests([1], to: "z")) }
        // only the order of rewards counts
        let squared = ClosureReward.each { _, response, _ in pow(Double(response) ?? 0, 3) + 7 }
        let moved = samples.map { row in
            var row = row
            row.reward = row.reward.map { pow($0, 3) + 7 }
            return row
        }
        let others = try DistilledBestOfN(squared, n: 5, samples: moved).rewards(for: requests([0, 1, 1.5, 2, 3, 99]))
        #expect(others == Array(found.prefix(6)))
    }

    @Test("the best policy for the reward and a KL of weight 1 is the reference times F^(N − 1), which is best-of-N")
    func optimum() throws {
        // many answers, none of them frequent, each with a reward of its own
        let count = 400
        var random = Philox(seed: 2)
        let raw = (0..<count).map { _ in Double(random.uniform()) + 0.5 }
        let reference = raw.map { $0 / raw.reduce(0, +) }
        // a sample of the reference in which every answer comes as often as it should
        let samples = reference.enumerated().flatMap { index, chance in
            Array(
                repeating: SampleRow(id: "a", input: "x", response: "", reward: Double(index)),
                count: Int((chance * 40_000).rounded()))
        }
        for n in [2, 4, 16] {
            let reward = DistilledBestOfN(number, n: n, samples: samples)
            let rewards = try reward.rewards(for: requests((0..<count).map(Double.init)))
            // the closed form, from the distribution function itself
            var sum = 0.0
            let distribution = reference.map { chance in
                sum += chance
                return sum
            }
            let powers = zip(reference, distribution).map { $0 * pow($1, Double(n - 1)) }
            let closed = powers.map { $0 / powers.reduce(0, +) }
            // gradient ascent of E[reward] − KL over a softmax, from the reference
            var logits = reference.map { log($0) }
            var policy = reference
            for _ in 0..<400 {
                let gains = policy.indices.map { rewards[$0] - log(policy[$0] / reference[$0]) }
                let mean = zip(policy, gains).reduce(0) { $0 + $1.0 * $1.1 }
                // a natural gradient, which comes to the optimum wherever it begins
                for index in logits.indices { logits[index] += 0.1 * (gains[index] - mean) }
                let greatest = logits.max() ?? 0
                let exponentials = logits.map { exp($0 - greatest) }
                policy = exponentials.map { $0 / exponentials.reduce(0, +) }
            }
            expectClose(policy, closed, relative: 0, absolute: 5e-4)
            // and best-of-N: the chance that the greatest of n is this one
            let best = distribution.indices.map { pow(distribution[$0], Double(n)) - ($0 > 0 ? pow(distribution[$0 - 1], Double(n)) : 0) }
            let distance = zip(policy, best).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
            #expect(distance < 0.02, "total variation \(distance) for N = \(n)")
        }
    }

    @Test("a reward that reads states of the trunk still gets them")
    func trunk() throws {
        struct Reader: TrunkReadingReward {
            func rewards(for requests: [RewardRequest]) -> [Double] { requests.map { _ in 0 } }
            func rewards(for requests: [RewardRequest], trunk: TrunkStates) -> [Double] { requests.map { _ in 1 } }
        }
        let reward: any RewardFunction = DistilledBestOfN(
            Reader(), n: 3, samples: [0.5, 2].map { SampleRow(id: "a", input: "x", response: "", reward: $0) })
        let states = TrunkStates([], layers: 1)
        expectClose(try reward.rewards(for: requests([4]), offering: states), [2 * log(1.5 / 3)], relative: 1e-12)
        expectClose(try reward.rewards(for: requests([4]), offering: nil), [2 * log(0.5 / 3)], relative: 1e-12)
    }
}
