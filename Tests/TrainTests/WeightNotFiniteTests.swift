import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Weights that an update makes NaN or Inf end a run before they are evaluated or saved.
@Suite struct WeightNotFiniteTests {
    /// A finite learning rate that is infinite as a 32-bit float, so that one step spoils every trained weight.
    private static let rate = 1e39

    private func expectNamed(_ error: TrainingError?, among parameters: [Parameter]) {
        guard case .weightNotFinite(let name, step: 1)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(parameters.contains { $0.name == name && $0.isTrainable }, "\(name)")
        let text = error?.description ?? ""
        #expect(text.hasPrefix("the weight \(name) is NaN or Inf after step 1, and was not saved"), "\(text)")
        #expect(text.contains("Lower the learning rate") && text.contains("--run-id"), "\(text)")
    }

    @Test("supervised training neither saves nor evaluates them", arguments: ["interval", "stop", "evaluation", "end"])
    func supervised(moment: String) throws {
        let log = EventLog()
        let config = configured(SFTConfig()) {
            ($0.maxSteps, $0.batchSize, $0.seed) = (moment == "end" ? 1 : 3, 4, 5)
            ($0.optimizer, $0.schedule) = (AdamConfig(learningRate: Self.rate), Schedule(.constant))
            $0.freezing = Freezing(fraction: 0.4)
            $0.evaluationSteps = moment == "evaluation" ? 1 : nil
        }
        let trainer = try SFTTrainer(
            TinyModel.llama(), config: config, examples: ToyData.examples(8), evaluations: [("held", ToyData.examples(2, seed: 8))],
            handler: log.handler)
        var saved = 0
        let error = #expect(throws: TrainingError.self) {
            try trainer.run(
                checkpoint: { _ in saved += 1 }, shouldSave: { moment == "interval" }, shouldStop: { moment == "stop" })
        }
        expectNamed(error, among: trainer.decoder.parameters)
        // the evaluation is that before the first step
        #expect(saved == 0 && trainer.step == 1 && log.all("held_loss").count == 1, "\(log.measurements)")
    }

    @Test("PPO does not save them")
    func policy() throws {
        let setup = try PPOTrainerTests.Setup(
            PPOTrainerTests().config(3) {
                ($0.rolloutBatchSize, $0.learnBatchSize, $0.epochs) = (4, 4, 1)
                ($0.optimizer.learningRate, $0.evaluationSteps) = (Self.rate, nil)
            })
        var saved = 0
        let error = #expect(throws: TrainingError.self) {
            try setup.trainer.run(checkpoint: { _ in saved += 1 }, shouldSave: { true })
        }
        expectNamed(error, among: setup.parameters)
        #expect(saved == 0)
    }
}
