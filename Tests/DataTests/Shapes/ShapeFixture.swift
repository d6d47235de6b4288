import Data
import Formats
import Foundation

/// What `Fixtures/row-shapes/make_shapes.py` says that TRL makes of rows.
enum ShapeFixture {
    /// The cases of one list.
    static func cases(_ name: String) throws -> [JSONValue] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/row-shapes/shapes.json")
        let value = try JSONValue(parsing: [UInt8](Foundation.Data(contentsOf: file)), file: file.path)
        return value[name]?.array ?? []
    }

    /// The rows of a file of lines, read as those of one of some shapes.
    static func read<Row: CorpusRow>(
        _ type: Row.Type, _ lines: [String], name: String = "train.jsonl", shapes: [RowShape] = RowShape.builtIn,
        onBadRow: BadRowPolicy = .fail
    ) throws -> (rows: [Row], counts: RowCounts, shape: String?) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("shapes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent(name)
        try Foundation.Data(lines.joined(separator: "\n").utf8).write(to: file)
        let reader = CorpusReader<Row>(SplitFiles(["train": file]), onBadRow: onBadRow, shapes: shapes)
        let read = try reader.read()
        return (read.rows["train"] ?? [], read.counts, read.shapes["train"])
    }

    /// What is wrong with a file of lines, in words; "nothing" where it can be read.
    static func problem<Row: CorpusRow>(_ type: Row.Type, _ lines: [String], shapes: [RowShape] = RowShape.builtIn) -> String {
        do {
            _ = try read(type, lines, shapes: shapes)
            return "nothing"
        } catch {
            return "\(error)"
        }
    }

    /// A value on one line.
    static func line(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSONValue.quoted(text)
        case .array(let values): "[" + values.map(line).joined(separator: ", ") + "]"
        case .object(let members): "{" + members.map { JSONValue.quoted($0.key) + ": " + line($0.value) }.joined(separator: ", ") + "}"
        }
    }

    static func message(_ role: String, _ content: String) -> JSONValue { ["role": .string(role), "content": .string(content)] }
}
