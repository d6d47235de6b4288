import Models
import Runs
import Study
import Tensor
import Testing
import _TestSupport

/// `--master-dtype bf16`: every training program with trained weights that are kept in bfloat16.
@Suite struct MasterFormatStageTests {
    private let tiny: TinyStages

    init() throws {
        tiny = try TinyStages().with { ($0.training.lrSchedulerType, $0.training.optimizer) = ("constant", "adamw8bit") }
    }

    private func stages(_ master: String = "bf16", _ dtype: String = "f32", frozen: String = "f32", threads: Int = 1) -> TinyStages {
        tiny.with {
            ($0.run.masterDtype, $0.run.dtype, $0.run.frozenDtype, $0.run.threads) = (master, dtype, frozen, threads)
            $0.run.gradientDtype = frozen == "int8" ? "bf16" : "f32"
        }
    }

    @Test("a run that falls and is stopped again and again has the same result", arguments: [("f32", "f32"), ("bf16", "int8")])
    func resumed(dtype: String, frozen: String) throws {
        try stages("bf16", dtype, frozen: frozen).expectSameAfterFalls(first: 6, more: 4)
    }

    @Test("threads change no bit, and the result is in bfloat16")
    func threads() throws {
        for threads in [1, 2] { try stages(threads: threads).supervised.run(in: tiny.folder["sft-\(threads)"], tiny.environment) }
        #expect(try tiny.weights("sft-1") == tiny.weights("sft-2"))
        let model = try LanguageModel.load(tiny.folder["sft-1/final"]).decoder
        let start = try LanguageModel.load(tiny.folder["sft/final"]).decoder
        var changed = 0
        for (own, old) in zip(model.parameters(ofLayer: 1), start.parameters(ofLayer: 1)) where own.value.shape.rank == 2 {
            #expect(own.value.values.allSatisfy { $0.bitPattern & 0xFFFF == 0 }, "\(own.name)")
            if !own.value.isIdentical(to: old.value) { changed += 1 }
        }
        #expect(changed > 0)
        // frozen ones are as they were
        for (own, old) in zip(model.parameters(ofLayer: 0), start.parameters(ofLayer: 0)) { #expect(own.value.isIdentical(to: old.value)) }
    }

    @Test("a run says what is saved, and keeps its format")
    func kept() throws {
        var lines: [String] = []
        try stages().ppo.run(in: tiny.folder["ppo"], tiny.listening { lines.append($0) })
        #expect(lines.contains { $0.hasPrefix("trained weights are kept as bf16 and rounded at random: ") }, "\(lines)")
        #expect(throws: RunFolderError.self) { try stages("f32").ppo.run(in: tiny.folder["ppo"], tiny.environment) }
        #expect(!RunSession.mayChange.contains("master_dtype"))
    }

    @Test("values that do not exist, and programs that train nothing, are refused by name")
    func refused() throws {
        var settings = stages("f16").run
        let unknown = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(unknown?.message == "--master-dtype is 'f16'; expected f32 or bf16")
        for format in MasterFormat.allCases {
            settings.masterDtype = format.rawValue
            try settings.validate()
        }
        #expect(try RunSettings().values["master_dtype"] == .string("f32"))
        settings.gradientDtype = "int8"
        let gradients = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(gradients?.message == "--gradient-dtype is 'int8'; expected f32 or bf16")
        #expect(!RunSession.mayChange.contains("gradient_dtype"))
        var drawn = BestOfNStage()
        (drawn.bestOfN.modelName, drawn.bestOfN.numReturnSequences, drawn.bestOfN.evaluationSplits) = ("x", 2, ["test"])
        (drawn.bestOfN.referenceModel, drawn.reward.rfModelDir, drawn.run) = ("x", tiny.folder["y"].path, stages().run)
        var diversity = DiversityStage()
        diversity.run = stages().run
        for stage in [drawn, diversity] as [any GroupedSettings] {
            let problem = #expect(throws: (any Error).self) { try stage.validate() }
            #expect("\(problem ?? CancellationError())".contains("bf16 has no effect here"), "\(String(describing: problem))")
        }
    }
}
