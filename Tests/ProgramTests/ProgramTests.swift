import Foundation
import Testing

/// The programs, run as a user runs them.
@Suite(.serialized) struct ProgramTests {
    static let programs = ["train-sft", "train-reward-model", "train-ppo", "train-preference", "sample-best-of-n", "calculate-diversity"]

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        try Programs.run(program, arguments)
    }

    private func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("programs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private static let reports = ["compare", "html", "sample", "prefer", "experiment", "methods", "history", "score", "index", "export"]
        .map { "rlhf-report \($0)" }

    @Test(
        "Docs/options.md has the help of each program; `make options` brings it up to date",
        arguments: programs + ["rlhf-report"] + reports)
    func options(program: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appendingPathComponent("Docs/options.md"), encoding: .utf8)
        let words = program.split(separator: " ").map(String.init)
        let help = try run(words[0], words.dropFirst() + ["--help"]).output
        #expect(document.contains("## \(program)\n\n```\n\(help)```\n"), "Docs/options.md is stale: run make options")
    }

    @Test("help names the program and its options", arguments: programs)
    func help(program: String) throws {
        let result = try run(program, ["--help"])
        #expect(result.status == 0)
        #expect(result.output.contains("USAGE: \(program)"))
        #expect(result.output.contains("--output-dir"))
        #expect(result.errors.isEmpty)
        // an example that goes on in the next line says so, or pasting it would run half of it
        let lines = result.output.components(separatedBy: "\n")
        for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("  \(program) ") {
            #expect(!next.hasPrefix("   ") || line.hasSuffix("\\"), "\(line)\n\(next)")
        }
        // what a newcomer needs comes first, and fits a screen
        let short = try run(program, ["-h"]).output
        #expect(short.hasSuffix("\n") && short.split(separator: "\n", omittingEmptySubsequences: false).count <= 41)
        #expect(short.split(separator: "\n").allSatisfy { $0.count <= 80 })
        for columns in [50, 60] {
            let narrow = try Programs.run(program, ["-h"], columns: columns).output
            #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= columns }, "\(narrow)")
            #expect(narrow.contains("MOST USED OPTIONS"))
        }
        #expect(short.contains("MOST USED OPTIONS") && result.output.hasPrefix(short.prefix { $0 != "(" }))
    }

    @Test("an unknown option is one line that names the nearest one", arguments: programs)
    func unknownOption(program: String) throws {
        let result = try run(program, ["--sead", "3"])
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.errors.contains("--sead") && result.errors.contains("--seed"))
    }

    @Test("missing files are named, and nothing is left half-written")
    func missingInput() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let missing = folder.appendingPathComponent("absent").path
        let cases = [
            ("train-sft", ["--model-name", missing]), ("train-sft", ["--from-scratch", "--dataset", missing]),
            ("train-reward-model", ["--model-name", missing]),
            ("train-ppo", ["--model-name", missing, "--rf-model-dir", missing]),
            ("sample-best-of-n", ["--model-name", missing, "--rf-model-dir", missing]),
            ("calculate-diversity", ["--decodes", missing]),
        ]
        for (program, arguments) in cases {
            let result = try run(program, arguments + ["--output-dir", folder.appendingPathComponent("runs").path])
            #expect(result.status != 0, "\(program) \(arguments)")
            #expect(result.errors.contains("absent"), "\(program): \(result.errors)")
            #expect(!result.errors.contains("Fatal error"), "\(program): \(result.errors)")
        }
    }

    @Test("meaningless numbers are refused")
    func badValues() throws {
        for (program, arguments) in [
            ("train-sft", ["--from-scratch", "--max-steps", "0"]),
            ("train-sft", ["--from-scratch", "--hidden-size", "30", "--num-attention-heads", "4"]),
            ("train-sft", []), ("train-sft", ["--from-scratch", "--learning-rate", "fast"]),
            ("sample-best-of-n", ["--model-name", "a", "--rf-model-dir", "b", "--top-p", "2"]),
        ] {
            let folder = try temporaryFolder()
            defer { try? FileManager.default.removeItem(at: folder) }
            let result = try run(program, arguments + ["--output-dir", folder.path])
            #expect(result.status != 0, "\(program) \(arguments)")
            #expect(!result.errors.isEmpty && !result.errors.contains("Fatal error"))
        }
    }

    @Test("a tiny pipeline runs through all five programs, and a finished run is not repeated")
    func pipeline() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let experiment = folder.appendingPathComponent("experiment").path
        let runs = experiment + "/seed-3"
        func step(_ program: String, _ arguments: [String]) throws {
            let result = try run(program, arguments + ["--output-dir", runs, "--seed", "3"])
            #expect(result.status == 0, "\(program): \(result.errors)")
        }
        func text(_ file: String) throws -> String { try String(contentsOfFile: "\(runs)/\(file)", encoding: .utf8) }
        let supervised = [
            "--from-scratch", "--max-train-examples", "200", "--max-steps", "6", "--hidden-size", "32",
            "--intermediate-size", "64", "--num-hidden-layers", "2", "--num-attention-heads", "2", "--vocabulary-size",
            "400", "--target-eval-datapoints", "8", "--logging-steps", "2", "--save-steps", "3",
        ]
        try step("train-sft", supervised)
        try step(
            "train-reward-model",
            [
                "--model-name", "\(runs)/sft", "--simulated-prompts", "12", "--simulated-evaluation-prompts", "4",
                "--max-new-tokens", "8", "--max-steps", "2", "--freeze-layers", "0.5", "--classifier-dir", "classifier",
            ])
        #expect(try text("rm/classifier/config.json").contains("LlamaForSequenceClassification"))
        try step(
            "train-ppo",
            [
                "model_name=\(runs)/sft", "rf_model_dir=\(runs)/rm", "total_steps=2", "rollout_batch_size=4",
                "learn_batch_size=2", "max_new_tokens=8", "freeze_layers=0.5", "training_target_eval_datapoints=4",
                "save_dtype=bf16", "max_shard_size=50KB",
            ])
        #expect(try text("ppo/final/config.json").contains("bfloat16"))
        #expect(try text("ppo/final/model.safetensors.index.json").contains("model-00002-of-"))
        let sampling = ["--num-return-sequences", "4", "--max-new-tokens", "8", "--target-eval-datapoints", "4"]
        try step(
            "sample-best-of-n",
            ["--run-id", "bon", "--model-name", "\(runs)/sft", "--rf-model-dir", "\(runs)/rm", "--groups", "2"]
                + sampling)
        try step(
            "sample-best-of-n",
            [
                "--run-id", "samples-kl-0.05", "--model-name", "\(runs)/ppo", "--rf-model-dir", "\(runs)/rm",
                "--reference-model", "\(runs)/sft",
            ] + sampling)
        try step("calculate-diversity", ["--run-ids", "bon", "--diversity-metrics", "ead_averaged_distinct_ngrams"])
        try step(
            "rlhf-report",
            [
                "compare", "--summary-dir", runs, "--sft-run", "sft", "--rm-run", "rm", "--ppo-run", "ppo", "--sft-samples-run",
                "bon",
                "--ppo-samples-run", "samples-kl-0.05",
            ])
        let summary = try String(contentsOfFile: "\(runs)/summary.json", encoding: .utf8)
        for key in ["validation_loss", "accuracy_ood", "per_input_ead", "across_input_ead", "eos_share"] {
            #expect(summary.contains("\"\(key)\""))
        }
        try step("rlhf-report", ["experiment", "--experiment-dir", experiment])
        let table = try String(contentsOfFile: "\(experiment)/experiment.md", encoding: .utf8)
        #expect(table.hasPrefix("# generated: 1 seed") && table.contains("| PPO kl 0.05 "))
        let again = try run("train-sft", supervised + ["--output-dir", runs, "--seed", "3"])
        #expect(again.status == 0 && again.errors.contains("complete"))
        let wrongKind = try run(
            "train-ppo", ["--model-name", "\(runs)/rm", "--rf-model-dir", "\(runs)/rm", "--output-dir", runs])
        #expect(wrongKind.status != 0 && wrongKind.errors.contains("rm"))
    }
}
