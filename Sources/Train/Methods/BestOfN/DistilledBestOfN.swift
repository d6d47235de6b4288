public import Data
public import Eval
internal import Tensor

/// The reward for distilling best-of-N into a policy: (N − 1) log F(r | x), where F is the distribution function of the rewards
/// of the reference's answers to the prompt x (vBoN: Amini et al. 2024).
///
/// With a KL to the reference of weight 1, the optimal policy is π(y | x) ∝ π_ref(y | x) F(r(y) | x)^(N − 1). This is best-of-N
/// if no two answers have the same reward, because the maximum of N rewards has the distribution function F^N. Only the order of
/// rewards matters.
///
/// F is estimated from M samples of the prompt as (#{r_i ≤ r} + ½) / (M + 1). The ½ avoids the logarithm of 0 for an answer below
/// all samples, and keeps the estimate below 1 for an answer above all samples.
public struct DistilledBestOfN: TrunkReadingReward {
    /// The reward function for answers, which also scored the samples.
    public var reward: any RewardFunction
    /// N of the distilled best-of-N.
    public var n: Int
    /// The ascending rewards of the samples of every prompt, by the prompt's text.
    private let samples: [String: [Double]]

    /// A reward that ranks answers among samples.
    /// - Parameters:
    ///   - reward: the reward function for answers, which also scored the samples.
    ///   - n: N of the distilled best-of-N.
    ///   - samples: rows with the prompt's text and a reward. Rows without a reward are ignored.
    public init(_ reward: any RewardFunction, n: Int, samples: [SampleRow]) {
        (self.reward, self.n) = (reward, n)
        self.samples = samples.reduce(into: [:]) { $0[$1.input, default: []] += $1.reward.map { [$0] } ?? [] }
            .filter { !$0.value.isEmpty }.mapValues { $0.sorted() }
    }

    /// Whether the inner reward depends on the other requests of a call.
    public var dependsOnBatch: Bool { reward.dependsOnBatch }

    /// The number of samples of a prompt.
    public func sampleCount(of prompt: String) -> Int { samples[prompt]?.count ?? 0 }

    /// The estimate of F at a reward, from samples in ascending order.
    public static func probability(of reward: Double, among samples: [Double]) -> Double {
        // binary search for the first sample that is greater
        var (low, high) = (0, samples.count)
        while low < high {
            let middle = (low + high) / 2
            if samples[middle] <= reward { low = middle + 1 } else { high = middle }
        }
        return (Double(low) + 0.5) / Double(samples.count + 1)
    }

    /// The distilled rewards of the requests.
    /// - Throws: `RewardError.noSamples`; errors of the inner reward.
    public func rewards(for requests: [RewardRequest]) throws -> [Double] { try distilled(requests, trunk: nil) }

    /// The distilled rewards of the requests, with trunk states of the policy for the inner reward.
    /// - Throws: the errors of ``rewards(for:)``.
    public func rewards(for requests: [RewardRequest], trunk: TrunkStates) throws -> [Double] { try distilled(requests, trunk: trunk) }

    private func distilled(_ requests: [RewardRequest], trunk: TrunkStates?) throws -> [Double] {
        try zip(requests, reward.checkedRewards(for: requests, offering: trunk)).map { request, reward in
            guard let known = samples[request.query] else { throw RewardError.noSamples(prompt: request.query) }
            return Double(n - 1) * logarithm(Self.probability(of: reward, among: known))
        }
    }
}
