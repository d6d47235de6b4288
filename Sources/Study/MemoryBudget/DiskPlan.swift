import Formats
package import Foundation
import Models
import Runs
import Train

/// The space that a run's folder is expected to need on its disk. It is checked before the first step, so that a run does not fail
/// at its first checkpoint or, with its result, at the very end.
package struct DiskPlan: Equatable, Sendable {
    /// The bytes of a checkpoint: weights and what the optimiser keeps.
    package var checkpoint: Int
    /// The bytes of the result.
    package var result: Int
    /// The bytes of the model of the best evaluation; 0 if none is kept.
    package var best = 0
    /// Whether checkpoints are written at intervals.
    package var writesCheckpoints = true
    /// The maximum number of checkpoints that are kept; nil without a limit.
    package var limit: Int?
    /// The number of checkpoints that the folder already has.
    package var existing = 0
    /// Whether the run has been resumed from one of these checkpoints. It maps the weights of that checkpoint, whose files take space
    /// until the run ends, even when newer checkpoints have replaced it.
    package var isResumed = false

    /// A plan from the sizes of a checkpoint and of the result; see the properties.
    package init(checkpoint: Int, result: Int) { (self.checkpoint, self.result) = (checkpoint, result) }

    /// The largest folder that is written: less free space than that cannot suffice.
    package var least: Int { max(writesCheckpoints ? checkpoint : 0, result, best) }

    /// The bytes that the run adds to the disk at most. A checkpoint is complete before the oldest one is removed. Without a limit of
    /// checkpoints, only the next one counts.
    package var most: Int {
        // the earlier best model is removed when the new one is complete
        let kept = 2 * best
        guard writesCheckpoints else { return kept + result }
        guard let limit else { return kept + checkpoint + result }
        let replaced = max(0, existing - (isResumed ? 1 : 0))
        return kept + max(max(1, limit + 1 - replaced) * checkpoint, max(0, limit - replaced) * checkpoint + result)
    }

    /// Checks the plan against the free bytes of the disk.
    /// - Returns: a warning for a disk that may become full; nil if there is enough space.
    /// - Throws: ``DiskError`` if not even the largest part fits.
    package func check(free: Int, at folder: URL) throws -> String? {
        guard free >= least else { throw DiskError(path: folder.path, needed: least, free: free) }
        guard free < most else { return nil }
        let parts = [
            writesCheckpoints ? "\(ByteCount(bytes: checkpoint)) per checkpoint" : nil, "\(ByteCount(bytes: result)) for the result",
            best > 0 ? "\(ByteCount(bytes: best)) for the best model" : nil,
        ].compactMap(\.self)
        let texts = ByteCount.compared(free, most)
        return "the disk may become full: \(texts.first) is free at \(folder.path), and the run needs up to "
            + "\(texts.second) (\(parts.joined(separator: ", "))); \(DiskError.advice)"
    }
}

/// The disk of a run folder has too little free space for a checkpoint or the result.
public struct DiskError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The run folder.
    public var path: String
    /// The bytes that are needed.
    public var needed: Int
    /// The bytes that are free.
    public var free: Int

    package init(path: String, needed: Int, free: Int) { (self.path, self.needed, self.free) = (path, needed, free) }

    static var advice: String { "free some space, keep fewer checkpoints (--checkpoint-limit), or choose another disk (--output-dir)" }

    /// One line with both numbers and what to do.
    public var description: String {
        let texts = ByteCount.compared(needed, free)
        return "the run in \(path) needs \(texts.first) of disk space for its next checkpoint or its result, but only "
            + "\(texts.second) is free: \(Self.advice), and run the same command again"
    }
}

extension RunSession {
    /// Checks, before the first step, that the disk has room for checkpoints and the result of a model.
    /// - Parameters:
    ///   - model: the model, with the parameters that are trained.
    ///   - optimizer: the optimiser, whose moments checkpoints contain; nil if nothing is trained.
    ///   - saving: how the result is stored.
    ///   - isMerged: whether an adapter is merged into the result.
    /// - Throws: ``DiskError``.
    func checkDisk(for model: LanguageModel, optimizer: OptimizerKind?, _ saving: SavingSettings, isMerged: Bool) throws {
        let trained = (model.decoder.parameters + (model.head?.parameters ?? [])).filter(\.isTrainable)
        let moments = optimizer.map { kind in trained.reduce(0) { $0 + kind.storedBytes(of: $1.value.shape) } } ?? 0
        let weights = model.savedBytes(as: .float32, keepingFrozen: true)
        var plan = DiskPlan(checkpoint: weights + moments, result: saving.resultBytes(of: model, isMerged: isMerged))
        plan.best = saving.keepBest == nil ? 0 : weights
        (plan.writesCheckpoints, plan.limit) = (optimizer != nil && writesCheckpoints, checkpointLimit)
        (plan.existing, plan.isResumed) = (try Checkpoints.list(inRun: folder.url).count, savedStep != nil)
        diskPlan = plan
        guard let free = DiskSpace.free(at: folder.url), let warning = try plan.check(free: free, at: folder.url) else { return }
        say(warning)
    }

    /// Checks, before a checkpoint is written, that there is room for it. The earlier checkpoints stay as they are.
    func checkDiskForCheckpoint() throws {
        guard let plan = diskPlan, let free = DiskSpace.free(at: folder.url), free < plan.checkpoint else { return }
        throw DiskError(path: folder.url.path, needed: plan.checkpoint, free: free)
    }
}
