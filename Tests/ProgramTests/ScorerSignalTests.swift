import Foundation
import Testing

/// Programs with a scorer of the user's own: what signals and few descriptors do.
@Suite(.serialized) struct ScorerSignalTests {
    private let pipeline: TinyPipeline
    /// Answers every line with 1.
    private static let ones = #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": 1}/'"#

    init() throws { pipeline = try TinyPipeline.trained().pipeline }

    private func start(_ output: String, _ command: String, patience: Int = 600, shell: String? = nil) throws -> ProgramProcess {
        try ProgramProcess(
            "sample-best-of-n",
            [
                "--dataset", "data", "--model-name", "runs/sft", "--num-return-sequences", "2", "--max-new-tokens", "4", "--threads", "1",
                "--evaluation-splits", "test", "--output-dir", output, "--reward-function", "process", "--scorer-command", command,
                "--scorer-patience", "\(patience)",
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
        usleep(signal == SIGTERM ? 1_200_000 : 200_000)
        process.send(signal)
        let end = process.wait()
        #expect(end.status == 128 + signal, "\(end.status): \(end.errors)")
        #expect(Date().timeIntervalSince(start) < 8)
        let numbers = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { Int32($0) }
        #expect(numbers.count == 2)
        // made to end is not ended yet
        usleep(200_000)
        for number in numbers {
            let state = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
            #expect(kill(number, 0) != 0 || state.contains(") Z "), "\(state)")
        }
    }

    @Test("a first signal does not wait for a scorer that is silent: 75, no child, and the same command goes on")
    func firstSignal() throws {
        let file = pipeline.url("number")
        let command =
            "if [ -e \(file.path) ]; then exec \(Self.ones); fi; echo $$ > \(file.path).new; mv \(file.path).new \(file.path); sleep 60"
        // ten seconds of silence are enough of a longer patience
        let process = try start("first", command, patience: 3)
        #expect(process.wait { FileManager.default.fileExists(atPath: file.path) })
        process.send(SIGTERM)
        let end = process.wait()
        #expect(end.status == 75 && end.errors.contains("stopped on request without finishing this step"), "\(end.status): \(end.errors)")
        let number = try #require(Int32(try String(contentsOf: file, encoding: .utf8).dropLast()))
        #expect(kill(number, 0) != 0)
        let next = try start("first", command, patience: 3).wait()
        #expect(next.status == 0, "\(next.status): \(next.errors)")
    }

    @Test("a signal in the first step of train-ppo, and in the first after a resume, leaves a checkpoint of that step")
    func firstStepOfTraining() throws {
        let (file, arguments) = (pipeline.url("in-step"), TinyPipeline.arguments("train-ppo"))
        // the scorer tells that the step waits for it, and answers a second later
        let command =
            "(IFS= read -r line; : > \(file.path); sleep 1; printf '%s\\n' \"$line\"; exec cat) | \(Self.ones)"
        let own = [
            "--reward-function", "process", "--scorer-command", command, "--evaluate-at-start", "false", "--output-dir", "stopped",
            "--checkpoint-steps", "100",
        ]
        for step in 1...2 {
            try? FileManager.default.removeItem(at: file)
            let process = try ProgramProcess("train-ppo", TinyPipeline.options(arguments, with: own), in: pipeline.folder)
            #expect(process.wait { FileManager.default.fileExists(atPath: file.path) })
            process.send(SIGTERM)
            let end = process.wait()
            #expect(end.status == 75 && end.errors.contains("run the same command again to resume"), "\(end.status): \(end.errors)")
            #expect(pipeline.checkpoints("stopped/ppo").last == "step-00000\(step)", "\(end.errors)")
        }
    }

    @Test("few descriptors are an error of one line, not a crash")
    func fewDescriptors() throws { for limit in [7, 8, 9, 10] { try fewDescriptors(limit) } }

    private func fewDescriptors(_ limit: Int) throws {
        let end = try start("few-\(limit)", Self.ones, shell: "ulimit -n \(limit)").wait()
        #expect([0, 66, 73, 74].contains(end.status), "\(end.status): \(end.errors)")
        #expect(end.status == 0 || end.errors.contains("sample-best-of-n: error: "), "\(end.errors)")
        #expect(!end.errors.contains("Fatal error"), "\(end.errors)")
    }
}
