import Foundation
import Testing
import _TestSupport

/// `--print-config`, `--version`, completion scripts, and the configuration files of the examples.
@Suite("Configuration files of programs")
struct ConfigurationProgramTests {
    private static let programs = [
        "train-sft", "train-reward-model", "train-ppo", "train-preference", "sample-best-of-n", "calculate-diversity",
    ]

    private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        try Programs.run(program, arguments)
    }

    @Test("the whole configuration can be read back and is the same then", arguments: programs)
    func template(program: String) throws {
        let folder = try TemporaryFolder()
        let first = try run(program, ["--print-config", "--seed", "7"])
        #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
        #expect(first.output.contains("\nseed: 7\n") && first.output.contains("\n# Seed of every random choice of the run.\n"))
        let file = folder["all.yaml"]
        try first.output.write(to: file, atomically: true, encoding: .utf8)
        let second = try run(program, ["--config", file.path, "--print-config"])
        #expect(second.status == 0 && second.output == first.output, "\(second.errors)")
        let wrong = try run(program, ["--print-config", "--seed", "many"])
        #expect(wrong.status == 64 && wrong.output.isEmpty)
    }

    /// Options for which a report's configuration is written: none, and some of which each excludes or needs others.
    private static let reports: [(name: String, words: [String])] = [
        ("compare", []), ("compare", ["--sft-run", "a"]), ("html", []), ("html", ["a", "b"]),
        ("html", ["a", "--pictures", "p", "--picture-formats", "svg,pdf"]), ("sample", []), ("sample", ["a", "--prompts", "p.jsonl"]),
        ("prefer", []), ("prefer", ["--systems", "a,b"]), ("prefer", ["--systems", "a,b", "--judge-command", "x"]),
        ("prefer", ["--judge-url", "http://localhost:1/v1/chat/completions"]), ("prefer", ["--judge-comparisons", "c.jsonl"]),
        ("experiment", []), ("methods", []), ("history", []), ("history", ["--metrics", "loss"]), ("score", []),
        ("score", ["--model-name", "m"]), ("score", ["--reward-function", "length", "--score", "rows.jsonl"]), ("index", []),
        ("index", ["--reward-function", "sentiment"]), ("export", []),
    ]

    @Test("the configuration of a report can be read back and is the same then", arguments: reports)
    func reportTemplate(name: String, words: [String]) throws {
        let folder = try TemporaryFolder()
        let first = try run("rlhf-report", [name] + words + ["--print-config"])
        #expect(first.status == 0 && first.errors.isEmpty && first.output.contains("\nseed: 42\n"), "\(first.errors)")
        let file = folder["all.yaml"]
        try first.output.write(to: file, atomically: true, encoding: .utf8)
        let second = try run("rlhf-report", [name, "--config", file.path, "--print-config"])
        #expect(second.status == 0 && second.output == first.output, "\(second.errors)")
    }

    @Test("what excludes each other is refused when the configuration is written")
    func exclusion() throws {
        for (name, words) in [
            ("score", ["--model-name", "m", "--reward-function", "length"]),
            ("prefer", ["--systems", "a,b", "--judge-command", "x", "--judge-requests", "y"]),
            ("html", ["--picture-formats", "pdf"]), ("html", ["a", "--picture-formats", "gif"]),
        ] {
            let result = try run("rlhf-report", [name] + words + ["--print-config"])
            #expect(result.status == 64 && result.output.isEmpty, "\(name) \(words)")
        }
    }

    @Test(
        "the examples' configuration files are read by their programs",
        arguments: [
            ("train-sft", "sft"), ("train-reward-model", "reward-model"), ("train-ppo", "ppo"), ("train-preference", "preference"),
            ("sample-best-of-n", "best-of-n"), ("calculate-diversity", "diversity"),
        ])
    func examples(program: String, name: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Examples/Configs/\(name).yaml").path
        let result = try run(program, ["--config", file, "--print-config"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(!result.output.contains("(required)"), "\(name)")
    }

    @Test("--version names the version, the kernels and OpenBLAS", arguments: programs + ["rlhf-report"])
    func version(program: String) throws {
        let result = try run(program, ["--version"])
        #expect(result.status == 0 && result.output.hasPrefix("\(program) 0.1.0 (swift-rlhf, "), "\(result)")
        #expect(result.output.contains("\nkernels: ") && result.output.contains("\nBLAS: OpenBLAS "))
    }

    @Test("completion scripts for three shells", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) throws {
        for program in Self.programs + ["rlhf-report"] {
            let result = try run(program, ["--generate-completion-script", shell])
            #expect(result.status == 0 && result.output.contains(program) && result.output.count > 1000, "\(program)")
        }
    }
}
