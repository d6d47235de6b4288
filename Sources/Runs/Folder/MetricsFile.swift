internal import Formats
public import Foundation

/// One line of a metrics file: named values at a step.
public struct Measurement: Equatable, Sendable {
    /// The number of completed steps at the time of the measurement.
    public var step: Int
    /// The values by name. NaN and infinities are stored as null and are missing when the file is read.
    public var values: [String: Double]

    /// Creates a measurement.
    public init(step: Int, values: [String: Double]) {
        self.step = step
        self.values = values
    }
}

extension [Measurement] {
    /// The first value of a metric; nil if it was never measured.
    package func first(of name: String) -> Double? { self.first(where: { $0.values[name] != nil })?.values[name] }

    /// The last value of a metric; nil if it was never measured.
    package func last(of name: String) -> Double? { self.last(where: { $0.values[name] != nil })?.values[name] }
}

/// The `metrics.jsonl` file of a run: one JSON object per line, with `step` first and the other names sorted.
///
/// Lines do not depend on the clock, so that a resumed run produces the same bytes as an uninterrupted one.
public final class MetricsFile {
    /// The file's name in a run folder.
    public static var fileName: String { "metrics.jsonl" }

    private let file: AppendOnlyFile

    /// Opens the metrics file of a run, or creates it.
    init(inRun folder: URL) throws {
        file = try AppendOnlyFile(folder.appendingPathComponent(Self.fileName))
    }

    /// Appends one line.
    /// - Throws: `FileError.cannotWrite`; the file is then unchanged.
    public func append(_ measurement: Measurement) throws {
        try file.append(Self.line(measurement) + "\n")
    }

    /// The length in bytes, to be stored in a checkpoint.
    func length() throws -> UInt64 { try file.length() }

    /// The checksum of the whole file, to be stored in a checkpoint.
    func checksum() throws -> String { try file.checksum() }

    /// Checks that the file starts with the lines that a checkpoint recorded.
    func check(length: UInt64, checksum: String?) throws { try file.check(length: length, checksum: checksum) }

    func synchronise() throws { try file.synchronise() }

    /// Removes all lines after the length recorded in a checkpoint.
    /// - Throws: `RunFolderError.shortened`.
    func cut(to length: UInt64) throws { try file.cut(to: length) }

    /// The text of a line. Numbers have the shortest form that round-trips as `Double`; NaN and infinities become null.
    static func line(_ measurement: Measurement) -> String {
        var line = "{\"step\":\(measurement.step)"
        for (name, value) in measurement.values.sorted(by: { $0.key < $1.key }) where name != "step" {
            line += ",\(quoted(name)):\(value.isFinite ? "\(value)" : "null")"
        }
        return line + "}"
    }

    /// Reads a metrics file. An incomplete last line is ignored.
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
                    path: url.path, line: index + 1, problem: "expected a JSON object of numbers with the key \"step\"")
            }
            return Measurement(step: step, values: values.compactMapValues { $0 })
        }
    }

    /// A string as a JSON string literal.
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
