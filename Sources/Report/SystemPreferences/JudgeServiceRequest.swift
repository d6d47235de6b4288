public import Eval

/// The data for creating a judge that asks an HTTP service.
public struct JudgeServiceRequest {
    /// The address of the service's chat completions.
    public var url: String
    /// The questions, and how verdicts are read from answers.
    public var chat: JudgeChat
    /// The cache of answers.
    public var cache: JudgeCache
    /// The settings of the judge, including those of the connection.
    public var settings: JudgeSettings
    /// Whether an API key is required: if the name of its environment variable was set explicitly.
    public var needsKey: Bool { settings.judgeKeyVariable != JudgeSettings().judgeKeyVariable }
    /// The prices of a million tokens of prompts and of answers; nil if neither is set.
    public var prices: (prompt: Double, completion: Double)? {
        guard settings.judgePriceIn != nil || settings.judgePriceOut != nil else { return nil }
        return (settings.judgePriceIn ?? 0, settings.judgePriceOut ?? 0)
    }
}
