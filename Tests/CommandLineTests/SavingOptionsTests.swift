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

    @Test func sizes() {
        for (text, bytes) in [
            ("5GB", 5_000_000_000), ("500 mb", 500_000_000), ("1.5kb", 1500), ("2GiB", 2 << 30), ("3MiB", 3 << 20),
            ("4096", 4096),
            ("7B", 7),
        ] {
            #expect(SavingSettings.bytes(text) == bytes, "\(text)")
        }
        for text in ["", "GB", "-1GB", "0", "1TB", "many", "1e9", "0.5", "99999999999GB", "nan", "0x10"] {
            #expect(SavingSettings.bytes(text) == nil, "\(text)")
        }
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
