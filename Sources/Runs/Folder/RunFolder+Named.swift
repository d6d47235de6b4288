internal import Formats
package import Foundation

// Lookup of runs and models named by the user, with errors that say why a name is not usable.
extension RunFolder {
    /// The run folder for an ID or path, as ``locate(_:in:expecting:)``.
    /// - Throws: As ``locate(_:in:expecting:)``; `FileError.notAFolder`; `RunFolderError.noConfiguration`.
    package static func run(named name: String, in runs: URL, expecting stages: [RunStage] = RunStage.allCases) throws -> URL {
        do {
            return try locate(name, in: runs, expecting: stages)
        } catch RunFolderError.notARunFolder(let path) {
            try checkIsFolder(path)
            let file = URL(fileURLWithPath: path).appendingPathComponent(RunConfiguration.fileName)
            throw try FileStatus.of(file) == nil
                ? RunFolderError.noConfiguration(path: path) : RunFolderError.notARunFolder(path: path)
        }
    }

    /// The model folder for a path, as ``modelFolder(at:expecting:)``; for a GGUF file, the file.
    /// - Throws: As ``modelFolder(at:expecting:)``; `FileError.notAFolder`.
    package static func model(at url: URL, expecting stages: [RunStage]) throws -> URL {
        if try FileStatus.of(url)?.kind == .file, let file = try GGUFShards.file(at: url) { return file }
        try checkIsFolder(url.path)
        return try modelFolder(at: url, expecting: stages)
    }

    private static func checkIsFolder(_ path: String) throws {
        guard let status = try FileStatus.of(path) else { throw FileError.missing(path: path) }
        switch status.kind {
        case .folder: return
        case .file: throw FileError.notAFolder(path: path, kind: "a file")
        case .link: throw FileError.notAFolder(path: path, kind: "a link")
        case .other: throw FileError.notAFolder(path: path, kind: "a named pipe, a socket or a device")
        }
    }
}
