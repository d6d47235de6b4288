import Formats
public import Foundation

/// The data sets of the original, and the folders that `Docs/data.md` exports them to.
public enum PublishedSet: String, Sendable, CaseIterable {
    /// Reddit posts with summaries: `id, subreddit, title, post, summary`.
    case posts = "openai-tldr-filtered"
    /// A larger set of the same posts to use as prompts.
    case queries = "openai-tldr-filtered-queries"
    /// Comparisons of two summaries of a post.
    case preferences = "openai-tldr-summarisation-preferences"
    /// News: `id, article, highlights`.
    case news = "cnn_dailymail"
    /// Comparisons of which some are about news: those with `cnndm` in `batch`.
    case feedback = "summarize_from_feedback"

    /// The set's folder in a folder of all sets.
    /// - Throws: `FormatError.unreadable` if it is not there, with what to do.
    public func folder(in parent: URL) throws -> URL {
        let folder = parent.appendingPathComponent(rawValue, isDirectory: true)
        guard try DataFolder.isFolder(folder) else {
            throw FormatError.unreadable(
                path: folder.path,
                reason:
                    "there is no such folder; it should hold the exported set, one file for each split (Docs/data.md says how)"
            )
        }
        return folder
    }
}

/// Which comparisons of a set are used, by their `batch`.
public enum BatchFilter: Sendable, Equatable {
    /// Every comparison.
    case any
    /// Those whose batch contains a text: `cnndm` for comparisons about news.
    case containing(String)
    /// All others.
    case excluding(String)

    /// `any`, a text that the batch must contain, or `!` and one that it must not.
    public init(name: String) {
        self = name == "any" ? .any : name.hasPrefix("!") ? .excluding(String(name.dropFirst())) : .containing(name)
    }

    /// A comparison without a batch contains nothing.
    public func accepts(_ comparison: Comparison) -> Bool {
        switch self {
        case .any: true
        case .containing(let text): comparison.batch?.contains(text) ?? false
        case .excluding(let text): !(comparison.batch?.contains(text) ?? false)
        }
    }
}
