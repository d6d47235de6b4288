import Formats
import Foundation
import Study
import Runs
import Testing
import _TestSupport

/// What a checkpoint of best-of-N sampling may hold.
@Suite struct BestOfNProgressTests {
    private func read(_ change: (inout [String: Any]) -> Void = { _ in }) throws -> BestOfNProgress {
        let folder = try TemporaryFolder()
        var content: [String: Any] = [
            "split": 1, "prompts": 2, "done": 3, "tokens": 4, "firstMean": 0.5, "bestMean": 1, "curve": [0.5, 1],
            "curves": ["test": [0.5, 1]],
        ]
        change(&content)
        try JSONSerialization.data(withJSONObject: content).write(to: folder["best-of-n.json"])
        return try BestOfNProgress.read(from: folder.url, n: 2)
    }

    @Test func whatWasWrittenIsRead() throws {
        _ = try read()
        _ = try read { $0["curve"] = [Double]() }
    }

    @Test("counts that no run comes to are refused", arguments: ["split", "prompts", "done", "tokens"])
    func counts(name: String) {
        #expect(throws: FileError.self) { try read { $0[name] = -1 } }
        #expect(throws: FileError.self) { try read { $0[name] = Int.max } }
    }

    @Test func aCurveOfAnotherLengthIsRefused() {
        #expect(throws: FileError.self) { try read { $0["curve"] = [1.0] } }
    }
}
