internal import Formats
public import Foundation

/// Everything that a run depends on, as it stands in `config.json` of the run folder.
///
/// `options` are the resolved options of the program under their snake_case names, the seed among them, so that
/// `--config runs/x/config.json` repeats the run. Neither times nor anything of the environment is stored: the same
/// command always gives the same file.
public struct RunConfiguration: Codable, Equatable, Sendable {
    /// The file's name in a run folder.
    public static var fileName: String { "config.json" }
    /// What stands in the file.
    package static var keys: [String] { ["stage", "program", "versions", "options", "files"] }

    /// What the run does.
    public var stage: RunStage
    /// The name of the program, as typed.
    public var program: String
    /// What took part, by name: this package, and libraries that can change the last bits of a result.
    public var versions: [String: String]
    /// The options' values; an option without a value is absent.
    public var options: [String: OptionValue]
    /// Checksums of files whose text the run depends on beside their names, by the option that names them, or, where it names several, by
    /// the option and the name; nil for none.
    public var files: [String: String]?

    /// A configuration; this package's version is always part of it.
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

    /// What stands for the text of a file in ``files``.
    package static func checksum(of bytes: [UInt8]) -> String {
        var checksum = CRC64()
        checksum.update(bytes)
        return checksum.digits
    }

    /// Reads `config.json` of a run folder.
    /// - Returns: nil when the folder has no such file.
    /// - Throws: `RunFolderError.notARunFolder` when the file is of another kind (a model folder has one, too);
    ///   `FileError.unreadable` or `.notAFile` with its name and the reason.
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

    /// Writes `config.json`, indented and with sorted keys.
    /// - Throws: `FileError`.
    public func write(inRun folder: URL) throws {
        try AtomicFile.write(description + "\n", to: folder.appendingPathComponent(Self.fileName))
    }

    /// One line for each option that differs, for people: "seed: 1 there, 2 here". So does one that names the same file with another text,
    /// if both say what it was.
    public func differences(from earlier: RunConfiguration) -> [String] {
        let named: [String] = Set(options.keys).union(earlier.options.keys).sorted().compactMap { name in
            let (before, now) = (earlier.options[name] ?? .null, options[name] ?? .null)
            guard before == now else { return "\(name): \(before.shown) there, \(now.shown) here" }
            guard let text = files?[name], let earlierText = earlier.files?[name], text != earlierText else { return nil }
            return "\(name): the text of \(now.shown) was another one"
        }
        // one of several files of an option
        let others = (files ?? [:]).sorted { $0.key < $1.key }.filter { options[$0.key] == nil }
        return named
            + others.compactMap { name, text in
                guard let earlierText = earlier.files?[name], text != earlierText, let space = name.firstIndex(of: " ") else { return nil }
                return "\(name[..<space]): the text of \(name[name.index(after: space)...]) was another one"
            }
    }
}

extension RunConfiguration: CustomStringConvertible {
    /// The file's text.
    public var description: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Only a number that is not finite cannot be encoded, and options are never that.
        guard let content = try? encoder.encode(self) else { return "{}" }
        return String(decoding: content, as: UTF8.self)
    }
}
