public import Data
public import Eval
internal import Tensor

/// The reward that makes a policy do at once what best-of-N of its reference does: (N − 1) log F(r | x), F the distribution function of
/// rewards of the reference's answers to the prompt x (vBoN: Amini et al. 2024).
///
/// With a KL of weight 1 to the reference, the policy that has the most of it is π(y | x) ∝ π_ref(y | x) F(r(y) | x)^(N − 1): that is
/// best-of-N where no two answers have one reward, because the greatest of N rewards is distributed as F^N. Only the order of rewards counts.
///
/// F is estimated from M samples of the prompt as (#{r_i ≤ r} + ½) / (M + 1): an answer below all of them has ½/(M + 1) instead of 0, whose
/// logarithm would be −∞, and one above all of them has not quite 1, for a better one may come.
public struct DistilledBestOfN: TrunkReadingReward {
    /// What the answers are scored with, as the samples were.
    public var reward: any RewardFunction
    /// N.
    public var n: Int
    /// The rewards of the samples of every prompt by its text, ascending.
    private let samples: [String: [Double]]

    /// A reward that compares answers with samples.
    /// - Parameter samples: rows with the prompt's text and a reward; those without a reward do not count.
    public init(_ reward: any RewardFunction, n: Int, samples: [SampleRow]) {
        (self.reward, self.n) = (reward, n)
        self.samples = samples.reduce(into: [:]) { $0[$1.input, default: []] += $1.reward.map { [$0] } ?? [] }
            .filter { !$0.value.isEmpty }.mapValues { $0.sorted() }
    }

    /// How many samples a prompt has.
    public func sampleCount(of prompt: String) -> Int { samples[prompt]?.count ?? 0 }

    /// The estimate of F for a reward among ascending ones.
    public static func probability(of reward: Double, among samples: [Double]) -> Double {
        // the first that is greater
        var (low, high) = (0, samples.count)
        while low < high {
            let middle = (low + high) / 2
            if samples[middle] <= reward { low = middle + 1 } else { high = middle }
        }
        return (Double(low) + 0.5) / Double(samples.count + 1)
    }

    /// - Throws: ``Eval/RewardError/noSamples(prompt:)``; what the reward itself throws.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try distilled(requests, trunk: nil) }

    /// - Throws: as ``rewards(for:)``.
    public func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] { try distilled(requests, trunk: trunk) }

    private func distilled(_ requests: [RewardRequest], trunk: TrunkStates?) throws -> [Double] {
        try zip(requests, reward.checkedRewards(for: requests, offering: trunk)).map { request, reward in
            guard let known = samples[request.query] else { throw RewardError.noSamples(prompt: request.query) }
            return Double(n - 1) * logarithm(Self.probability(of: reward, among: known))
        }
    }
}
