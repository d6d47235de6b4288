import Data
import Formats
import Foundation
import Runs

/// Reads the tables of runs for reports, and checks them for damage that would change results without an error.
enum MeasuredTable {
    /// The rows of a table, checked against the run's newest checkpoint.
    /// - Parameters:
    ///   - table: the table's name without `.jsonl`.
    ///   - run: the run's folder.
    ///   - mayBeScored: whether the file may have been rewritten with an added column, which makes it longer than the
    ///     checkpoint recorded.
    /// - Throws: the errors of `Tables.read` and `Tables.check`; `ResultError.noRows` and `.endsEarly`; `FileError.notAFile`.
    static func rows(_ table: String, inRun run: URL, mayBeScored: Bool = false) throws -> [SampleRow] {
        let file = Tables.file(of: table, inRun: run)
        if try Tables.names(inRun: run).contains(table), try FileStatus.of(file)?.kind != .file {
            throw FileError.notAFile(path: file.path, kind: try FileStatus.of(file)?.kind.description ?? "a broken symbolic link")
        }
        let rows = try Tables.read(table, inRun: run)
        // stages other than best-of-N keep appending to tables after their last checkpoint
        let isSampled = try RunConfiguration.read(inRun: run)?.stage == .bestOfN
        do {
            try Tables.check(table, inRun: run, isWhole: isSampled)
        } catch RunFolderError.changedLines(let path, let bytes) {
            guard mayBeScored, let status = try FileStatus.of(file), status.length > bytes else {
                throw RunFolderError.changedLines(path: path, bytes: bytes)
            }
        }
        guard !rows.isEmpty else { throw ResultError.noRows(path: file.path) }
        if isSampled { try checkLastPrompt(of: rows, table, in: run, file) }
        return rows
    }

    /// Detects a table that was truncated between two lines: its last prompt has fewer responses than every other prompt.
    /// - Throws: `ResultError.endsEarly`.
    private static func checkLastPrompt(of rows: [SampleRow], _ table: String, in run: URL, _ file: URL) throws {
        var (order, counts): ([[String]], [[String]: Int]) = ([], [:])
        for row in rows {
            let key = [row.id, row.input]
            if counts[key] == nil { order.append(key) }
            counts[key, default: 0] += 1
        }
        guard let last = order.last, let count = counts[last], let others = order.dropLast().compactMap({ counts[$0] }).min() else {
            return
        }
        let options = try RunConfiguration.read(inRun: run)?.options ?? [:]
        var expected = others
        // only the first prompts have several groups, so the last prompt may be the only one with a single group
        if case .integer(let groups)? = options["groups"], groups > 1 {
            guard !table.hasSuffix("_best_of_n"), case .integer(let n)? = options["num_return_sequences"] else { return }
            expected = min(expected, Int(clamping: n))
        }
        guard count < expected else { return }
        throw ResultError.endsEarly(path: file.path, prompt: last[0], rows: count, expected: expected)
    }
}
