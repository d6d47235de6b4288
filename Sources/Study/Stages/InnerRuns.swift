import Data
import Foundation
import Runs
import Train

/// Runs inside of a run, one after the other, each in a folder of its own: one that was interrupted is gone on with, and one that is
/// complete is left as it is. So the whole goes on where it was, too.
struct InnerRuns {
    private let session: RunSession
    private let environment: StageEnvironment
    private let folder: URL
    /// Whether the run around them has a checkpoint: from then on it belongs to its options.
    private var isBegun: Bool
    /// Parts of the whole that are done.
    private(set) var done: Int

    /// The runs in a folder inside of a run's folder. The newest checkpoint of the run around them says how many parts are done.
    init(_ name: String, of session: RunSession, _ environment: StageEnvironment) throws {
        (self.session, self.environment) = (session, environment)
        folder = session.folder.url.appendingPathComponent(name, isDirectory: true)
        let checkpoint = try session.restore()
        (isBegun, done) = (checkpoint != nil, checkpoint?.step ?? 0)
    }

    /// Runs a stage, or goes on with it.
    /// - Parameters:
    ///   - name: of its folder, which may be in another one.
    ///   - corpus: takes the place of the data set that its settings name.
    /// - Throws: `RunStopped` of the run around it, too.
    mutating func run(_ stage: some Stage, _ name: String, corpus: SummaryCorpus? = nil) throws -> CompletedRun {
        var inner = environment
        inner.corpus = corpus ?? environment.corpus
        var begins = !isBegun
        let (session, listeners, done) = (session, environment.sinks, done)
        // what is measured in a part belongs to the part: its steps are not those of the whole
        inner.sinks = [
            ClosureSink { event in
                switch event {
                case .measured, .sampled: return
                case .progressed where begins:
                    // what is there now is worth keeping, and other options would not fit it
                    try session.checkpoint(step: done) { _ in }
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
            // what failed before it had anything to show leaves no folder
            var empty = place.deletingLastPathComponent()
            while empty.path.hasPrefix(folder.path), rmdir(empty.path) == 0 { empty.deleteLastPathComponent() }
            guard error is RunStopped else { throw error }
            try session.folder.addSeconds(session.seconds)
            throw RunStopped(step: done, path: session.folder.url.path)
        }
    }

    /// Another part is done. Ends the run here where that has been asked for.
    mutating func finishPart() throws {
        done += 1
        try session.checkpoint(step: done) { _ in }
        isBegun = true
        if session.shouldStop() { try session.leaveSteps(complete: false, step: done, saving: nil) }
    }
}
