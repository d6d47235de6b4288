import Foundation
import Testing
import _TestSupport

/// The commands of the paper's published code, with the program's name changed, a model folder and a data folder in place of hub names, and
/// fewer policy steps.
@Suite(.serialized) struct PublishedCommandTests {
    private static let supervised = """
        --dataset summarisation --num_train_epochs 1 --wandb_tags sl,summarisation,opt --generation_max_new_tokens 48 --save_steps 100 \
        --save_total_limit 2 --eval_steps 250 --logging_steps 25 --seed 3 --do_train --do_eval --output_dir . \
        --training_evaluation_batches 10 --validation_evaluation_batches 20 --fp16=0 --freeze_layers 0.8 --model_name tiny/final \
        --per_device_train_batch_size 2 --per_device_eval_batch_size 2 --gradient_accumulation_steps 8 --learning_rate 3e-5
        """
    private static let reward = """
        --wandb_tags train,rm,summarisation,llama --seed 100984844 --num_train_epochs 1 --save_steps 100 --save_total_limit 2 \
        --eval_steps 250 --output_dir --fp16=0 --training_evaluation_batches 100 --validation_evaluation_batches 100 --model_name sft \
        --learning_rate 1e-5 --per_device_train_batch_size 1 --per_device_eval_batch_size 1 --gradient_accumulation_steps 8 \
        --freeze_layers 0.8
        """
    private static let policy = """
        wandb_tags=[train,rl,summarisation,accelerate] entity=ucl-dark project=rlvsil-main dataset=summarisation \
        reward_function=summarisation freeze_layers=0.8 total_steps=500 discounting=1 ppo_epochs=4 max_new_tokens=48 \
        adap_kl_ctrl=false kl_approx=2 checkpoint_steps=25 checkpoint_limit=2 log_steps=10 evaluation_steps=600 \
        target_eval_datapoints=100 group=12849997-5 seed=128499975 ref_device=cuda:2 rf_device=cuda:2 policy_head_device=cuda:0 \
        policy_split_percentage=0.8 device=cuda:1 log_level=debug model_name=sft rollout_batch_size=2 rollout_accumulation_steps=8 \
        learn_batch_size=1 gradient_accumulation_steps=16 adam_learning_rate=1.5e-6 rf_model_dir=runs/rm baseline_cost=0.2 \
        init_kl_coef=5.0
        """
    private static let bestOfN = """
        --wandb_tags bon,sl,summarisation,evaluation --generation_max_new_tokens 48 --seed 43 --do_eval --output_dir . \
        --freeze_layers 0.8 --num_return_sequences 16 --evaluation_splits test,ood_test --model_name sft \
        --per_device_train_batch_size 4 --per_device_eval_batch_size 4 --rf_model_dir runs/rm
        """
    private static let diversity = """
        --sample_overall --no_overall_input --diversity_metrics ead_averaged_distinct_ngrams,nli_sample_from_sim,sent_bert_from_sim \
        --run_ids bon --table_name test
        """

    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("published-\(UUID().uuidString)")
        try Self.writeSets(into: folder.appendingPathComponent("data"))
    }

    /// Tiny sets in the published shapes: posts and comparisons.
    private static func writeSets(into folder: URL) throws {
        func write(_ set: String, _ split: String, _ rows: [[String: Any]]) throws {
            let url = folder.appendingPathComponent(set)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            var text = ""
            for row in rows {
                text +=
                    String(
                        decoding: try JSONSerialization.data(withJSONObject: row, options: [.sortedKeys]), as: UTF8.self
                    ) + "\n"
            }
            try text.write(to: url.appendingPathComponent("\(split).jsonl"), atomically: true, encoding: .utf8)
        }
        for (split, count) in [("train", 32), ("validation", 4), ("test", 3)] {
            let posts = (0..<count).map { i in
                [
                    "id": "\(split)\(i)", "subreddit": "tifu", "title": "title \(i)",
                    "post": "I did thing \(i) and it went wrong",
                    "summary": "thing \(i) went wrong",
                ]
            }
            try write("openai-tldr-filtered", split, posts)
            try write(
                "cnn_dailymail", split,
                posts.prefix(2).map { ["id": $0["id"] ?? "", "article": "News.", "highlights": "New."] })
            try write(
                "openai-tldr-summarisation-preferences", split,
                posts.prefix(count / 2).map { post in
                    [
                        "info": ["id": post["id"], "subreddit": "tifu", "title": post["title"], "post": post["post"]],
                        "summaries": [["text": " good summary"], ["text": " a bad one"]],
                        "choice": (post["id"]?.count ?? 0) % 2,
                    ]
                })
        }
    }

    @discardableResult
    private func run(_ program: String, _ command: String, _ words: [String] = [], status: Int32 = 0) throws -> String {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(program)
        process.arguments = command.split(separator: " ").map(String.init) + words
        process.currentDirectoryURL = folder
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == status, "\(program) \(command): \(text)")
        return text
    }

    private func lines(_ path: String) throws -> [[String: Any]] {
        try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8).split(separator: "\n").compactMap {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    private func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path)
    }

    @Test("every command of the published code runs through to its outputs")
    func commands() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try run(
            "train-sft",
            """
            --from-scratch --dataset summarisation --data-dir data --max-steps 1 --hidden-size 16 --intermediate-size 24 \
            --num-hidden-layers 3 --num-attention-heads 2 --vocabulary-size 300 --output-dir . --run-id tiny
            """)

        let sft = try run("train-sft", Self.supervised)
        #expect(sft.contains("--wandb_tags is ignored") && sft.contains("--fp16 is ignored"))
        let metrics = try lines("sft/metrics.jsonl")
        #expect(sft.contains("options other than the defaults: ") && sft.contains(" save_steps=100 "))
        for name in [
            "loss", "validation_loss", "train_loss", "final_test_average_rouge_1", "final_validation_median_bleu",
            "final_test_loss",
        ] {
            #expect(metrics.contains { $0[name] != nil }, "\(name)")
        }
        #expect(exists("sft/final/model.safetensors"))
        #expect(try lines("sft/tables/test.jsonl").count == 3)
        // the parallel command does the same, and so does the configuration that a run leaves behind
        try run("train-sft", "--num_gpus=2 " + Self.supervised + " --deepspeed ds_config_3 --run-id parallel")
        try run("train-sft", "--config sft/config.json --run-id repeated")
        let weights = try Data(contentsOf: folder.appendingPathComponent("sft/final/model.safetensors"))
        for other in ["parallel", "repeated"] {
            let file = folder.appendingPathComponent("\(other)/final/model.safetensors")
            #expect(try Data(contentsOf: file) == weights, "\(other)")
        }

        try run("train-reward-model", Self.reward + " --data-dir data")
        #expect(exists("runs/rm/final/model.safetensors") && exists("runs/rm/final-normalised/model.safetensors"))
        #expect(try lines("runs/rm/metrics.jsonl").contains { $0["validation_accuracy"] != nil })
        #expect(try lines("runs/rm/metrics.jsonl").contains { $0["test_accuracy"] != nil })
        try run(
            "train-reward-model",
            "--num_gpus=2 " + Self.reward + " --deepspeed ds_config_3.json --data-dir data --run-id rm-2 --evaluate=0")
        #expect(exists("runs/rm-2/final-normalised/model.safetensors"))
        #expect(try !lines("runs/rm-2/metrics.jsonl").contains { $0["test_accuracy"] != nil }, "--evaluate=0")
        #expect(
            try run("train-reward-model", Self.reward + " --data-dir data --run-id rm-3 --evaluation-splits tset", status: 64)
                .contains("tset"))

        let ppo = try run("train-ppo", Self.policy.replacing("total_steps=500", with: "total_steps=2"))
        #expect(ppo.contains("ref_device is ignored"))
        #expect(exists("runs/ppo/final/model.safetensors"))
        #expect(
            try lines("runs/ppo/metrics.jsonl").contains { $0["mean_reward"] != nil && $0["kl_coef"] as? Double == 5 })

        try run("sample-best-of-n", Self.bestOfN + " --data-dir data --eval_dataset cnndm")
        #expect(try lines("bon/tables/test.jsonl").count == 48 && lines("bon/tables/ood_test.jsonl").count == 32)
        #expect(try lines("bon/tables/test_best_of_n.jsonl").count == 3)
        let curves = try String(contentsOf: folder.appendingPathComponent("bon/final/curves.csv"), encoding: .utf8)
        #expect(curves.split(separator: "\n").count == 17 && curves.hasPrefix("n,kl,ood_test,test\n"))

        // two of its metrics need models; without them they say so, with tiny ones all three run
        let missing = try run("calculate-diversity", Self.diversity, status: 65)
        #expect(missing.contains("nli_sample_from_sim"))
        let encoders = Fixtures.url("encoders").path
        try run(
            "calculate-diversity", Self.diversity,
            ["--embedding-model", "\(encoders)/bert", "--nli-model", "\(encoders)/roberta"])
        let report = try #require(try lines("runs/diversity/metrics.jsonl").last)
        for name in ["ead_averaged_distinct_ngrams", "nli_sample_from_sim", "sent_bert_from_sim"] {
            #expect((report["mean_per_input_" + name] as? Double)?.isFinite ?? false, "\(name)")
            #expect(report["overall_" + name] == nil, "--no_overall_input")
        }
        #expect(exists("runs/diversity/final/diversity.json"))

        // scoring: a column in a run's table, and in a file
        try run("rlhf-report", "score --score bon --table-names test --model-name runs/rm --output-dir .")
        let scored = try lines("bon/tables/test.jsonl")
        #expect(scored.count == 48)
        for row in scored {
            let (own, again) = (row["reward"] as? Double ?? .nan, row["proxy_reward"] as? Double ?? .nan)
            #expect(own.isFinite && again.isFinite)
        }
        try run("rlhf-report", "score --score bon/tables/ood_test.jsonl --score-column gold --model-name runs/rm")
        #expect(try lines("bon/tables/ood_test.scored.jsonl").allSatisfy { $0["gold"] is Double })
        // any rows of prompts and answers; their other columns stay
        try #"{"input": "POST: a\nTL;DR:", "response": " b", "from": "elsewhere", "tags": ["x", 1]}"#
            .write(to: folder.appendingPathComponent("own.jsonl"), atomically: true, encoding: .utf8)
        try run("rlhf-report", "score --score own.jsonl --model-name runs/rm")
        let own = try #require(try lines("own.scored.jsonl").first)
        #expect(own["from"] as? String == "elsewhere" && (own["tags"] as? [Any])?.count == 2)
        #expect(own["proxy_reward"] is Double && own["response"] as? String == " b")
        let taken = try run(
            "rlhf-report", "score --score own.jsonl --score-column response --model-name runs/rm", status: 64)
        #expect(taken.contains("--score-column"))
    }

    @Test("the switch runs through the stages as the original would")
    func compatible() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let size =
            "--hidden-size 16 --intermediate-size 24 --num-hidden-layers 2 --num-attention-heads 2 --vocabulary-size 300"
        let common = " --data-dir data --dataset summarisation --reference-compatible --freeze-layers 0.5"
        try run(
            "train-sft",
            "--from-scratch --max-steps 2 --per-device-train-batch-size 2 --gradient-accumulation-steps 2 --run-id sft "
                + size + common)
        try run("train-reward-model", "--model-name runs/sft --max-steps 2 --per-device-train-batch-size 2" + common)
        try run(
            "train-ppo",
            """
            model_name=runs/sft rf_model_dir=runs/rm total_steps=2 rollout_batch_size=2 rollout_accumulation_steps=2 learn_batch_size=1 \
            gradient_accumulation_steps=4 max_new_tokens=8 log_steps=1 adap_kl_ctrl=true importance_sampling_correction=true \
            use_gae_lambda_advantages=false use_global_advantage_norm=true
            """ + common)
        let metrics = try lines("runs/ppo/metrics.jsonl")
        #expect(!metrics.contains { $0["step"] as? Int == 0 && $0["validation_score"] != nil })
        #expect(metrics.contains { $0["gradient_norm"] != nil })
        try run(
            "sample-best-of-n",
            "--model-name runs/sft --rf-model-dir runs/rm --num-return-sequences 2 --max-new-tokens 8 --evaluation-splits test"
                + " --data-dir data --dataset summarisation --reference-compatible")
        try run(
            "calculate-diversity", "--run-ids bon --diversity-metrics averaged_distinct_ngrams --reference-compatible")
    }

    @Test("what a step consists of follows from how it is learned from, unless that is said, too")
    func rollouts() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try run(
            "train-sft",
            """
            --from-scratch --dataset summarisation --data-dir data --max-steps 1 --hidden-size 16 --intermediate-size 24 \
            --num-hidden-layers 2 --num-attention-heads 2 --vocabulary-size 300
            """)
        let policy = """
            model_name=runs/sft dataset=summarisation reward_function=length total_steps=1 max_new_tokens=4 learn_batch_size=2 \
            gradient_accumulation_steps=2 ppo_epochs=3 log_steps=1 appo_clip_policy=none appo_clip_baseline=none
            """
        for (id, more, rollouts, steps) in [
            ("follows", "", 4, 3), ("given", " rollout_batch_size=4 rollout_accumulation_steps=3", 12, 9),
        ] {
            try run("train-ppo", policy + more + " run_id=\(id)")
            let last = try #require(try lines("runs/\(id)/metrics.jsonl").last { $0["rollouts"] != nil })
            #expect(last["rollouts"] as? Int == rollouts && last["optimizer_steps"] as? Int == steps, "\(id)")
            #expect(last["clipped_policy_fraction"] == nil)
            #expect(
                try lines("runs/\(id)/metrics.jsonl").contains { ($0["validation_average_entropy"] as? Double ?? 0) > 1 })
        }
    }

    @Test("reward functions by name, a program of one's own among them, and what cannot be meant")
    func rewardFunctions() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try run(
            "train-sft",
            """
            --from-scratch --dataset summarisation --data-dir data --max-steps 1 --hidden-size 16 --intermediate-size 24 \
            --num-hidden-layers 2 --num-attention-heads 2 --vocabulary-size 300
            """)
        let scorer = folder.appendingPathComponent("scorer.sh")
        try #"""
        while read -r line; do id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/'); echo "{\"id\": $id, \"score\": 0.5}"; done
        """#.write(to: scorer, atomically: true, encoding: .utf8)
        let sampling =
            "--model-name runs/sft --dataset summarisation --data-dir data --num-return-sequences 2 --max-new-tokens 4 "
            + "--evaluation-splits test "
        for (name, extra) in [("rouge", ""), ("compression", ""), ("pattern", "--reward-pattern [a-z]")] {
            try run("sample-best-of-n", sampling + "--run-id \(name) --reward-function \(name) \(extra)")
            #expect(try lines("runs/\(name)/tables/test.jsonl").allSatisfy { $0["reward"] is Double })
        }
        // the same functions find the rows of a structured subset
        try run(
            "rlhf-report",
            "index --index-output index.json --index-scores scores --reward-function length --dataset summarisation --data-dir data")
        #expect(exists("scores/train.npy") && exists("scores/validation.npy") && exists("scores/test.npy"))
        let index = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: folder.appendingPathComponent("index.json")))
                as? [String: [Int]])
        #expect(index["train"]?.count == 16 && index["validation"]?.count == 2 && index["test"]?.count == 1)
        try run(
            "sample-best-of-n", sampling + "--run-id mood --reward-function sentiment",
            ["--rf-model-dir", Fixtures.url("encoders/bert").path])
        #expect(
            try lines("runs/mood/tables/test.jsonl").allSatisfy { (0.0...1).contains($0["reward"] as? Double ?? -1) })
        let label = try run(
            "sample-best-of-n", sampling + "--run-id mood-2 --reward-function sentiment --sentiment-label glad",
            ["--rf-model-dir", Fixtures.url("encoders/bert").path], status: 65)
        #expect(label.contains("glad") && label.contains("entailment"))
        try run(
            "sample-best-of-n", sampling + "--run-id own --reward-function process",
            ["--scorer-command", "sh scorer.sh"])
        #expect(try lines("runs/own/tables/test.jsonl").allSatisfy { $0["reward"] as? Double == 0.5 })
        let unknown = try run("sample-best-of-n", sampling + "--reward-function rogue", status: 64)
        #expect(unknown.contains("rouge"))
        let typo = try run("train-ppo", "modle_name=runs/sft", status: 64)
        #expect(typo.contains("model_name") || typo.contains("model-name"))
        #expect(
            try run("train-ppo", "--model-name runs/sft --dataset summarisation --data-dir data", status: 64).contains(
                "--rf-model-dir"))
    }
}
