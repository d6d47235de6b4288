import ArgumentParser
import CommandLine
import Study
import Testing

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
            (["--optim", "AdamW"], "adamw"),
        ] {
            #expect(try Command.parse(normalising: words).training.settings.optimizer == name, "\(words)")
            #expect(try PolicyCommand.parse(normalising: ["--model-name=x"] + words).policy.settings.optimizer == name, "\(words)")
        }
        for name in ["sgd", "lion_8bit", ""] {
            #expect(throws: (any Error).self) { try Command.parse(normalising: ["--optimizer=\(name)"]) }
        }
    }
}
