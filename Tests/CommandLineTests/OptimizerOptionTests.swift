import ArgumentParser
import CommandLine
import Study
import Testing
import Train

/// `--optimizer` and `--optim` as users write them.
@Suite struct OptimizerOptionTests {
    private struct Command: ProgramCommand {
        @OptionGroup var training: TrainingOptions
    }
    private struct PolicyCommand: ProgramCommand {
        @OptionGroup var policy: PolicyOptions
    }

    @Test("names of this package and of Transformers are the same setting")
    func names() throws {
        for (words, name) in [
            ([], "adamw"), (["--optimizer", "lion"], "lion"), (["--optim=adamw_torch"], "adamw"), (["optim=lion_32bit"], "lion"),
            (["--optim", "AdamW"], "adamw"), (["--optimizer=adamw8bit"], "adamw8bit"), (["--optim=adamw_bnb_8bit"], "adamw8bit"),
            (["--optim=adafactor"], "adafactor"), (["optim=adamw_8bit"], "adamw8bit"), (["--optim", "paged_adamw_8bit"], "adamw8bit"),
        ] {
            #expect(try Command.parse(normalising: words).training.settings.optimizer == name, "\(words)")
            #expect(try PolicyCommand.parse(normalising: ["--model-name=x"] + words).policy.settings.optimizer == name, "\(words)")
        }
        for name in ["sgd", "lion_8bit", ""] {
            #expect(throws: (any Error).self) { try Command.parse(normalising: ["--optimizer=\(name)"]) }
        }
    }

    @Test("help names every optimiser")
    func help() {
        for text in [TrainingOptions.helpMessage(columns: 10_000), PolicyOptions.helpMessage(columns: 10_000)] {
            #expect(text.contains("Optimiser: \(OptimizerKind.list)."))
            #expect(text.contains("(values: \(OptimizerKind.allCases.map(\.rawValue).joined(separator: ", ")); default: adamw)"))
        }
    }
}
