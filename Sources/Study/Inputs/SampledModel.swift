import Formats
package import Foundation
package import Runs

/// The model that generated the samples of a run, as named in the run's options.
package struct SampledModel {
    /// Its name or path when the samples were drawn.
    package let named: String
    /// Its folder: at the original path, or next to the samples if the folders were moved together. Nil if neither exists.
    package let folder: URL?

    /// The model that generated a run's samples; nil if the options name none. A run that selected among the stored samples of
    /// another run has the model of that other run.
    /// - Throws: `FileError`; what `RunConfiguration.read` throws.
    package init?(ofSamples run: URL) throws {
        guard let run = try Self.drawingRun(of: run) else { return nil }
        guard case .string(let name)? = try Self.option("model_name", of: run), !name.isEmpty else { return nil }
        (named, folder) = (name, try Self.find(name, beside: run))
    }

    /// Whether the model is the final model of a run, one of its checkpoints, or a copy of the final model. Nil if the model's
    /// folder is not found.
    package func isResult(of run: URL) throws -> Bool? {
        guard let folder else { return nil }
        let (own, other) = (Self.realPath(folder), Self.realPath(run))
        if own == other || own.hasPrefix(other + "/") { return true }
        return try Self.areCopies(folder, run)
    }

    /// The run that made the model, and its stage; nil if none is found. The folder of a checkpoint or of a final model is inside its run.
    package var run: (folder: URL, stage: RunStage)? {
        guard let folder = folder?.standardizedFileURL else { return nil }
        return sequence(first: folder) { $0.deletingLastPathComponent() }.prefix(3).lazy.compactMap { place in
            (try? RunConfiguration.read(inRun: place)).flatMap { $0 }.map { (folder: place, stage: $0.stage) }
        }.first
    }

    /// Whether the model was trained with a reward or on preferences, as far as its run is found. It is then not the model from which KL
    /// is measured.
    package var isTrainedPolicy: Bool { [.policy, .preference].contains(run?.stage) }

    /// Whether the model is a finished run, so that it is certain which model generated the samples.
    package var isRun: Bool {
        get throws {
            guard let folder else { return false }
            let parent = folder.lastPathComponent == "final" ? folder.deletingLastPathComponent() : folder
            return try (try? RunConfiguration.read(inRun: parent)) != nil && RunFolder.isFinished(parent)
        }
    }

    /// The name of the `seed-…` folder in the model's path, if it differs from the name of the seed folder `runs` that the
    /// samples should come from. Nil if the names agree, or if `runs` holds the same model because the study was moved or
    /// copied.
    package func foreignSeed(than runs: URL) throws -> String? {
        let path = URL(fileURLWithPath: named, isDirectory: true).standardizedFileURL
        let seed = path.deletingLastPathComponent().lastPathComponent
        guard seed.hasPrefix("seed-"), seed != runs.lastPathComponent else { return nil }
        let own = runs.appendingPathComponent(path.lastPathComponent, isDirectory: true)
        guard try FileStatus.of(own) != nil else { return seed }
        guard try FileStatus.of(path) != nil else { return nil }
        return try Self.realPath(path) == Self.realPath(own) || Self.areCopies(path, own) ? nil : seed
    }

    /// The run that drew the samples of a run: the run itself, or the run that its `samples_from` option points to. Nil if that
    /// run is not found.
    package static func drawingRun(of samples: URL) throws -> URL? {
        var (run, steps) = (samples, 0)
        while case .string(let source)? = try Self.option("samples_from", of: run) {
            guard let next = try Self.find(source, beside: run), steps < 16 else { return nil }
            (run, steps) = (next, steps + 1)
        }
        return run
    }

    static func option(_ name: String, of run: URL) throws -> OptionValue? { try RunConfiguration.read(inRun: run)?.options[name] }

    static func find(_ name: String, beside run: URL) throws -> URL? {
        let direct = URL(fileURLWithPath: name, isDirectory: true)
        let beside = run.deletingLastPathComponent().appendingPathComponent(direct.lastPathComponent, isDirectory: true)
        return try [direct, beside].first { try FileStatus.of($0) != nil }
    }

    static func realPath(_ url: URL) -> String { url.resolvingSymlinksInPath().standardizedFileURL.path }

    /// Whether two folders of runs or models have identical lists of file checksums.
    static func areCopies(_ first: URL, _ second: URL) throws -> Bool {
        func checksums(_ folder: URL) throws -> [UInt8]? {
            for place in [folder.appendingPathComponent("final", isDirectory: true), folder] {
                let file = place.appendingPathComponent(FolderChecksums.fileName)
                if try FileStatus.of(file)?.kind == .file { return try Descriptor.content(of: file.path, limit: 64 << 20) }
            }
            return nil
        }
        guard let own = try checksums(first), let other = try checksums(second) else { return false }
        return own == other
    }
}
