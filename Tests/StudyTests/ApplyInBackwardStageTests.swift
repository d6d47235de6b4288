import Study
import Testing
import _TestSupport

/// `--apply-in-backward true`: the bytes of the usual run, in every training program.
@Suite struct ApplyInBackwardStageTests {
    private let tiny: TinyStages

    init() throws {
        tiny = try TinyStages().with {
            ($0.training.maxGradNorm, $0.training.gradientCheckpointing, $0.klPrompts) = (0, true, 0)
        }
    }

    private func stages(_ inBackward: Bool) -> TinyStages {
        tiny.with { ($0.training.applyInBackward, $0.policy.applyInBackward) = (inBackward, inBackward) }
    }

    @Test("weights and metrics are those of the usual run")
    func same() throws {
        for inBackward in [false, true] {
            for (name, run) in stages(inBackward).all { try run(tiny.folder["\(name)-\(inBackward)"], tiny.environment) }
        }
        for (name, _) in tiny.all { try tiny.expectSameFiles("\(name)-true", "\(name)-false") }
    }

    @Test("a run may change it when it resumes")
    func resumed() throws {
        let folder = tiny.folder
        try stages(false).supervised.run(in: folder["whole"], tiny.environment)
        var stopped = tiny.environment
        stopped.shouldStop = { true }
        #expect(throws: (any Error).self) { try stages(true).supervised.run(in: folder["parts"], stopped) }
        try stages(false).supervised.run(in: folder["parts"], tiny.environment)
        #expect(try tiny.weights("whole") == tiny.weights("parts"))
    }

    @Test("options that need all gradients at once are refused by name")
    func refused() throws {
        func problem(_ change: (inout TrainingSettings) -> Void) -> String {
            var settings = stages(true).training
            change(&settings)
            let error = #expect(throws: InvalidSetting.self) { try settings.validate() }
            return error?.message ?? ""
        }
        try stages(true).training.validate()
        #expect(problem { $0.maxGradNorm = 1 }.hasPrefix("--apply-in-backward true and --max-grad-norm 1.0 cannot be combined: "))
        #expect(problem { $0.maxGradNorm = 1 }.contains("--max-grad-norm 0 disables it"))
        #expect(problem { $0.gradientAccumulationSteps = 4 }.contains("--gradient-accumulation-steps 4"))
        #expect(problem { $0.skipBadBatches = 2 }.contains("--skip-bad-batches 2"))
        var policy = PolicySettings()
        policy.applyInBackward = true
        try policy.validate()
        policy.gradNormClipping = 0.5
        let error = #expect(throws: InvalidSetting.self) { try policy.validate() }
        #expect(error?.message.contains("--grad-norm-clipping 0.5") == true)
    }
}
