/// What a judge says to one question, and where it says nothing, why.
public struct JudgeOpinion: Codable, Sendable, Equatable {
    /// How much the text shown first is preferred: 1, 0, 0.5 for a tie, or the weight of its label; nil without an answer.
    public var shareOfFirst: Double?
    /// What the judge wrote.
    public var answer: String?
    /// Why there is no verdict.
    public var omission: JudgeOmission?

    /// A verdict.
    public init(shareOfFirst: Double, answer: String? = nil) {
        self.shareOfFirst = shareOfFirst
        self.answer = answer
    }

    /// No verdict.
    public init(omission: JudgeOmission, answer: String? = nil) {
        self.omission = omission
        self.answer = answer
    }

    /// A verdict, or an answer that has none.
    public init(_ preference: Preference?, answer: String? = nil) {
        self.answer = answer
        shareOfFirst = preference?.shareOfFirst
        omission = preference == nil ? .unreadable : nil
    }

    /// Which text is preferred; nil without an answer.
    public var preference: Preference? {
        shareOfFirst.map { Preference(shareOfFirst: $0) }
    }
}

/// Why a question has no verdict.
public enum JudgeOmission: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    /// The answer names neither text, or both.
    case unreadable
    /// The answer ended at its greatest length, before a verdict.
    case cut
    /// The answer has no text.
    case empty
    /// Neither of the two labels is among the tokens whose log-probabilities came back.
    case noLabel = "no label"
    /// No log-probabilities came back.
    case noLogProbabilities = "no log-probabilities"
    /// What came back is no answer of a chat.
    case malformed
    /// The service does not take the question.
    case rejected
    /// Every attempt failed.
    case failed

    /// Whether the service, not the model behind it, is why.
    package var isOfTheService: Bool {
        switch self {
        case .unreadable, .cut, .empty, .noLabel: false
        case .noLogProbabilities, .malformed, .rejected, .failed: true
        }
    }

    /// Whether the same question may get an answer another time: then its lack says nothing about the two texts.
    package var mayBeMended: Bool { self == .failed || self == .malformed }
}
