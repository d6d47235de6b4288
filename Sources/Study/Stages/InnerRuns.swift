import Data
import Foundation
import Runs
import Train

/// Runs inside another run, executed one after the other, each in a separate folder. An interrupted inner run is resumed and a
/// complete one is skipped, so that the outer run can be resumed as well.
struct InnerRuns {
    private let session: RunSession
    private let environment: StageEnvironment
    private let folder: URL
    /// Whether the outer run has a checkpoint. From then on, its options are fixed.
    private var isBegun: Bool
    /// The number of finished parts.
    private(set) var done: Int

    /// The inner runs in a folder of the outer run's folder. The step of the outer run's newest checkpoint is the number of
    /// finished parts.
    init(_ name: String, of session: RunSession, _ environment: StageEnvironment) throws {
        (self.session, self.environment) = (session, environment)
        folder = session.folder.url.appendingPathComponent(name, isDirectory: true)
        let checkpoint = try session.restore()
        (isBegun, done) = (checkpoint != nil, checkpoint?.step ?? 0)
    }

    /// Runs or resumes a stage.
    /// - Parameters:
    ///   - name: the name of the run's folder; it may be a path with several components.
    ///   - corpus: replaces the data set that the stage's settings name.
    /// - Throws: `RunStopped` for the outer run when the inner run was stopped; all errors of the stage.
    mutating func run(_ stage: some Stage, _ name: String, corpus: SummaryCorpus? = nil) throws -> CompletedRun {
        var inner = environment
        inner.corpus = corpus ?? environment.corpus
        var begins = !isBegun
        let (session, listeners, done) = (session, environment.sinks, done)
        // metrics of an inner run are not forwarded, because their steps are not those of the outer run; rank 0 alone gets events
        inner.sinks = [
            ClosureSink { event in
                switch event {
                case .measured, .sampled: return
                case .progressed where begins:
                    // from here on there is work to keep, which other options would not fit
                    try session.checkpointOfFirst(step: done)
                    begins = false
                default: break
                }
                for sink in listeners { try sink.handle(event) }
            }
        ]
        let place = folder.appendingPathComponent(name, isDirectory: true)
        session.say("\(name):")
        do {
            let result = try stage.run(in: place, inner)
            isBegun = isBegun || !begins
            return result
        } catch {
            // an inner run that failed before its first progress leaves no folder
            var empty = place.deletingLastPathComponent()
            while session.folder.isFirst, empty.path.hasPrefix(folder.path), rmdir(empty.path) == 0 { empty.deleteLastPathComponent() }
            guard error is RunStopped else { throw error }
            try session.folder.addSeconds(session.seconds)
            throw RunStopped(step: done, path: session.folder.url.path)
        }
    }

    /// Counts a part as finished and writes a checkpoint. Stops the outer run if that was requested.
    mutating func finishPart() throws {
        done += 1
        try session.checkpoint(step: done) { _ in }
        isBegun = true
        if try session.anyShouldStop() { try session.leaveSteps(complete: false, step: done, saving: nil) }
    }
}
