package import Models
import Train

/// Settings of response sampling.
public struct SamplingSettings: Settings {
    /// The maximum number of tokens of a response.
    public var maxNewTokens = 48
    /// The sampling temperature, by which logits are divided.
    public var temperature: Float = 1
    /// Only the k most probable tokens are sampled from; 0 means all. Default: 0 (the original code: 50 outside of PPO).
    public var topK: Int?
    /// Only the most probable tokens whose probabilities add up to this number are sampled from (nucleus sampling).
    public var topP: Float = 1
    /// Only tokens with at least this share of the most probable token's probability are sampled from. Default: all.
    public var minP: Float?
    /// Whether responses are sampled rather than decoded greedily. Default: true, but false in evaluations.
    public var doSample: Bool?
    /// The maximum number of responses that are sampled at the same time. Their keys and values take memory. Default: 64;
    /// 128 for best-of-N and simulated preferences.
    public var maxActiveResponses: Int?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard maxNewTokens > 0 else { throw InvalidSetting("--max-new-tokens must be above 0") }
        guard temperature >= 0 else { throw InvalidSetting("--temperature must not be negative") }
        guard topK ?? 0 >= 0 else { throw InvalidSetting("--top-k must not be negative") }
        guard topP > 0, topP <= 1 else { throw InvalidSetting("--top-p must be in (0, 1]") }
        guard maxActiveResponses ?? 1 > 0 else { throw InvalidSetting("--max-active-responses must be above 0") }
        guard (0...1).contains(minP ?? 0) else { throw InvalidSetting("--min-p must be in [0, 1]") }
    }

    /// The maximum number of responses that are sampled at the same time.
    /// - Parameter isBulk: whether the default is that of best-of-N and simulated preferences.
    package func maxActive(isBulk: Bool = false) -> Int { maxActiveResponses ?? (isBulk ? 128 : Generator.defaultMaxActive) }

    /// The options for the sampler.
    /// - Parameters:
    ///   - samples: the default of `doSample`.
    ///   - reference: whether the default of `topK` is the original code's 50.
    package func options(samples: Bool = true, reference: Bool = false) -> SamplingOptions {
        guard doSample ?? samples else { return .greedy(maxNewTokens: maxNewTokens) }
        return SamplingOptions(
            maxNewTokens: maxNewTokens, temperature: temperature, topK: topK ?? (reference ? 50 : 0), topP: topP, minP: minP ?? 0)
    }
}
