import Foundation
import Study
import _TestSupport

/// A tiny supervised run on generated posts, which later stages start from.
enum TinyStudy {
    /// Makes the run `sft` in a folder.
    static func makeSupervisedRun(in folder: TemporaryFolder) throws {
        var stage = SFTStage()
        stage.model.fromScratch = true
        stage.model.vocabularySize = 280
        (stage.model.hiddenSize, stage.model.intermediateSize) = (16, 24)
        (stage.model.numHiddenLayers, stage.model.numAttentionHeads) = (2, 2)
        stage.data.dataset = "generated"
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize) = (2, 4)
        stage.evaluation.doEval = false
        stage.run.threads = 1
        try stage.run(in: folder["sft"])
    }
}
