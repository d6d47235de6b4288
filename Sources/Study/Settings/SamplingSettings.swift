package import Models
import Train

/// How responses are drawn.
public struct SamplingSettings: Settings {
    /// Tokens of a response at most.
    public var maxNewTokens = 48
    /// Divides the logits before a token is drawn.
    public var temperature: Float = 1
    /// Only the k most probable tokens are drawn from; 0, the default, for all (the original: 50 outside of PPO).
    public var topK: Int?
    /// Only the most probable tokens that reach this probability together are drawn from.
    public var topP: Float = 1
    /// Only tokens with at least this share of the most probable token's probability are drawn from; all unless given.
    public var minP: Float?
    /// Whether responses are drawn at random rather than the most probable ones; where evaluations are, only if given.
    public var doSample: Bool?

    /// The defaults.
    public init() {}

    public func validate() throws {
        guard maxNewTokens > 0 else { throw InvalidSetting("--max-new-tokens must be above 0") }
        guard temperature >= 0 else { throw InvalidSetting("--temperature must not be negative") }
        guard topK ?? 0 >= 0 else { throw InvalidSetting("--top-k must not be negative") }
        guard topP > 0, topP <= 1 else { throw InvalidSetting("--top-p must be in (0, 1]") }
        guard (0...1).contains(minP ?? 0) else { throw InvalidSetting("--min-p must be in [0, 1]") }
    }

    /// How responses are drawn.
    /// - Parameters:
    ///   - samples: whether they are drawn at random unless an option says.
    ///   - reference: whether the original's implicit top-k of 50 holds unless an option says.
    package func options(samples: Bool = true, reference: Bool = false) -> SamplingOptions {
        guard doSample ?? samples else { return .greedy(maxNewTokens: maxNewTokens) }
        return SamplingOptions(
            maxNewTokens: maxNewTokens, temperature: temperature, topK: topK ?? (reference ? 50 : 0), topP: topP, minP: minP ?? 0)
    }
}
