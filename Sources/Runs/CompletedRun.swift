public import Data
public import Foundation

/// The output of a run, read from its folder.
public struct CompletedRun: Sendable {
    /// The run folder.
    public var folder: URL

    /// Creates a reader for a run folder. Nothing is read yet.
    public init(_ folder: URL) { self.folder = folder }

    /// The folder of the result, `final/`: the model of a training run, or the tables of a measurement.
    public var result: URL { folder.appendingPathComponent("final", isDirectory: true) }

    /// The run's configuration; nil if the folder has no `config.json`.
    /// - Throws: ``RunFolderError``; `FileError`.
    public func configuration() throws -> RunConfiguration? { try RunConfiguration.read(inRun: folder) }

    /// The metrics by step, oldest first.
    /// - Throws: `FileError`; `RunFolderError.badLine`.
    public func metrics() throws -> [Measurement] { try MetricsFile.read(inRun: folder) }

    /// The rows of a table, such as `validation`.
    /// - Throws: `FileError`; `RunFolderError.unknownTable`; `FormatError`.
    public func table(_ name: String) throws -> [SampleRow] { try Tables.read(name, inRun: folder) }
}
