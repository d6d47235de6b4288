public import Data
public import Foundation

/// What a run has left in its folder.
public struct CompletedRun: Sendable {
    /// The run folder.
    public var folder: URL

    /// The run in a folder.
    public init(_ folder: URL) { self.folder = folder }

    /// The result: of a training the model, of a measurement its tables.
    public var result: URL { folder.appendingPathComponent("final", isDirectory: true) }

    /// Its configuration.
    /// - Throws: `RunFolderError`; `FileError`.
    public func configuration() throws -> RunConfiguration? { try RunConfiguration.read(inRun: folder) }

    /// Numbers by step, oldest first.
    /// - Throws: `FileError`; `RunFolderError.badLine`.
    public func metrics() throws -> [Measurement] { try MetricsFile.read(inRun: folder) }

    /// The rows of a table, such as `validation`.
    /// - Throws: `FileError`; `RunFolderError.unknownTable`; `DataError`.
    public func table(_ name: String) throws -> [SampleRow] { try Tables.read(name, inRun: folder) }
}
