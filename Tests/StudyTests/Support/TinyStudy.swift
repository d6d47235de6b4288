import Data
import Foundation
import Study
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
}
