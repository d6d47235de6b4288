import Formats
public import Foundation

/// The package indexes that apt has on this machine: the system's own, or those of a private folder.
public struct AptLists: Codable, Sendable, Equatable {
    /// The folder of a private copy; nil for the system's.
    public var folder: URL?

    /// The lists of a private folder, or the system's.
    public init(folder: URL? = nil) {
        self.folder = folder
    }

    /// Fetches the English descriptions into the system's lists. Container images often switch them off
    /// (`Acquire::Languages "none"`); the option overrides that for this one call. A later `apt-get update` without
    /// it removes them again.
    public static let systemFetchCommand = "sudo apt-get update -o Acquire::Languages=en"

    /// The command that fetches the indexes for this value. A private folder needs no root.
    public var fetchCommand: String {
        folder == nil ? Self.systemFetchCommand : Self.apt("update", options + cacheOptions).joined(separator: " ")
    }

    /// Runs `apt-get update` with the English descriptions. For the system's lists this works only as root.
    /// - Throws: `FormatError.commandFailed`, `FileError.cannotCreate`.
    public func fetch() throws {
        if let folder {
            try Folder.make(folder.appendingPathComponent("partial"))
        }
        let lines = LineReader(try ByteSource(command: Self.apt("update", options + cacheOptions)), limit: 1 << 20)
        while try lines.next() != nil {}
    }

    /// One index file.
    struct Index: Equatable {
        enum Kind: String {
            case packages = "Packages"
            case translations = "Translations"
        }
        var kind: Kind
        var path: String
    }

    /// The `Packages` and English `Translation` indexes that have been fetched, in apt's order.
    /// - Throws: `FormatError.commandFailed` where there is no apt.
    func indexes() throws -> [Index] {
        let format = ["--format", "$(CREATED_BY)\t$(LANGUAGE)\t$(FILENAME)"]
        let lines = LineReader(try ByteSource(command: Self.apt("indextargets", options) + format), limit: 1 << 20)
        var indexes: [Index] = []
        while let line = try lines.next() {
            guard case .text(let bytes) = line else { continue }
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let kind = Index.Kind(rawValue: String(fields[0])) else { continue }
            if kind == .translations && fields[1] != "en" { continue }
            indexes.append(Index(kind: kind, path: String(fields[2])))
        }
        return indexes
    }

    /// The text of an index, whatever its compression.
    static func text(of index: Index) throws -> ByteSource {
        try ByteSource(command: ["/usr/lib/apt/apt-helper", "cat-file", index.path])
    }

    private var options: [String] {
        ["-o", "Acquire::Languages=en"] + (folder.map { ["-o", "Dir::State::lists=\($0.path)"] } ?? [])
    }

    private var cacheOptions: [String] {
        folder.map { ["-o", "Dir::Cache=\($0.appendingPathComponent("cache").path)"] } ?? []
    }

    private static func apt(_ verb: String, _ options: [String]) -> [String] {
        ["/usr/bin/apt-get", verb] + options
    }
}
