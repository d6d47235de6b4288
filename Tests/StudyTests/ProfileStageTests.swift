import Data
import Foundation
import Study
import Tensor
import Testing
import _TestSupport

/// `--profile`: the time of operations and threads beside the result.
@Suite struct ProfileStageTests {
    @Test("a profile names the operations of a stage and does not change its result")
    func profile() throws {
        let (folder, environment) = try TinyStudy.withSupervisedRun()
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.freezeLayers) = (2, 4, 0)
        (stage.data.targetEvalDatapoints, stage.run.threads, stage.evaluation.doEval) = (4, 2, false)
        try stage.run(in: folder["plain"], environment)
        stage.run.profile = true
        try stage.run(in: folder["profiled"], environment)

        let report = try JSONDecoder().decode(ComputeReport.self, from: Foundation.Data(contentsOf: folder["profiled/profile.json"]))
        let names = Set(report.operations.map(\.name))
        #expect(names.contains("AdamStep.apply") && names.contains { $0.hasSuffix(", backward") }, "\(names.sorted())")
        #expect(report.operations.allSatisfy { $0.calls > 0 && $0.seconds >= 0 } && report.seconds > 0 && !report.threads.isEmpty)
        #expect(!TemporaryFolder.names(in: folder["plain"]).contains("profile.json"))
        let weights = try ["plain", "profiled"].map { try Foundation.Data(contentsOf: folder["\($0)/final/model.safetensors"]) }
        #expect(weights[0] == weights[1])
    }
}
