import ArgumentParser
import CommandLine
import Foundation
import Runs
import Testing
import _TestSupport

/// What `--print-config` writes is what `--config` reads.
@Suite("Configuration templates")
struct ConfigurationTemplateTests {
    struct Command: ProgramCommand {
        static let configuration = CommandConfiguration(commandName: "a-command")

        @Option(help: "A name that must be given.")
        var modelName: String
        @Option(help: "A number with a default, and a help text that is long enough to be broken into more than one line of comments.")
        var learningRate = 1e-5
        @Option(help: "A yes or no.")
        var doTrain = true
        @Option(help: "A list.")
        var words = ArgumentList<String>(["a", "b"])
        @Option(help: "Another list.")
        var splits = ArgumentList<String>([])
        @Option(help: "A text without a default.")
        var text: String?
        @Option(help: "A file.")
        var config: String?
    }

    private func template(_ words: [String]) throws -> String {
        let given = try CommandLineArguments.normalise(words, program: "a-command", table: Command.optionTable)
        return try ConfigurationTemplate.text(of: Command.self, name: "a-command", given: given)
    }

    private func parsed(_ words: [String], config: String) throws -> Command {
        let folder = try TemporaryFolder()
        try config.write(to: folder["c.yaml"], atomically: true, encoding: .utf8)
        return try Command.parse(normalising: words + ["--config", folder["c.yaml"].path])
    }

    @Test("every option with its help and its default; what has none is a comment")
    func defaults() throws {
        let text = try template([])
        #expect(text.contains("\n# A name that must be given.\n# model-name:    (required)\n"))
        #expect(text.contains("\nlearning-rate: 1e-05\n") && text.contains("\ndo-train: true\n") && text.contains("\nwords: [a, b]\n"))
        #expect(text.contains("\n# text:\n") && !text.contains("config:"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 104 })
        let command = try parsed(["--model-name", "m"], config: text)
        #expect(command.resolvedOptions == (try Command.parse(normalising: ["--model-name", "m"])).resolvedOptions)
    }

    @Test(
        "values come back whatever they look like",
        arguments: [
            "plain", "null-like", "yes", "no", "12", "1e5", "true", "a: b", "# no comment", "- item", "[x]", "{y}", "it's", "say \"hi\"",
            "back\\slash", "line\nbreak", "tab\there", "é ü 漢字 😀", "*alias", "&anchor", "!tag", "%", "@", "`", " leading", "trailing ",
            "--- ",
            "...", "-", "a, b", "\u{2028}", "C:\\path", "~", "?", ":", "|", ">",
        ])
    func awkward(value: String) throws {
        let given = ["--model-name=\(value)", "--words", "[\"a,b\",\"c\"]", "--learning-rate", "0.5"]
        let text = try template(given)
        let command = try parsed([], config: text)
        #expect(command.modelName == value && command.words.values == ["a,b", "c"] && command.learningRate == 0.5)
    }

    @Test(
        "a value that the program would reject is rejected here, in whatever group it is",
        arguments: [
            ["--learning-rate=-5"], ["--threads=-1"], ["--dtype=f99"], ["--num-train-epochs=x"], ["--max-grad-norm=nan"],
            ["--from-scratch", "--hidden-size=7"], ["--checkpoint-limit=99999999999"], ["--model-name=m", "--from-scratch"],
        ])
    func wrongValues(words: [String]) throws {
        #expect(throws: CommandLineError.self) { try Self.fineTuning(words) }
    }

    @Test("what must be given may be missing, in the command and in a group")
    func missing() throws {
        let text = try Self.fineTuning(["--prompt-loss-weight=0.5", "--learning-rate=1e-3", "--threads=1"])
        #expect(text.contains("\nprompt-loss-weight: 0.5\n") && text.contains("\nlearning-rate: 1e-3\n"))
        #expect(text.contains("\n# model-name:"))
    }

    struct FineTuning: ProgramCommand {
        static let configuration = CommandConfiguration(commandName: "fine-tuning")
        @OptionGroup(title: "Model") var model: StartingModelOptions
        @OptionGroup(title: "Training") var training: TrainingOptions
        @OptionGroup(title: "Run") var runs: RunOptions
    }

    private static func fineTuning(_ words: [String]) throws -> String {
        let given = try CommandLineArguments.normalise(words, program: "fine-tuning", table: FineTuning.optionTable)
        return try ConfigurationTemplate.text(of: FineTuning.self, name: "fine-tuning", given: given)
    }
}
