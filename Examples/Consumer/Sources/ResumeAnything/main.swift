import Foundation
import Runs
import Study

// A stage of a study without any command line: it is stopped in the middle, goes on by itself, and ends as if nothing had happened.
// This program links neither an argument parser nor a YAML parser nor networking.

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resume-\(UUID().uuidString)")
defer { try? FileManager.default.removeItem(at: folder) }

var stage = SFTStage()
stage.model.fromScratch = true
stage.model.vocabularySize = 300
(stage.model.hiddenSize, stage.model.intermediateSize) = (16, 32)
(stage.model.numHiddenLayers, stage.model.numAttentionHeads) = (2, 2)
stage.data.dataset = "generated"
stage.data.maxTrainExamples = 32
stage.data.targetEvalDatapoints = 4
stage.training.maxSteps = 8
stage.training.perDeviceTrainBatchSize = 4
stage.training.loggingSteps = 1

// stops after three steps, as a signal would stop the program train-sft
var steps = 0
var stopping = StageEnvironment()
stopping.sinks = [ClosureSink { event in if case .progressed(let step, _, _, _) = event { steps = step } }]
stopping.shouldStop = { steps == 3 }
do {
    try stage.run(in: folder.appendingPathComponent("sft"), stopping)
    preconditionFailure("it should have stopped")
} catch let stop as RunStopped {
    precondition(stop.step == 3)
}

let run = try stage.run(in: folder.appendingPathComponent("sft"))
let unbroken = try stage.run(in: folder.appendingPathComponent("unbroken"))
let (first, second) = (try run.metrics(), try unbroken.metrics())
precondition(first == second && first.last?.step == 8)
print("a run that was stopped after step 3 ended as one that was not")
