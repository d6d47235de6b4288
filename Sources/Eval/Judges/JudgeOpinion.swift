/// A judge's opinion on one question: a verdict, or the reason why there is none.
public struct JudgeOpinion: Codable, Sendable, Equatable {
    /// How much the text shown first is preferred: 1, 0, 0.5 for a tie, or the relative weight of its label; nil without a
    /// verdict.
    public var shareOfFirst: Double?
    /// The text that the judge wrote; nil if there is none.
    public var answer: String?
    /// Why there is no verdict; nil if there is one.
    public var omission: JudgeOmission?

    /// An opinion with a verdict.
    public init(shareOfFirst: Double, answer: String? = nil) {
        self.shareOfFirst = shareOfFirst
        self.answer = answer
    }

    /// An opinion without a verdict.
    public init(omission: JudgeOmission, answer: String? = nil) {
        self.omission = omission
        self.answer = answer
    }

    /// An opinion with the given preference, or one without a readable verdict if it is nil.
    public init(_ preference: Preference?, answer: String? = nil) {
        self.answer = answer
        shareOfFirst = preference?.shareOfFirst
        omission = preference == nil ? .unreadable : nil
    }

    /// The preferred text; nil without a verdict.
    public var preference: Preference? {
        shareOfFirst.map { Preference(shareOfFirst: $0) }
    }
}

/// Why a question has no verdict.
public enum JudgeOmission: String, Codable, CodingKeyRepresentable, Sendable, CaseIterable {
    /// The answer contains no recognisable verdict, or contradictory ones.
    case unreadable
    /// The answer was truncated at its maximum length before a verdict.
    case cut
    /// The answer has no text.
    case empty
    /// None of the tokens with returned log-probabilities is one of the two labels.
    case noLabel = "no label"
    /// The service returned no log-probabilities.
    case noLogProbabilities = "no log-probabilities"
    /// The response is not a valid chat completion.
    case malformed
    /// The service rejected the question.
    case rejected
    /// All attempts failed.
    case failed

    /// Whether the cause is the service rather than the model behind it.
    package var isOfTheService: Bool {
        switch self {
        case .unreadable, .cut, .empty, .noLabel: false
        case .noLogProbabilities, .malformed, .rejected, .failed: true
        }
    }

    /// Whether asking the same question again may succeed, so that the missing verdict says nothing about the two texts.
    package var mayBeMended: Bool { self == .failed || self == .malformed }
}
