import Foundation
import Testing

/// Programs that are started without some of the standard streams, or with one that cannot be written.
@Suite struct StandardStreamsTests {
    @Test("messages of a run without standard streams reach none of its files", arguments: ["2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-"])
    func training(closed: String) throws {
        let (pipeline, expected) = try TinyPipeline.trained()
        let end = try pipeline.start("train-sft", output: "closed", shell: "exec \(closed)").wait()
        #expect(end.status == 0 && end.errors.isEmpty, "\(end.status): \(end.errors)")
        #expect(try pipeline.results("closed/sft") == expected)
        let names = try #require(FileManager.default.enumerator(atPath: pipeline.url("closed").path))
        var files = 0
        for case let name as String in names {
            guard let content = try? Data(contentsOf: pipeline.url("closed/\(name)")) else { continue }
            files += 1
            for message in ["memory: expected peak", "options other than the defaults", "the result is in "] {
                #expect(content.range(of: Data(message.utf8)) == nil, "\(name)")
            }
        }
        #expect(files > 10)
    }

    @Test("help succeeds without standard error, and fails where it cannot be written")
    func help() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func ended(_ program: String, _ words: String, _ redirection: String) throws -> (status: Int32, errors: String) {
            try ProgramProcess(program, words.split(separator: " ").map(String.init), in: folder, shell: "exec \(redirection)").wait()
        }
        #expect(try ended("train-sft", "--help", "2>&-").status == 0)
        // a long text and a short one
        for (program, words) in [("train-sft", "--help"), ("rlhf-report", "--version")] {
            for redirection in ["1>&-", "1>/dev/full"] where redirection == "1>&-" || FileManager.default.fileExists(atPath: "/dev/full") {
                let end = try ended(program, words, redirection)
                #expect(end.status == 74, "\(program) \(redirection): \(end.errors)")
                #expect(end.errors.hasPrefix("\(program): error: cannot write to standard output"), "\(end.errors)")
            }
        }
    }
}
