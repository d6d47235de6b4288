import Foundation
import Testing

/// What signals do to programs at work.
@Suite(.serialized) struct SignalTests {
    private let pipeline: TinyPipeline
    private let expected: [String: Data]

    init() throws { (pipeline, expected) = try TinyPipeline.trained() }

    @Test("SIGTERM and SIGINT end with a checkpoint and 75", arguments: [SIGTERM, SIGINT, SIGHUP])
    func stopping(signal: Int32) throws {
        let process = try pipeline.start("train-sft", output: "stopped")
        #expect(process.wait { !pipeline.checkpoints("stopped/sft").isEmpty })
        process.send(signal)
        let end = process.wait()
        // under nohup a hangup is ignored
        if signal == SIGHUP, end.status == 0 { return }
        #expect(end.status == 75, "\(end.status): \(end.errors)")
        #expect(end.errors.contains("run the same command again to resume"))
        #expect(!pipeline.isFinished("stopped/sft"))
        try pipeline.expectRecovery(of: expected, "stopped", "signal \(signal)")
    }

    @Test("SIGUSR1 writes a checkpoint beside those at the interval, and the run goes on")
    func checkpointOnDemand() throws {
        let extra = ["--save-steps", "1000", "--checkpoint-limit", "9"]
        let process = try pipeline.start("train-sft", output: "asked", extra: extra)
        // signals are heard before the folder is there, and answered behind the first step
        let configuration = pipeline.url("asked/sft/config.json").path
        #expect(process.wait { FileManager.default.fileExists(atPath: configuration) })
        process.send(SIGUSR1)
        #expect(process.wait().status == 0)
        // the one asked for, and that of the last step, which comes before the final evaluation
        #expect(pipeline.checkpoints("asked/sft").count == 2)
        #expect(pipeline.checkpoints("asked/sft").last == "step-000010")
        #expect(try pipeline.results("asked/sft") == expected)
    }

    @Test("a stop during the final evaluation keeps all steps, and ends at once")
    func stoppedBehindTheLastStep() throws {
        let extra = ["--save-steps", "1000"]
        let process = try pipeline.start("train-sft", output: "behind", extra: extra)
        #expect(process.wait { pipeline.checkpoints("behind/sft") == ["step-000010"] })
        process.send(SIGTERM)
        let end = process.wait()
        #expect([0, 75].contains(end.status), "\(end.status): \(end.errors)")
        let errors = try pipeline.expectRecovery(of: expected, "behind", extra: extra, "final evaluation")
        #expect(end.status == 0 || errors.contains("resuming from step 10"), "\(errors)")
    }

    @Test("what has no steps ends at once with 75, leaves nothing half-written, and begins again")
    func stoppedWithoutSteps() throws {
        for program in ["train-reward-model", "train-ppo", "sample-best-of-n"] {
            let end = try pipeline.start(program).wait()
            #expect(end.status == 0, "\(program): \(end.errors)")
        }
        // long enough to be met at work
        let extra = ["--bootstrap-resamples", "300000", "--text-metrics"]
        let process = try pipeline.start("calculate-diversity", output: "ended", extra: extra)
        let configuration = pipeline.url("ended/diversity/config.json").path
        #expect(process.wait { FileManager.default.fileExists(atPath: configuration) })
        process.send(SIGTERM)
        let end = process.wait()
        #expect(end.status == 75 && end.errors.contains("stopped by a signal"), "\(end.status): \(end.errors)")
        #expect(!pipeline.isFinished("ended/diversity"))
        for output in ["ended", "unbroken"] {
            let end = try pipeline.start("calculate-diversity", output: output, extra: extra).wait()
            #expect(end.status == 0, "\(end.errors)")
        }
        #expect(try pipeline.results("ended/diversity") == pipeline.results("unbroken/diversity"))
    }
}
