import ArgumentParser
import CommandLine
import Report
import Runs
import Study
import Testing

/// How a finished model is stored.
struct SavingOptionsTests {
    private struct Command: ProgramCommand {
        @OptionGroup var saving: SavingOptions
    }

    @Test func whatIsNotThereIsRefused() throws {
        #expect(
            try Command.parse(normalising: ["--save-dtype", "bf16", "--max-shard-size", "1GB"]).saving.saveDtype
                == "bf16")
        for arguments in [["--save-dtype", "int8"], ["--max-shard-size", "large"]] {
            #expect(throws: (any Error).self) { try Command.parse(normalising: arguments) }
        }
    }
}
