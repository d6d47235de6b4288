public import Eval

/// What a judge behind HTTP is made of: the address, what is asked, and how.
public struct JudgeServiceRequest {
    /// The address of the chat.
    public var url: String
    /// What is asked, and how answers are read.
    public var chat: JudgeChat
    /// Keeps answers.
    public var cache: JudgeCache
    /// The settings; those of the connection are not used yet.
    public var settings: JudgeSettings
    /// Whether a key must be there.
    public var needsKey: Bool { settings.judgeKeyVariable != JudgeSettings().judgeKeyVariable }
    /// The price of a million tokens of prompts and of answers, where one of them is known.
    public var prices: (prompt: Double, completion: Double)? {
        guard settings.judgePriceIn != nil || settings.judgePriceOut != nil else { return nil }
        return (settings.judgePriceIn ?? 0, settings.judgePriceOut ?? 0)
    }
}
