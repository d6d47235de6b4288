internal import Formats
public import Foundation

/// The complete configuration of a run, stored as `config.json` in the run folder.
///
/// `options` are the program's resolved options by snake_case name, including the seed, so that `--config runs/x/config.json`
/// repeats the run. Neither times nor environment variables are stored: a command always produces the same file.
public struct RunConfiguration: Codable, Equatable, Sendable {
    /// The file's name in a run folder.
    public static var fileName: String { "config.json" }
    /// The keys of the file.
    package static var keys: [String] { ["stage", "program", "versions", "options", "files"] }

    /// The stage of the run.
    public var stage: RunStage
    /// The name of the program as typed.
    public var program: String
    /// The versions of this package and of libraries that can change the last bits of a result, by name.
    public var versions: [String: String]
    /// The values of the options. Options without a value are missing.
    public var options: [String: OptionValue]
    /// Checksums of files on whose content the run depends. The key is the name of the option that names the file or, if the
    /// option names several files, the option and the file name. Nil if there are none.
    public var files: [String: String]?

    /// Creates a configuration. It always includes this package's version.
    public init(
        stage: RunStage, program: String, options: [String: OptionValue],
        versions: [String: String] = ["swift-rlhf": PackageVersion.current], files: [String: String]? = nil
    ) {
        self.stage = stage
        self.program = program
        self.options = options
        self.versions = versions
        self.files = files
    }

    /// The checksum of a file's content for ``files``.
    package static func checksum(of bytes: [UInt8]) -> String {
        var checksum = CRC64()
        checksum.update(bytes)
        return checksum.digits
    }

    /// Reads `config.json` of a run folder.
    /// - Returns: Nil if the folder has no such file.
    /// - Throws: `RunFolderError.notARunFolder` if the file is not a run's configuration (model folders have a `config.json`
    ///   too); `FileError.unreadable` or `.notAFile`.
    public static func read(inRun folder: URL) throws -> RunConfiguration? {
        let file = folder.appendingPathComponent(fileName)
        let content: [UInt8]
        do {
            content = try Descriptor.content(of: file.path, limit: 16 << 20)
        } catch FileError.missing {
            return nil
        }
        do {
            return try JSONDecoder().decode(RunConfiguration.self, from: Foundation.Data(content))
        } catch {
            throw RunFolderError.notARunFolder(path: folder.path)
        }
    }

    /// Writes `config.json` atomically, indented and with sorted keys.
    /// - Throws: `FileError`.
    public func write(inRun folder: URL) throws {
        try AtomicFile.write(description + "\n", to: folder.appendingPathComponent(Self.fileName))
    }

    /// One line for each option that differs from an earlier configuration, such as "seed: 1 in the run, 2 now". An option that names
    /// the same file with different content also counts, if both configurations have its checksum.
    public func differences(from earlier: RunConfiguration) -> [String] {
        let named: [String] = Set(options.keys).union(earlier.options.keys).sorted().compactMap { name in
            let (before, now) = (earlier.options[name] ?? .null, options[name] ?? .null)
            guard before == now else { return "\(name): \(before.shown) in the run, \(now.shown) now" }
            guard let text = files?[name], let earlierText = earlier.files?[name], text != earlierText else { return nil }
            return "\(name): the content of \(now.shown) has changed"
        }
        // one of several files named by an option
        let others = (files ?? [:]).sorted { $0.key < $1.key }.filter { options[$0.key] == nil }
        return named
            + others.compactMap { name, text in
                guard let earlierText = earlier.files?[name], text != earlierText, let space = name.firstIndex(of: " ") else { return nil }
                return "\(name[..<space]): the content of \(name[name.index(after: space)...]) has changed"
            }
    }
}

extension RunConfiguration: CustomStringConvertible {
    /// The text of the file.
    public var description: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Encoding fails only for NaN or Inf, which options never are.
        guard let content = try? encoder.encode(self) else { return "{}" }
        return String(decoding: content, as: UTF8.self)
    }
}
