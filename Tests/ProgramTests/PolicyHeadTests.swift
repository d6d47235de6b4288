import Formats
import Foundation
import Models
import CommandLine
import Tensor
import Testing
import _TestSupport

/// A tanh on heads: train-ppo puts it on the policy's value head, never on the reward model, and folders remember it.
@Suite(.serialized) struct PolicyHeadTests {
    /// A pipeline with a reward model whose scores lie beyond a tanh's range, and a policy whose values do.
    private func pipeline() throws -> TinyPipeline {
        let pipeline = try TinyPipeline.trained().pipeline
        let supervised = pipeline.url("runs/sft/final")
        let model = try LanguageModel.load(supervised)
        var random = Philox(seed: 5)
        let width = model.decoder.shape.headWidth
        for (name, weight, bias) in [("judge", Float(0.2), Float(5)), ("valued", 0.4, 2)] {
            let head = ValueHead(weight: .normal([1, width], standardDeviation: weight, using: &random), bias: bias)
            try LanguageModel(decoder: model.decoder, head: head, source: model.source, generation: model.generation)
                .save(to: pipeline.url(name), tokenizer: ModelFolder(supervised))
        }
        return pipeline
    }

    /// One step of policy training.
    private func train(_ pipeline: TinyPipeline, _ id: String, policy: String, _ extra: [String]) throws -> (
        metrics: [String: Double], rewards: [Double]
    ) {
        let end = try pipeline.start(
            "train-ppo",
            extra: [
                "--run-id", id, "--model-name", policy, "--rf-model-dir", "judge", "--total-steps", "1", "--table-logs", "1",
                "--evaluation-splits", "test",
            ] + extra
        ).wait()
        #expect(end.status == 0, "\(end.errors)")
        func lines(_ path: String) throws -> [[String: Any]] {
            try String(contentsOf: pipeline.url("runs/\(id)/\(path)"), encoding: .utf8).split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
        let metrics = try #require(try lines("metrics.jsonl").first { $0["mean_baseline"] != nil })
        let rewards = try lines("tables/rollouts.jsonl").compactMap { $0["reward"] as? Double }
        #expect(rewards.count == 4)
        return (metrics.compactMapValues { $0 as? Double }, rewards)
    }

    @Test("the values of the policy have a tanh, fresh or loaded; the scores of the reward model are those without the option")
    func activation() throws {
        let pipeline = try pipeline()
        for (policy, extra) in [("runs/sft", []), ("valued", []), ("valued", ["--reference-compatible"])] as [(String, [String])] {
            let id = "\(policy.count)-\(extra.count)"
            let plain = try train(pipeline, id, policy: policy, extra)
            let bounded = try train(pipeline, id + "-tanh", policy: policy, extra + ["--value-head-activation"])
            #expect(plain.rewards == bounded.rewards && plain.rewards.allSatisfy { $0 > 1 }, "\(policy): \(plain.rewards)")
            for name in ["max_baseline", "min_baseline"] {
                let value = try #require(plain.metrics[name])
                expectClose([try #require(bounded.metrics[name])], [tanh(value)], relative: 1e-5, label: "\(policy) \(name)")
            }
            let most = try #require(plain.metrics["max_baseline"])
            #expect(policy == "valued" ? most > 1.5 : most < 1)
            #expect(try configuration(pipeline, "\(id)/final")["value_head_activation"] == nil)
            #expect(try configuration(pipeline, "\(id)-tanh/final")["value_head_activation"]?.bool == true)
        }
    }

    @Test("a policy that was trained with a tanh is trained further and scores with it, without the option")
    func remembered() throws {
        let pipeline = try pipeline()
        _ = try train(pipeline, "first", policy: "valued", ["--value-head-activation"])
        let checkpoint = try #require(pipeline.checkpoints("runs/first").last)
        #expect(try configuration(pipeline, "first/checkpoints/\(checkpoint)/model")["value_head_activation"]?.bool == true)
        let further = try train(pipeline, "second", policy: "runs/first", [])
        for name in ["max_baseline", "min_baseline"] { #expect(abs(try #require(further.metrics[name])) <= 1, "\(name)") }

        try #"{"input": "POST: a\nTL;DR:", "response": " b"}"#
            .write(to: pipeline.url("rows.jsonl"), atomically: true, encoding: .utf8)
        func score(_ model: String, _ extra: [String] = []) throws -> Double {
            let end = try ProgramProcess(
                "rlhf-report", ["score", "--score", "rows.jsonl", "--score-output", "scored.jsonl", "--model-name", model] + extra,
                in: pipeline.folder
            ).wait()
            #expect(end.status == 0, "\(end.errors)")
            let row = try JSONSerialization.jsonObject(with: Data(contentsOf: pipeline.url("scored.jsonl"))) as? [String: Any]
            return try #require(row?["proxy_reward"] as? Double)
        }
        let (plain, named, stored) = (
            try score("judge"), try score("judge", ["--value-head-activation"]), try score("runs/first/final")
        )
        #expect(plain > 1)
        expectClose([named], [tanh(plain)], relative: 1e-5)
        #expect(abs(stored) <= 1)
    }

    @Test("a reward model that is trained with a tanh keeps it from checkpoint to checkpoint, and a run that goes on ends the same")
    func rewardModel() throws {
        let pipeline = try TinyPipeline.trained().pipeline
        func train() throws -> Data {
            let end = try pipeline.start(
                "train-reward-model", extra: ["--value-head-activation", "--max-steps", "4", "--checkpoint-limit", "9"]
            ).wait()
            #expect(end.status == 0, "\(end.errors)")
            return try Data(contentsOf: pipeline.url("runs/rm/final/model.safetensors"))
        }
        let whole = try train()
        let checkpoints = pipeline.checkpoints("runs/rm")
        #expect(checkpoints.count == 4)
        for folder in ["final", "final-normalised"] + checkpoints.map({ "checkpoints/\($0)/model" }) {
            #expect(try configuration(pipeline, "rm/" + folder)["value_head_activation"]?.bool == true, "\(folder)")
        }
        // as if it had been stopped after the second step
        for path in ["final", "final-normalised"] + checkpoints.suffix(2).map({ "checkpoints/\($0)" }) {
            try FileManager.default.removeItem(at: pipeline.url("runs/rm/" + path))
        }
        #expect(try train() == whole)
    }

    @Test("best-of-N rewards with a tanh that is asked for, but in the original's way", arguments: [true, false])
    func bestOfN(asOriginal: Bool) throws {
        let pipeline = try pipeline()
        let end = try ProgramProcess(
            "sample-best-of-n",
            [
                "--dataset", "data", "--model-name", "runs/sft", "--rf-model-dir", "judge", "--num-return-sequences", "2",
                "--max-new-tokens", "4", "--evaluation-splits", "test", "--value-head-activation", "--run-id", "bon",
            ] + (asOriginal ? ["--reference-compatible"] : []), in: pipeline.folder
        ).wait()
        #expect(end.status == 0, "\(end.errors)")
        let rewards = try String(contentsOf: pipeline.url("runs/bon/tables/test.jsonl"), encoding: .utf8).split(separator: "\n").map {
            (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["reward"] as? Double ?? .nan
        }
        #expect(!rewards.isEmpty && rewards.allSatisfy { asOriginal ? $0 > 1 : abs($0) <= 1 }, "\(rewards)")
    }

    private func configuration(_ pipeline: TinyPipeline, _ run: String) throws -> JSONValue {
        try ModelFolder(pipeline.url("runs/" + run)).configuration()
    }
}
