import Data
import Formats
import Foundation
import Runs
public import Study

/// Exports the answers in a run's table for other programs, one answer per prompt.
public struct AnswerExport: ReportTask {
    /// Which answers to export, and the format.
    public var export = ExportSettings()
    /// Where runs are stored.
    public var measuring = MeasuringSettings()

    /// The defaults.
    public init() {}

    /// The groups of settings.
    public static var groups: [SettingsGroup<AnswerExport>] { [.init(\.export), .init(\.measuring)] }

    /// Writes the first answer to each prompt into the output file.
    /// - Throws: `InvalidSetting`; `RunFolderError`; `FileError`; `ResultError`.
    public func run(_ listener: ReportListener) throws {
        try validate()
        guard let format = ExportFormat.named(export.format) else { return }
        let table = try table()
        let rows = try MeasuredTable.rows(table.table, inRun: table.run, mayBeScored: true)
        let generator = export.generator ?? table.run.standardizedFileURL.lastPathComponent
        let dataset = try export.datasetName ?? dataset(of: table)
        var seen: Set<[UInt8]> = []
        var hasWholePrompts = false
        var answers: [ExportedAnswer] = []
        for row in rows where seen.insert(Array(row.input.utf8)).inserted {
            let instruction = try instruction(of: row, in: table)
            hasWholePrompts = hasWholePrompts || instruction == nil
            answers.append(
                ExportedAnswer(
                    instruction: instruction ?? row.input, output: row.response.trimmingCharacters(in: .whitespacesAndNewlines),
                    generator: generator, dataset: dataset))
        }
        let output = URL(fileURLWithPath: export.exportOutput)
        let file = table.run.appendingPathComponent(Tables.folderName).appendingPathComponent("\(table.table).jsonl")
        try OutputFile.check(output, option: "--export-output", isNoneOf: [file])
        try AtomicFile.write(format.text(answers), to: output)
        let left = rows.count - answers.count
        listener.note(
            "\(export.exportOutput): \(Counted(answers.count, "answer")) of \(generator) (\(table.shown))"
                + (left > 0 ? "; only the first answer to each prompt, \(Counted(left, "other")) left out" : ""))
        if hasWholePrompts {
            listener.note("the prompts do not have Alpaca's format, so instructions are whole prompts; set --prompt-template to change it")
        }
    }

    private func table() throws -> NamedTable {
        let runs = URL(fileURLWithPath: measuring.outputDir, isDirectory: true)
        if let table = try NamedTable(export.export, in: runs) { return table }
        guard let table = try NamedTable("\(export.export):\(export.tableName)", in: runs) else {
            throw RunFolderError.unknownTable(export.tableName, path: export.export, known: [])
        }
        return table
    }

    /// The name of the folder or file that the table's prompts come from; `unknown` if the run is not found.
    private func dataset(of table: NamedTable) throws -> String {
        guard let run = try SampledModel.drawingRun(of: table.run), let configuration = try RunConfiguration.read(inRun: run) else {
            return "unknown"
        }
        return URL(fileURLWithPath: RunDataset(configuration).name(ofTable: table.table)).lastPathComponent
    }

    /// The instruction in a row's prompt, followed by its Alpaca input if there is one. Nil if the prompt is not in Alpaca's
    /// format and no template was given.
    /// - Throws: `InvalidSetting` if the prompt does not match the template.
    private func instruction(of row: SampleRow, in table: NamedTable) throws -> String? {
        guard let template = export.promptTemplate else {
            return PromptFormat.alpacaInstruction(in: row.input).map { found in
                found.input.isEmpty ? found.instruction : found.instruction + "\n\n" + found.input
            }
        }
        let parts = template.split(separator: "{post}", omittingEmptySubsequences: false)
        guard row.input.hasPrefix(parts[0]), row.input.hasSuffix(parts[1]), row.input.count >= parts[0].count + parts[1].count else {
            throw InvalidSetting(
                "the prompt of row \(row.id) of \(table.shown) does not match --prompt-template; it begins with "
                    + OneLine.quoted(row.input, limit: 60))
        }
        return String(row.input.dropFirst(parts[0].count).dropLast(parts[1].count))
    }
}
