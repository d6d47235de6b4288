public import Foundation

/// A folder of a test's own, removed with all that is in it at the end.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let url: URL

    /// Makes a new folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("swift-rlhf-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// A path inside the folder.
    public subscript(_ path: String) -> URL { url.appendingPathComponent(path) }

    /// Everything in the folder, hidden files too.
    public var names: [String] { Self.names(in: url) }

    /// Everything in a folder, hidden files too; nothing when there is none.
    public static func names(in url: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
    }
}

/// Gives `body` a folder of its own, which is removed afterwards.
public func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = try TemporaryFolder()
    return try withExtendedLifetime(folder) { try body(folder.url) }
}

/// The text of a file; empty when there is none.
public func text(of url: URL) -> String {
    (try? String(contentsOf: url, encoding: .utf8)) ?? ""
}
