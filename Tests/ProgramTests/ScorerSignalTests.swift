import Foundation
import Testing

/// Programs with a scorer of the user's own: what signals and few descriptors do.
@Suite(.serialized) struct ScorerSignalTests {
    private let pipeline: TinyPipeline

    init() throws { pipeline = try TinyPipeline.trained().pipeline }

    private func start(_ output: String, _ command: String, shell: String? = nil) throws -> ProgramProcess {
        try ProgramProcess(
            "sample-best-of-n",
            [
                "--dataset", "data", "--model-name", "runs/sft", "--num-return-sequences", "2", "--max-new-tokens", "4", "--threads", "1",
                "--evaluation-splits", "test", "--output-dir", output, "--reward-function", "process", "--scorer-command", command,
            ], in: pipeline.folder, shell: shell)
    }

    @Test("a second signal while a scorer is waited for ends the program at once and leaves no child")
    func secondSignal() throws { for signal in [SIGINT, SIGTERM] { try secondSignal(signal) } }

    private func secondSignal(_ signal: Int32) throws {
        let file = pipeline.url("numbers-\(signal)")
        let process = try start(
            "out-\(signal)",
            "trap '' TERM INT; sleep 60 & printf '%s\\n' $$ $! > \(file.path).new; mv \(file.path).new \(file.path); wait; sleep 60")
        #expect(process.wait { FileManager.default.fileExists(atPath: file.path) })
        let start = Date()
        process.send(signal)
        usleep(200_000)
        process.send(signal)
        let end = process.wait()
        #expect(end.status == 128 + signal, "\(end.status): \(end.errors)")
        #expect(Date().timeIntervalSince(start) < 8)
        let numbers = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { Int32($0) }
        #expect(numbers.count == 2)
        for number in numbers {
            let state = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
            #expect(kill(number, 0) != 0 || state.contains(") Z "), "\(state)")
        }
    }

    @Test("few descriptors are an error of one line, not a crash")
    func fewDescriptors() throws { for limit in [7, 8, 9, 10] { try fewDescriptors(limit) } }

    private func fewDescriptors(_ limit: Int) throws {
        let command = #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": 1}/'"#
        let end = try start("few-\(limit)", command, shell: "ulimit -n \(limit)").wait()
        #expect([0, 66, 73, 74].contains(end.status), "\(end.status): \(end.errors)")
        #expect(end.status == 0 || end.errors.contains("sample-best-of-n: error: "), "\(end.errors)")
        #expect(!end.errors.contains("Fatal error"), "\(end.errors)")
    }
}
