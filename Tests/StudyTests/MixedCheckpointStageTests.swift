import Foundation
import Models
import Runs
import Study
import Testing
import _TestSupport

/// Runs that start from a model in BF16: checkpoints keep its frozen matrices, and resumed runs have the same results.
@Suite struct MixedCheckpointStageTests {
    private let tiny: TinyStages

    /// Makes the run `start`, whose result is in BF16.
    init() throws {
        let first = try TinyStages().with { $0.training.maxSteps = 1 }
        var stage = first.supervised
        stage.saving.saveDtype = "bf16"
        try stage.run(in: first.folder["start"], first.environment)
        tiny = first.with { ($0.start, $0.training.maxSteps) = ("start", 5) }
    }

    @Test("checkpoints hold both types, and a run that falls and is stopped again and again has the same result")
    func resumed() throws {
        let folder = tiny.folder
        try tiny.expectSameAfterFalls(["sft", "ppo"], first: 4, more: 3, and: ["final/config.json"])
        for name in ["sft", "ppo"] {
            let whole = "\(name)-whole"
            let checkpoint = try #require(Checkpoints.list(inRun: folder[whole]).first)
            let store = try WeightStore(folder: checkpoint.url.appendingPathComponent("model"))
            let start = try WeightStore(folder: folder["start/final"])
            for tensor in store.names {
                let isFrozen = tensor.contains("layers.0.") || tensor.contains("embed_tokens") || tensor.contains("lm_head")
                let isNarrow = try isFrozen && store.shape(of: tensor).count == 2
                #expect(try store.elementType(of: tensor) == (isNarrow ? .bfloat16 : .float32), "\(name): \(tensor)")
                if isNarrow { #expect(try store.tensor(tensor).hasSameContents(as: start.tensor(tensor)), "\(name): \(tensor)") }
            }
            #expect(try store.names.contains { try store.elementType(of: $0) == .bfloat16 })
        }
    }
}
