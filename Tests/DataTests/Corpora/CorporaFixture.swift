import Data
import Foundation

/// What `Fixtures/corpora/make_corpora.py` says of the sets beside it.
struct CorporaFixture: Decodable {
    struct Post: Decodable { var id, subreddit, title, post, summary: String }
    struct Article: Decodable { var id, article, highlights: String }
    struct Pair: Decodable {
        var id, prompt: String
        var summaries: [String]
        var choice: Int
        var is_news: Bool
    }
    struct Array: Decodable {
        var shape: [Int]
        var numbers: [String]
    }
    struct Words: Decodable {
        var text: String
        var count: Int

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            text = try pair.decode(String.self)
            count = try pair.decode(Int.self)
        }
    }
    var posts: [String: [Post]]
    var prompts: [String: [String]]
    var comparisons: [String: [Pair]]
    var news: [String: [Article]]
    var news_prompts: [String: [String]]
    var structures: [String: [String: [String]]]
    var random: [String: [String: [String]]]
    var index: [String: [Int]]
    var words: [Words]
    var npy: [String: Array]

    static func load() throws -> CorporaFixture {
        try JSONDecoder().decode(CorporaFixture.self, from: Foundation.Data(contentsOf: url("expected.json")))
    }

    static func url(_ path: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Fixtures/corpora").appendingPathComponent(path)
    }
}

/// A row of two texts: what a file holds, with nothing else in the way.
struct Pair: CorpusRow, Equatable {
    var id: String
    var a: String
    var b: String
    var subreddit: String { a }
    var post: String { b }
    static var hasUniqueIDs: Bool { false }

    init(_ record: Record, defaultID: String) throws {
        id = defaultID
        a = try record.text("a")
        b = try record.text("b")
    }
}
