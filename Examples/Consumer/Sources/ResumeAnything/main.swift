import Foundation
import Runs
import Study

// Runs a stage of a study without a command line: it is stopped in the middle, resumed, and gives the same result as an uninterrupted run.
// This program links no argument parser, no YAML parser and no networking.

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

// stops after three steps, as a signal stops train-sft
var steps = 0
var stopping = StageEnvironment()
stopping.sinks = [ClosureSink { event in if case .progressed(let step, _, _, _) = event { steps = step } }]
stopping.shouldStop = { steps == 3 }
do {
    try stage.run(in: folder.appendingPathComponent("sft"), stopping)
    preconditionFailure("the stage should have stopped")
} catch let stop as RunStopped {
    precondition(stop.step == 3)
}

let run = try stage.run(in: folder.appendingPathComponent("sft"))
let unbroken = try stage.run(in: folder.appendingPathComponent("unbroken"))
let (first, second) = (try run.metrics(), try unbroken.metrics())
precondition(first == second && first.last?.step == 8)
print("a run that was stopped after step 3 and resumed has the same metrics as an uninterrupted run")
