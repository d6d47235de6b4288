import Formats
public import Foundation

/// The published data sets, and the names of the folders that `Docs/data.md` exports them to.
public enum PublishedSet: String, Sendable, CaseIterable {
    /// Reddit posts with summaries: `id, subreddit, title, post, summary`.
    case posts = "openai-tldr-filtered"
    /// A larger set of such posts, used as prompts.
    case queries = "openai-tldr-filtered-queries"
    /// Comparisons of two summaries of a post.
    case preferences = "openai-tldr-summarisation-preferences"
    /// News articles with summaries: `id, article, highlights`.
    case news = "cnn_dailymail"
    /// Comparisons of summaries, some of them of news articles: those with `cnndm` in `batch`.
    case feedback = "summarize_from_feedback"

    /// The set's folder, given the parent folder of all sets.
    /// - Throws: `FormatError.unreadable` if the folder is missing; the message says what to do.
    public func folder(in parent: URL) throws -> URL {
        let folder = parent.appendingPathComponent(rawValue, isDirectory: true)
        guard try DataFolder.isFolder(folder) else {
            throw FormatError.unreadable(
                path: folder.path,
                reason:
                    "the folder does not exist; export the data set into it, one file per split, as described in Docs/data.md"
            )
        }
        return folder
    }
}

/// Selects comparisons of a set by their `batch`.
public enum BatchFilter: Sendable, Equatable {
    /// All comparisons.
    case any
    /// Comparisons whose batch contains a text, such as `cnndm` for comparisons about news.
    case containing(String)
    /// Comparisons whose batch does not contain a text.
    case excluding(String)

    /// Parses `any`, a text that the batch must contain, or `!` followed by a text that it must not contain.
    public init(name: String) {
        self = name == "any" ? .any : name.hasPrefix("!") ? .excluding(String(name.dropFirst())) : .containing(name)
    }

    /// Whether the filter accepts a comparison. A missing batch contains no text.
    public func accepts(_ comparison: Comparison) -> Bool {
        switch self {
        case .any: true
        case .containing(let text): comparison.batch?.contains(text) ?? false
        case .excluding(let text): !(comparison.batch?.contains(text) ?? false)
        }
    }
}
