internal import Formats
package import Foundation
package import Data

/// A table of another run, given as `RUN:TABLE`.
package struct NamedTable: Equatable {
    /// The run folder.
    package var run: URL
    /// The name of the table.
    package var table: String

    /// Finds the table with a name. Nil if the name has no colon or is an existing path.
    /// - Throws: As ``RunFolder/run(named:in:expecting:)``; `RunFolderError.unfinished`, `.unknownTable`.
    package init?(_ name: String, in runs: URL, expecting stages: [RunStage] = [.bestOfN] + RunStage.languageModels) throws {
        guard let colon = name.lastIndex(of: ":"), try FileStatus.of(name) == nil else { return nil }
        run = try RunFolder.run(named: String(name[..<colon]), in: runs, expecting: stages)
        guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
        table = String(name[name.index(after: colon)...])
        let known = try Tables.names(inRun: run)
        guard known.contains(table) else { throw RunFolderError.unknownTable(table, path: run.path, known: known) }
    }

    /// The run's path and the table, for messages.
    package var shown: String { "\(run.path):\(table)" }

    /// The rows of the table.
    /// - Throws: As `Tables.read`.
    package func rows() throws -> [SampleRow] { try Tables.read(table, inRun: run) }
}
