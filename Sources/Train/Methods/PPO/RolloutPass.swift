import Models
package import Tensor

/// One pass over some rollouts. Consecutive responses to one prompt share its rows, so that the prompt is read once.
package struct RolloutPass {
    /// The rows, with the response tokens as targets, in the order of the rollouts.
    package let targets: TargetPass
    private let rollouts: [Rollout]
    /// Ranges of consecutive responses to one prompt; nil if all prompts differ, so that nothing is shared.
    private let runs: [Range<Int>]?

    /// A pass over some rollouts.
    package init(_ rollouts: [Rollout]) {
        self.rollouts = rollouts
        let runs = TokenBatch.runs(ofEqual: rollouts.map(\.prompt))
        guard runs.count < rollouts.count else {
            targets = TargetPass(prompts: rollouts.map(\.prompt), targets: rollouts.map(\.response))
            self.runs = nil
            return
        }
        targets = TargetPass(
            prompts: runs.map { rollouts[$0.lowerBound].prompt }, answers: runs.map { rollouts[$0].map(\.response) })
        self.runs = runs
    }

    /// The states of all rows after the frozen layers; nil if they are not known.
    package func trunk(layers: Int) -> (states: Tensor, layers: Int)? {
        // the last token is predicted, not read
        let texts = rollouts.compactMap { rollout in rollout.trunk?.prefix(rollout.count - 1) }
        guard texts.count == rollouts.count, layers > 0 else { return nil }
        guard let runs else { return (TrunkRows.gathered(texts), layers) }
        // the last token of a prompt predicts the first of each response, so it is read with each response
        let shared = runs.map { rollouts[$0.lowerBound].prompt.count - 1 }
        return (TrunkRows.gathered(texts, sharing: runs, shared: shared), layers)
    }

    /// The number of tokens that a rollout adds to a pass when it follows another rollout.
    package static func tokens(of rollout: Rollout, behind previous: Rollout) -> Int {
        previous.prompt == rollout.prompt ? rollout.response.count + 1 : rollout.count
    }

    /// The rollouts reordered so that responses to one prompt are adjacent. Prompts stay in the order of their first occurrence.
    package static func grouped(_ rollouts: [Rollout]) -> [Rollout] {
        var places: [[Int32]: Int] = [:]
        let prompts = rollouts.map { rollout in
            if let known = places[rollout.prompt] { return known }
            defer { places[rollout.prompt] = places.count }
            return places.count
        }
        guard places.count < rollouts.count else { return rollouts }
        return rollouts.indices.sorted { (prompts[$0], $0) < (prompts[$1], $1) }.map { rollouts[$0] }
    }
}
