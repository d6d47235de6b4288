import Formats
import Runs
import Foundation
import Study
import Testing
import _TestSupport

/// Models that are named wrongly, and settings that belong to another way of starting.
@Suite("Names of models")
struct ModelNameTests {
    private func failure(_ name: String) -> String {
        var stage = BestOfNStage()
        stage.bestOfN.modelName = name
        stage.reward.rewardFunction = "length"
        stage.data.dataset = "generated"
        guard let folder = try? TemporaryFolder() else { return "no folder" }
        do {
            try stage.run(in: folder["bon"])
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("a name of a hub is told from a path, and what to do is said")
    func hub() {
        #expect(failure("an-organisation/a-model").hasSuffix("a model on a hub, download it and give the path of its folder"))
        #expect(failure("/no/such/folder").hasSuffix("/no/such/folder does not exist"))
        #expect(failure("./no-such-folder/model").hasSuffix("does not exist"))
    }

    @Test("a reward model that is not there is missed before anything is loaded")
    func rewardModel() throws {
        let (folder, environment) = try TinyStudy.withSupervisedRun()
        var notes: [String] = []
        var own = environment
        own.sinks = [ClosureSink { event in if case .noted(let text) = event { notes.append(text) } }]
        var stage = PPOStage()
        stage.policy.modelName = folder["sft"].path
        stage.reward.rfModelDir = folder["nowhere"].path
        stage.data.dataset = "generated"
        #expect(throws: FileError.missing(path: folder["nowhere"].path)) { try stage.run(in: folder["ppo"], own) }
        #expect(!notes.contains { $0.contains("value head") }, "\(notes)")
    }

    @Test("sizes of a model from nothing are refused beside the name of a model")
    func sizes() {
        var stage = SFTStage()
        stage.model.modelName = "model"
        #expect(throws: Never.self) { try stage.validate() }
        stage.model.hiddenSize = 64
        stage.model.numHiddenLayers = 2
        #expect {
            try stage.validate()
        } throws: {
            "\($0)".contains("hiddenSize, numHiddenLayers can only") || "\($0)".contains("--hidden-size, --num-hidden-layers can only")
        }
    }
}
