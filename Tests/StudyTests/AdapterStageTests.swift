import Data
import Foundation
import Models
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Adapters in the stages of a study: what is saved, what later stages make of it, and runs that stop.
@Suite struct AdapterStageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try TinyStudy.makeSupervisedRun(in: folder)
    }

    private var supervised: SFTStage {
        var stage = SFTStage()
        stage.model.modelName = folder["sft"].path
        stage.data.dataset = "generated"
        (stage.training.maxSteps, stage.training.perDeviceTrainBatchSize, stage.training.learningRate) = (4, 4, 1e-2)
        stage.training.freezeLayers = 0.5
        stage.evaluation.doEval = false
        (stage.adapter.loraRank, stage.adapter.loraDropout) = (2, 0.2)
        stage.run.threads = 1
        return stage
    }

    private func names(_ path: String) throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: folder[path].path)) }
    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: folder[path]) }

    @Test("a run with an adapter and dropout that is stopped behind every step ends with the same bytes")
    func resumes() throws {
        try supervised.run(in: folder["whole"])
        var environment = StageEnvironment()
        environment.shouldStop = { true }
        var stops = 0
        while stops < 10 {
            do {
                try supervised.run(in: folder["parts"], environment)
                break
            } catch is RunStopped { stops += 1 }
        }
        #expect(stops == 3)
        #expect(try bytes("whole/final/adapter_model.safetensors") == bytes("parts/final/adapter_model.safetensors"))
        let saved = try names("whole/final")
        #expect(saved.contains("adapter_config.json") && !saved.contains("model.safetensors") && saved.contains("tokenizer.json"))
    }

    @Test("a merged model is a whole one with the adapter's numbers, and later stages take either")
    func mergesAndGoesOn() throws {
        try supervised.run(in: folder["alone"])
        var stage = supervised
        stage.adapter.mergeAdapter = true
        try stage.run(in: folder["merged"])
        #expect(try names("merged/final").contains("model.safetensors"))
        let (alone, merged) = (
            try LanguageModel.load(folder["alone/final"]).decoder, try LanguageModel.load(folder["merged/final"]).decoder
        )
        let tokens: [Int32] = [5, 60, 7, 120, 33]
        func states(_ decoder: any TransformerDecoder) -> [Float] {
            decoder.hidden(TokenBatch([tokens]), wanted: [0..<tokens.count]).values
        }
        expectClose(states(alone), states(merged), relative: 1e-4, absolute: 1e-5)
        #expect(states(try LanguageModel.load(folder["sft/final"]).decoder) != states(alone))

        var reward = RewardModelStage()
        reward.comparisons.modelName = folder["alone"].path
        (reward.comparisons.simulatedPrompts, reward.comparisons.simulatedEvaluationPrompts) = (6, 2)
        reward.data.dataset = "generated"
        reward.sampling.maxNewTokens = 6
        (reward.training.maxSteps, reward.training.perDeviceTrainBatchSize) = (2, 4)
        reward.run.threads = 1
        try reward.run(in: folder["rm"])
        var preference = PreferenceStage()
        preference.comparisons.modelName = folder["merged"].path
        preference.comparisons.comparisons = folder["rm/comparisons"].path
        (preference.training.maxSteps, preference.training.perDeviceTrainBatchSize, preference.preference.klPrompts) = (2, 4, 0)
        preference.adapter.loraRank = 2
        preference.run.threads = 1
        try preference.run(in: folder["dpo"])
        #expect(try names("dpo/final").contains("adapter_model.safetensors"))
    }

    @Test("an adapter that is there is merged without training; another one on top of it, or none to merge, is refused with what to do")
    func mergesLater() throws {
        try supervised.run(in: folder["alone"])
        var stage = supervised
        stage.model.modelName = folder["alone"].path
        let refused = #expect(throws: InvalidSetting.self) { try stage.run(in: folder["second"]) }
        #expect("\(String(describing: refused))".contains("is already an adapter"))
        stage.adapter = AdapterSettings()
        stage.adapter.mergeAdapter = true
        stage.evaluation.doTrain = false
        try stage.run(in: folder["merged"])
        #expect(try names("merged/final").isSuperset(of: ["model.safetensors", "tokenizer.json"]))
        #expect(try !names("merged/final").contains("adapter_config.json"))
        let tokens: [Int32] = [5, 60, 7, 120, 33]
        func states(_ path: String) throws -> [Float] {
            try LanguageModel.load(folder[path]).decoder.hidden(TokenBatch([tokens]), wanted: [0..<tokens.count]).values
        }
        expectClose(try states("alone/final"), try states("merged/final"), relative: 1e-4, absolute: 1e-5)
        stage.model.modelName = folder["sft"].path
        let none = #expect(throws: InvalidSetting.self) { try stage.run(in: folder["none"]) }
        #expect("\(String(describing: none))".contains("has no adapter to merge"))
    }

    @Test("the base model of an adapter may be elsewhere than its configuration says")
    func movedBase() throws {
        try supervised.run(in: folder["alone"])
        let moved = folder["moved"]
        try FileManager.default.copyItem(at: folder["alone/final"], to: moved)
        let file = moved.appendingPathComponent("adapter_config.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        let named = folder["sft/final"].standardizedFileURL.path
        let escaped = named.replacingOccurrences(of: "/", with: "\\/")
        try text.replacingOccurrences(of: escaped, with: "people/model").replacingOccurrences(of: named, with: "people/model")
            .write(to: file, atomically: true, encoding: .utf8)
        func sampled(_ model: URL, base: URL?, run: String) throws -> Data {
            var stage = BestOfNStage()
            (stage.bestOfN.modelName, stage.bestOfN.numReturnSequences, stage.bestOfN.evaluationSplits) = (model.path, 2, ["test"])
            stage.data.targetEvalDatapoints = 3
            stage.adapterBase.adapterBase = base?.path
            stage.data.dataset = "generated"
            (stage.reward.rewardFunction, stage.sampling.maxNewTokens, stage.run.threads) = ("length", 6, 1)
            try stage.run(in: folder[run])
            return try bytes("\(run)/tables/test.jsonl")
        }
        let error = #expect(throws: (any Error).self) { try sampled(moved, base: nil, run: "none") }
        #expect("\(String(describing: error))".contains("--adapter-base") && "\(String(describing: error))".contains("people/model"))
        #expect(try sampled(moved, base: folder["sft/final"], run: "given") == sampled(folder["alone"], base: nil, run: "own"))
    }

    @Test("a checkpoint with another adapter than the option asks for, or none, is refused although config.json was edited to agree")
    func editedRank() throws {
        var stopping = StageEnvironment()
        stopping.shouldStop = { true }
        var full = supervised
        full.adapter = AdapterSettings()
        for (name, stage, words) in [
            ("full", full, "is that of a full model, without an adapter"), ("adapter", supervised, "is that of an adapter of rank 2"),
        ] {
            #expect(throws: RunStopped.self) { try stage.run(in: folder[name], stopping) }
            var configuration = try #require(try RunConfiguration.read(inRun: folder[name]))
            configuration.options["lora_rank"] = .integer(3)
            try configuration.write(inRun: folder[name])
            var edited = stage
            edited.adapter.loraRank = 3
            let error = #expect(throws: InvalidSetting.self) { try edited.run(in: folder[name]) }
            let text = error?.message ?? ""
            #expect(text.hasPrefix("--lora-rank is 3, but the checkpoint ") && text.contains("step-000001"), "\(text)")
            #expect(text.contains(words), "\(text)")
        }
    }

    @Test("settings that do not go together are refused before anything is written")
    func refusals() {
        func refused(_ words: String, _ change: (inout SFTStage) -> Void) {
            var stage = supervised
            change(&stage)
            let error = #expect(throws: (any Error).self) { try stage.run(in: folder["bad"]) }
            #expect("\(String(describing: error))".contains(words), "\(String(describing: error))")
            #expect(!FileManager.default.fileExists(atPath: folder["bad/final"].path))
        }
        refused("loraRank") { $0.adapter.loraRank = nil }
        refused("rank") { $0.adapter.loraRank = 0 }
        refused("alpha") { $0.adapter.loraAlpha = -1 }
        refused("dropout") { $0.adapter.loraDropout = 1 }
        refused("nothing_like_it") { $0.adapter.loraTargets = "nothing_like_it" }
        refused("random weights") { ($0.model.modelName, $0.model.fromScratch) = (nil, true) }
        refused("no layers") { $0.training.freezeLayers = 1 }
    }
}
