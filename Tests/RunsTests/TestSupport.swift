import Data
import Foundation
import Runs
import Synchronization

/// Collects what is written to a terminal.
final class Recorder: Sendable {
    private let content = Mutex("")
    private let time = Mutex(0.0)

    var text: String { content.withLock { $0 } }

    var now: Double {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }

    func terminal(interactive: Bool, width: Int = 80) -> Terminal {
        Terminal(isInteractive: interactive, showsUnicode: false, width: { width }) { text in
            self.content.withLock { $0 += text }
        }
    }

    func forget() { content.withLock { $0 = "" } }
}

extension RunConfiguration {
    /// A configuration for tests.
    static func sample(_ stage: RunStage = .supervised, seed: Int64 = 1) -> RunConfiguration {
        RunConfiguration(
            stage: stage, program: "train-sft",
            options: ["seed": .integer(seed), "learning_rate": .number(1e-3), "checkpoint_limit": .integer(2)])
    }
}

extension SampleRow {
    /// A row for tests.
    static func sample(_ number: Int) -> SampleRow {
        SampleRow(
            id: "row-\(number)", input: "TITLE: \"a\"\nTL;DR:", response: " résumé \(number)", reference: " b",
            reward: 0.5 * Double(number), numbers: ["kl": 0.1])
    }
}
