import Formats
import Data
import Foundation
import Runs
import Study

/// The outputs of several systems for their common inputs.
struct SystemOutputs {
    /// One system.
    struct System {
        /// The name that the user gave: a run, a table of a run, or a file.
        var name: String
        /// The rows of each input, in the order of the file.
        var rows: [[SampleRow]]
    }

    /// The inputs that all systems have in common, in the order of the first system.
    private(set) var inputs: [String]
    private(set) var systems: [System]

    /// Reads the systems.
    /// - Parameters:
    ///   - names: runs, tables of runs (`run:table`), or JSONL files of rows.
    ///   - table: the table of runs that are given without a table.
    ///   - runs: the folder in which runs are found by name.
    ///   - note: receives the number of common inputs if some inputs are not common to all systems.
    /// - Throws: `InvalidSetting` for a repeated name, or if the systems have no input in common.
    init(_ names: [String], table: String, runs: URL, note: (String) -> Void) throws {
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw InvalidSetting("--systems names \(twice) twice")
        }
        let tables = try names.map { name in
            var rows: [String: [SampleRow]] = [:]
            var order: [String] = []
            for row in try Self.rows(of: name, table: table, runs: runs) {
                if rows[row.input] == nil { order.append(row.input) }
                rows[row.input, default: []].append(row)
            }
            return (name: name, order: order, rows: rows)
        }
        let common = (tables.first?.order ?? []).filter { input in tables.allSatisfy { $0.rows[input] != nil } }
        guard !common.isEmpty else {
            throw InvalidSetting("\(names.joined(separator: " and ")) have no input in common")
        }
        inputs = common
        systems = tables.map { table in
            System(name: table.name, rows: common.map { table.rows[$0] ?? [] })
        }
        let all = tables.map(\.order.count).max() ?? 0
        if all > inputs.count {
            note("\(inputs.count) of \(Counted(all, "input")) \(Counted.form(inputs.count, "is", "are")) common to all systems")
        }
    }

    private static func rows(of name: String, table: String, runs: URL) throws -> [SampleRow] {
        switch try source(of: name, table: table, runs: runs) {
        case .file(let url): return try JSONLines<SampleRow>(url).read()
        case .table(let table, let run): return try Tables.read(table, inRun: run)
        }
    }

    /// The location of a system's rows.
    private enum Source {
        case file(URL)
        case table(String, run: URL)

        var url: URL {
            switch self {
            case .file(let url): url
            case .table(let name, let run): run.appendingPathComponent(Tables.folderName).appendingPathComponent("\(name).jsonl")
            }
        }
    }

    /// The files that the systems are read from.
    static func files(_ names: [String], table: String, runs: URL) throws -> [URL] {
        return try names.map { try source(of: $0, table: table, runs: runs).url }
    }

    private static func source(of name: String, table: String, runs: URL) throws -> Source {
        if let status = try FileStatus.of(name), status.kind != .folder { return .file(URL(fileURLWithPath: name)) }
        if let named = try NamedTable(name, in: runs) { return .table(named.table, run: named.run) }
        let folder = try RunFolder.run(named: name, in: runs, expecting: [.bestOfN] + RunStage.languageModels)
        guard try RunFolder.isFinished(folder) else { throw RunFolderError.unfinished(path: folder.path) }
        return .table(table, run: folder)
    }
}
