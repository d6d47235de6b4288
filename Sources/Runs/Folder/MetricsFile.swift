internal import Formats
public import Foundation

/// One line of a metrics file: numbers by name at a step.
public struct Measurement: Equatable, Sendable {
    /// Steps done when it was measured.
    public var step: Int
    /// A number that was not finite reads back as absent.
    public var values: [String: Double]

    /// Numbers at a step.
    public init(step: Int, values: [String: Double]) {
        self.step = step
        self.values = values
    }
}

extension [Measurement] {
    /// The first value of a metric; nil where it was never measured.
    package func first(of name: String) -> Double? { self.first(where: { $0.values[name] != nil })?.values[name] }

    /// The last value of a metric; nil where it was never measured.
    package func last(of name: String) -> Double? { self.last(where: { $0.values[name] != nil })?.values[name] }
}

/// `metrics.jsonl` of a run: one JSON object per line, `step` first, the other names sorted.
///
/// Lines hold nothing that depends on the clock, so that a resumed run has the bytes of an unbroken one.
public final class MetricsFile {
    /// The file's name in a run folder.
    public static var fileName: String { "metrics.jsonl" }

    private let file: AppendOnlyFile

    /// Opens the file of a run, creating it when it is absent.
    init(inRun folder: URL) throws {
        file = try AppendOnlyFile(folder.appendingPathComponent(Self.fileName))
    }

    /// Appends one line.
    /// - Throws: `FileError.cannotWrite`; no part of the line stays then.
    public func append(_ measurement: Measurement) throws {
        try file.append(Self.line(measurement) + "\n")
    }

    /// The length in bytes, for a checkpoint.
    func length() throws -> UInt64 { try file.length() }

    /// The checksum of all lines, for a checkpoint.
    func checksum() throws -> String { try file.checksum() }

    /// Checks that the lines up to a checkpoint are those that it was written behind.
    func check(length: UInt64, checksum: String?) throws { try file.check(length: length, checksum: checksum) }

    func synchronise() throws { try file.synchronise() }

    /// Drops all lines behind a length that the file had at a checkpoint.
    /// - Throws: `RunFolderError.shortened`.
    func cut(to length: UInt64) throws { try file.cut(to: length) }

    /// The line's text: numbers in the shortest form that reads back as the same `Double`; null where not finite.
    static func line(_ measurement: Measurement) -> String {
        var line = "{\"step\":\(measurement.step)"
        for (name, value) in measurement.values.sorted(by: { $0.key < $1.key }) where name != "step" {
            line += ",\(quoted(name)):\(value.isFinite ? "\(value)" : "null")"
        }
        return line + "}"
    }

    /// Reads a metrics file. A last line that has not been written to its end yet is left out.
    /// - Throws: `FileError.missing` or `.unreadable`; `RunFolderError.badLine`.
    public static func read(inRun folder: URL) throws -> [Measurement] {
        let url = folder.appendingPathComponent(fileName)
        let content = Foundation.Data(try Descriptor.content(of: url.path))
        var lines = content.split(separator: 0x0a, omittingEmptySubsequences: false)
        lines.removeLast()
        let decoder = JSONDecoder()
        return try lines.enumerated().map { index, line in
            guard var values = try? decoder.decode([String: Double?].self, from: line),
                let step = (values.removeValue(forKey: "step") ?? nil).flatMap({ Int(exactly: $0) })
            else {
                throw RunFolderError.badLine(
                    path: url.path, line: index + 1, problem: "expected an object of numbers with \"step\"")
            }
            return Measurement(step: step, values: values.compactMapValues { $0 })
        }
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
