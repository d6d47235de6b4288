internal import Formats
package import Foundation
package import Data

/// A table of another run, as people name it: `RUN:TABLE`.
package struct NamedTable: Equatable {
    /// The run folder.
    package var run: URL
    /// The table in it.
    package var table: String

    /// The table that a name stands for; nil for a name without a colon, and for the path of something that is there.
    /// - Throws: as ``RunFolder/run(named:in:expecting:)``; `RunFolderError.unfinished`, `.unknownTable`.
    package init?(_ name: String, in runs: URL, expecting stages: [RunStage] = [.bestOfN] + RunStage.languageModels) throws {
        guard let colon = name.lastIndex(of: ":"), try FileStatus.of(name) == nil else { return nil }
        run = try RunFolder.run(named: String(name[..<colon]), in: runs, expecting: stages)
        guard try RunFolder.isFinished(run) else { throw RunFolderError.unfinished(path: run.path) }
        table = String(name[name.index(after: colon)...])
        let known = try Tables.names(inRun: run)
        guard known.contains(table) else { throw RunFolderError.unknownTable(table, path: run.path, known: known) }
    }

    /// For people: the run's path and the table.
    package var shown: String { "\(run.path):\(table)" }

    /// The rows of the table.
    /// - Throws: as `Tables.read`.
    package func rows() throws -> [SampleRow] { try Tables.read(table, inRun: run) }
}
