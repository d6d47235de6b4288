import Data
import Foundation
import Models
import Runs
import Study
import Tensor
import Testing
import _TestSupport

/// `--frozen-dtype`: every training program and best-of-N with frozen weights in narrow formats.
@Suite struct FrozenFormatStageTests {
    private let tiny: TinyStages

    init() throws { tiny = try TinyStages().with { $0.training.lrSchedulerType = "constant" } }

    private func stages(_ format: String, _ dtype: String = "f32") -> TinyStages {
        tiny.with { ($0.run.frozenDtype, $0.run.dtype) = (format, dtype) }
    }

    private func bestOfN(_ format: String, reward: String) -> BestOfNStage {
        let (folder, run) = (tiny.folder, stages(format).run)
        var stage = BestOfNStage()
        (stage.bestOfN.modelName, stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (folder["sft"].path, 2, ["test"])
        (stage.bestOfN.referenceModel, stage.reward.rfModelDir) = (folder["sft/final"].path, folder[reward].path)
        (stage.sampling.maxNewTokens, stage.data.targetEvalDatapoints, stage.run) = (6, 3, run)
        return stage
    }

    @Test(
        "a run that falls and is stopped again and again has the same result",
        arguments: [("bf16", "f32"), ("int8", "f32"), ("bf16", "bf16"), ("int8", "bf16")])
    func resumed(format: String, dtype: String) throws {
        try stages(format, dtype).expectSameAfterFalls(first: 6, more: 4)
    }

    /// The stages with a GPT-2 to start from. Its matrices lie transposed in files, so checkpoints hold the rounded numbers.
    private func transposed() throws -> TinyStages {
        let tokenizer = try LoadedModel.load(tiny.folder["sft"].path, from: RunStage.languageModels, note: { _ in }).tokenizer
        let settings = GPT2Configuration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: 32, layerCount: 2, heads: 2, contextLength: 512, dropout: DropoutRates())
        try LanguageModel(decoder: GPT2(settings, weights: RandomWeights(generator: Philox(seed: 1))))
            .save(to: tiny.folder["gpt2"], extras: tokenizer.save)
        return stages("int8").with { $0.start = "gpt2" }
    }

    @Test("a resumed run has the same result where checkpoints hold rounded numbers, and still shares layers with its reference")
    func resumedFromRoundedNumbers() throws {
        let stages = try transposed()
        try stages.expectSameAfterFalls(["dpo", "ppo"], first: 6, more: 4)
        for attempt in 1...3 {
            var lines: [String] = []
            var environment = stages.listening { lines.append($0) }
            environment.shouldStop = { true }
            do { try stages.ppo.run(in: stages.folder["stopped"], environment) } catch is RunStopped {}
            #expect(lines.contains("policy and reference share 1 of 2 layers"), "attempt \(attempt): \(lines)")
            #expect(lines.contains { $0.hasPrefix("resuming from step ") } == (attempt > 1), "attempt \(attempt): \(lines)")
        }
        #expect(try stages.weights("stopped") == stages.weights("ppo-whole"))
    }

    @Test("a run says what is held, keeps its format, and rounds the frozen weights")
    func formats() throws {
        var results: Set<Foundation.Data> = []
        for format in ["f32", "int8"] {
            var lines: [String] = []
            let result = try stages(format).supervised.run(in: tiny.folder[format], tiny.listening { lines.append($0) })
            #expect(lines.contains { $0.hasPrefix("frozen weights are held as int8: ") } == (format == "int8"), "\(lines)")
            #expect(try result.configuration()?.options["frozen_dtype"] == .string(format))
            results.insert(try tiny.weights(format))
        }
        #expect(results.count == 2)
        #expect(throws: RunFolderError.self) { try stages("f32").supervised.run(in: tiny.folder["int8"], tiny.environment) }
    }

    @Test("best-of-N holds weights once that policy, reward model and reference have in common")
    func sharing() throws {
        try stages("f32").reward.run(in: tiny.folder["rm"], tiny.environment)
        var rows: [[SampleRow]] = []
        for format in ["f32", "int8"] {
            var lines: [String] = []
            rows.append(
                try bestOfN(format, reward: "rm").run(in: tiny.folder["bon-\(format)"], tiny.listening { lines.append($0) }).table("test"))
            // the reward model trained the second of two layers
            #expect(lines.contains { $0.hasPrefix("the reward model shares 1 layers with the policy") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("the reference model shares 2 layers with the policy") }, "\(lines)")
            #expect(lines.contains { $0.hasPrefix("frozen weights are held as int8: ") } == (format == "int8"), "\(lines)")
            #expect(lines.contains { $0.hasPrefix("memory: ") && $0.contains("weights in files ") }, "\(lines)")
        }
        #expect(rows[0].count == 6 && rows[1].count == 6)
        #expect(rows[0].map(\.reward) != rows[1].map(\.reward))
    }

    @Test("values that do not exist, and formats without effect, are refused by name")
    func refused() throws {
        func problem(_ stage: some GroupedSettings) -> String {
            do {
                try stage.validate()
                return ""
            } catch { return "\(error)" }
        }
        var settings = stages("int4").run
        let unknown = #expect(throws: InvalidSetting.self) { try settings.validate() }
        #expect(unknown?.message == "--frozen-dtype is 'int4'; expected f32, bf16 or int8")
        for format in FrozenFormat.allCases {
            settings.frozenDtype = format.rawValue
            try settings.validate()
        }
        #expect(try RunSettings().values["frozen_dtype"] == .string("f32"))
        #expect(!RunSession.mayChange.contains("frozen_dtype"))
        var scratch = SFTStage()
        (scratch.model.fromScratch, scratch.run) = (true, stages("int8").run)
        #expect(problem(scratch).contains("has no effect with fromScratch"), "\(problem(scratch))")
        scratch.run = stages("f32").run
        #expect(problem(scratch) == "")
        var drawn = bestOfN("bf16", reward: "rm")
        (drawn.bestOfN.samplesFrom, drawn.bestOfN.referenceModel, drawn.bestOfN.modelName) = ("bon", nil, "")
        #expect(problem(drawn).contains("has no effect with samplesFrom"), "\(problem(drawn))")
        var diversity = DiversityStage()
        diversity.run = stages("int8").run
        #expect(problem(diversity).contains("frozenDtype int8 has no effect here"), "\(problem(diversity))")
    }
}
