import CommandLine
import Foundation
import Runs
import Testing
import _TestSupport

@Suite struct RunInUseTests {
    @Test func refusesAnotherProcess() async throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        await #expect(processExitsWith: .exitCode(ProgramExit.tryAgain.rawValue)) {
            [path = folder["a"].path as String, message = folder["message"].path as String] in
            let file = URL(fileURLWithPath: message)
            let status = Program.run("train-sft", errors: { try? Data($0.utf8).write(to: file) }) {
                _ = try RunFolder(at: URL(fileURLWithPath: path), configuration: .sample())
            }
            exit(status.rawValue)
        }
        #expect(
            text(of: folder["message"]) == "train-sft: error: \(run.url.path) is in use by train-sft "
                + "(process \(getpid())); wait until it ends, or choose another run\n")
    }
}
