import Formats
public import Foundation

/// The apt package indexes on this machine: the system's own, or those in a private folder.
public struct AptLists: Codable, Sendable, Equatable {
    /// The private folder of the lists; nil for the system's lists.
    public var folder: URL?

    /// Creates a value for the lists in a private folder, or for the system's lists.
    public init(folder: URL? = nil) {
        self.folder = folder
    }

    /// The command that fetches the English descriptions into the system's lists. Container images often disable them
    /// (`Acquire::Languages "none"`); the option overrides that for one call. A later `apt-get update` without the
    /// option removes the descriptions again.
    public static let systemFetchCommand = "sudo apt-get update -o Acquire::Languages=en"

    /// The command that fetches these indexes. A private folder does not need root.
    public var fetchCommand: String {
        folder == nil ? Self.systemFetchCommand : Self.apt("update", options + cacheOptions).joined(separator: " ")
    }

    /// Runs `apt-get update` with English descriptions. For the system's lists this requires root.
    /// - Throws: `FormatError.commandFailed`, or `FileError.cannotCreate`.
    public func fetch() throws {
        if let folder {
            try Folder.make(folder.appendingPathComponent("partial"))
        }
        let lines = LineReader(try ByteSource(command: Self.apt("update", options + cacheOptions)), limit: 1 << 20)
        while try lines.next() != nil {}
    }

    /// An index file that apt has fetched.
    struct Index: Equatable {
        enum Kind: String {
            case packages = "Packages"
            case translations = "Translations"
        }
        var kind: Kind
        var path: String
    }

    /// The fetched `Packages` and English `Translation` indexes, in apt's order.
    /// - Throws: `FormatError.commandFailed` if apt is not installed or fails.
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

    /// The text of an index, decompressed.
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
