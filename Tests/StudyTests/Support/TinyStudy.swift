import Data
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// A tiny supervised run on generated posts, which later stages start from.
enum TinyStudy {
    /// Makes the run `sft` in a folder.
    /// - Parameter environment: ``environment`` for a few posts, which takes a fraction of the time.
    static func makeSupervisedRun(in folder: TemporaryFolder, _ environment: StageEnvironment = StageEnvironment()) throws {
        var stage = SFTStage()
        stage.model.fromScratch = true
        stage.model.vocabularySize = 280
        (stage.model.hiddenSize, stage.model.intermediateSize) = (16, 24)
        (stage.model.numHiddenLayers, stage.model.numAttentionHeads) = (2, 2)
        stage.data.dataset = "generated"
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize) = (2, 4)
        stage.evaluation.doEval = false
        stage.run.threads = 1
        try stage.run(in: folder["sft"], environment)
    }

    /// A folder with the run `sft` of a few posts, and the environment with them.
    static func withSupervisedRun() throws -> (folder: TemporaryFolder, environment: StageEnvironment) {
        let (folder, environment) = (try TemporaryFolder(), try environment)
        try makeSupervisedRun(in: folder, environment)
        return (folder, environment)
    }

    /// A stage's environment with the first generated posts of every split as the data set.
    static var environment: StageEnvironment {
        get throws {
            var environment = StageEnvironment()
            environment.corpus = try corpus.get()
            return environment
        }
    }

    private static let corpus = Result {
        var corpus = try GeneratedPosts(seed: 0).corpus()
        corpus.splits = corpus.splits.mapValues { Array($0.prefix(40)) }
        corpus.sizes = [:]
        return corpus
    }

    private struct Fall: Error {}

    /// Runs something again and again until it ends: it falls after ever more events, and is asked to stop in some of its attempts.
    /// - Parameters:
    ///   - first: the events of the first attempt.
    ///   - more: further events of every later one.
    ///   - stops: whether the attempt of a number is asked to stop.
    ///   - path: the folder that a stop has to name.
    /// - Returns: The attempts that did not end.
    static func fallingAndStopping(
        _ environment: StageEnvironment, first: Int, more: Int, path: String, stops: @escaping (Int) -> Bool,
        _ body: (StageEnvironment) throws -> Void
    ) throws -> Int {
        var (attempts, limit, events) = (0, first, 0)
        var environment = environment
        environment.sinks = [
            ClosureSink { _ in
                events += 1
                if events > limit { throw Fall() }
            }
        ]
        environment.shouldStop = { stops(attempts) }
        while attempts < 200 {
            do {
                try body(environment)
                break
            } catch is Fall {
            } catch let stop as RunStopped {
                #expect(stop.path == path)
            }
            (attempts, events) = (attempts + 1, 0)
            limit += more
        }
        return attempts
    }
}
