import Foundation
import Testing

/// `Examples/Experiment/methods.sh` at its smallest scale: every method runs, the report holds all of them, and what is complete is not done again.
@Suite struct MethodStudyProgramTests {
    private func study(_ out: URL, _ environment: [String: String] = [:]) throws -> (status: Int32, errors: String) {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [root.appendingPathComponent("Examples/Experiment/methods.sh").path, "tiny"]
        let own = [
            "BIN": ProgramProcess.binaries.path, "OUT": out.path, "SEEDS_OF_STUDY": "1", "SENTENCE_ENCODER": out.path,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(own) { $1 }.merging(environment) { $1 }
        // a file rather than a pipe: nobody has to read while the programs run
        let log = out.deletingLastPathComponent().appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        process.standardError = try FileHandle(forWritingTo: log)
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }

    @Test("a tiny study of all methods runs, and goes on where it was")
    func tiny() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("methods-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let out = folder.appendingPathComponent("study")
        // a first session makes two of the methods, and the report names the others
        let first = try study(out, ["METHODS": "best-of-n dpo"])
        #expect(first.status == 0, "\(first.errors.suffix(2000))")
        let partial = try String(contentsOf: out.appendingPathComponent("methods.md"), encoding: .utf8)
        #expect(partial.contains("| DPO ") && partial.contains("- seed 1: GRPO, KL weight 0.2 is missing (run samples-grpo-0.2)"))
        let second = try study(out)
        #expect(second.status == 0, "\(second.errors.suffix(2000))")
        #expect(second.errors.contains("seed-1/dpo-0.1 is complete"))
        let markdown = try String(contentsOf: out.appendingPathComponent("methods.md"), encoding: .utf8)
        for method in [
            "SFT", "best-of-N", "soft best-of-N", "distilled best-of-N", "rejection sampling", "PPO", "RLOO", "GRPO", "REINFORCE++", "DPO",
            "IPO", "KTO", "SimPO", "ORPO",
        ] {
            #expect(markdown.contains("\n| \(method) "), "\(method)")
        }
        #expect(markdown.hasPrefix("# generated: 14 methods, 1 seed") && !markdown.contains("## Missing"))
        #expect(try String(contentsOf: out.appendingPathComponent("methods.svg"), encoding: .utf8).hasPrefix("<svg "))
    }

    @Test("a scale or a method that there is not is refused before anything runs")
    func refused() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("methods-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let end = try study(folder.appendingPathComponent("study"), ["METHODS": "best-of-n dqo"])
        #expect(end.status == 2 && end.errors.contains("METHODS has the unknown name \"dqo\""))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
