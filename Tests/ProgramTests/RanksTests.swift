import Foundation
import MPICollective
import Testing
import _TestSupport

/// Whether there is an mpirun in PATH.
private var hasLauncher: Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/mpirun") }
}

/// Programs that mpirun starts as several processes. They need a build with MPI, and Open MPI's mpirun.
@Suite(.serialized, .enabled(if: MPICollective.isBuilt && hasLauncher))
struct RanksTests {
    private let pipeline: TinyPipeline

    init() throws { pipeline = try TinyPipeline() }

    /// Starts a program on some ranks.
    private func start(_ program: String, ranks: Int, _ arguments: [String]) throws -> ProgramProcess {
        try ProgramProcess(
            program, arguments, in: pipeline.folder,
            shell: "exec mpirun --oversubscribe --allow-run-as-root --bind-to none -n \(ranks) \"$0\" \"$@\"",
            environment: [
                // the seconds after which mpirun passes SIGTERM on, and those until SIGKILL
                "OMPI_MCA_odls_base_sigkill_timeout": "2",
                // containers may forbid processes to read each other's memory, which Open MPI would report in lines of its own
                "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
            ])
    }

    /// Starts supervised training on some ranks.
    private func supervised(_ output: String, ranks: Int, extra: [String] = []) throws -> ProgramProcess {
        try start(
            "train-sft", ranks: ranks,
            TinyPipeline.options(TinyPipeline.arguments("train-sft") + ["--output-dir", output], with: ["--threads", "1"] + extra))
    }

    /// The numbers of a run's metrics, by step and name.
    private func metrics(_ run: String) throws -> [String: Double] {
        var values: [String: Double] = [:]
        for line in try String(contentsOf: pipeline.url("\(run)/metrics.jsonl"), encoding: .utf8).split(separator: "\n") {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let step = object["step"] as? Int ?? -1
            for (name, value) in object where name != "step" { values["\(name) of step \(step)"] = value as? Double }
        }
        return values
    }

    private func expectSameMetrics(_ run: String, _ other: String) throws {
        let (a, b) = (try metrics(run), try metrics(other))
        #expect(!a.isEmpty && Set(a.keys) == Set(b.keys))
        for (name, value) in a where !isUndecided(name, in: b) {
            expectClose([value], [b[name] ?? .nan], relative: 1e-4, absolute: 1e-4, label: "\(run): \(name)")
        }
    }

    /// Whether a metric is an accuracy whose margin is only rounding: before its first update, a policy equals its reference.
    private func isUndecided(_ name: String, in values: [String: Double]) -> Bool {
        name.contains("accuracy") && values[name.replacing("accuracy", with: "margin")].map { abs($0) < 1e-4 } ?? false
    }

    /// The process numbers of the ranks of a running mpirun.
    private func ranks(of process: ProgramProcess) -> [Int32] {
        let tasks = "/proc/\(process.pid)/task"
        let children = ((try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []).flatMap { task in
            ((try? String(contentsOfFile: "\(tasks)/\(task)/children", encoding: .utf8)) ?? "").split(separator: " ").compactMap {
                Int32($0)
            }
        }
        return children.sorted().filter {
            (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8))?.hasPrefix("train-sft") ?? false
        }
    }

    @Test("all three programs, with two and three processes, against one")
    func programs() throws {
        let common = [
            "--seed", "3", "--threads", "1", "--dataset", "data", "--model-name", "runs1/sft", "--logging-steps", "1", "--eval-steps", "2",
        ]
        let sampled = ["--simulated-prompts", "12", "--simulated-evaluation-prompts", "4", "--max-new-tokens", "6"]
        let steps = ["--max-steps", "4", "--per-device-train-batch-size", "4", "--freeze-layers", "0.5"]
        for ranks in 1...3 {
            let end = try supervised("runs\(ranks)", ranks: ranks).wait()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.errors.components(separatedBy: "MB per step to the others").count == (ranks > 1 ? 2 : 1), "\(end.errors)")
            for (program, own) in [("train-reward-model", ["--save-preds"]), ("train-preference", ["--kl-prompts", "2"])] {
                let end = try start(program, ranks: ranks, common + sampled + steps + own + ["--output-dir", "runs\(ranks)"]).wait()
                #expect(end.status == 0, "\(program): \(end.errors)")
                // one line for the end, not one for each process
                #expect(end.errors.components(separatedBy: "the result is in").count == 2, "\(end.errors)")
            }
        }
        for ranks in 2...3 {
            for run in ["sft", "rm", "dpo"] {
                try expectSameMetrics("runs\(ranks)/\(run)", "runs1/\(run)")
                let names = try pipeline.results("runs1/\(run)").keys.sorted()
                #expect(try pipeline.results("runs\(ranks)/\(run)").keys.sorted() == names)
            }
            let tables = try pipeline.results("runs1/sft").filter { $0.key.hasPrefix("tables/") }
            #expect(try !tables.isEmpty && pipeline.results("runs\(ranks)/sft").filter { $0.key.hasPrefix("tables/") } == tables)
        }
    }

    @Test("policy optimisation and best-of-N, with two and three processes, against one")
    func policies() throws {
        let common = ["--model-name", "runs1/sft", "--rf-model-dir", "runs1/rm", "--threads", "1"]
        #expect(try supervised("runs1", ranks: 1).wait().status == 0)
        let judge = TinyPipeline.options(
            TinyPipeline.arguments("train-reward-model"), with: ["--model-name", "runs1/sft", "--output-dir", "runs1"])
        #expect(try ProgramProcess("train-reward-model", judge, in: pipeline.folder).wait().status == 0)
        for ranks in 1...3 {
            let output = common + ["--output-dir", "runs\(ranks)"]
            // two prompts for each pass of best-of-N, so that all ranks have some
            for (program, own) in [
                ("train-ppo", ["--total-steps", "3"]),
                ("sample-best-of-n", ["--reference-model", "runs1/sft", "--num-return-sequences", "128"]),
            ] {
                let arguments = TinyPipeline.options(TinyPipeline.arguments(program), with: output + own)
                let end = try start(program, ranks: ranks, arguments).wait()
                #expect(end.status == 0, "\(program): \(end.errors)")
                #expect(end.errors.components(separatedBy: "the result is in").count == 2, "\(end.errors)")
            }
        }
        let drawn = try pipeline.results("runs1/bon")
        #expect(drawn.keys.contains { $0.hasPrefix("tables/") })
        for ranks in 2...3 {
            try expectSameMetrics("runs\(ranks)/ppo", "runs1/ppo")
            #expect(try pipeline.results("runs\(ranks)/ppo").keys.sorted() == pipeline.results("runs1/ppo").keys.sorted())
            #expect(try pipeline.results("runs\(ranks)/bon") == drawn)
        }
        for ranks in 1...3 {
            let runs = ["--output-dir", "runs\(ranks)", "--threads", "1"]
            for (program, own) in [
                (
                    "calculate-diversity",
                    [
                        "--run-ids", "bon", "--diversity-metrics", "sent_bert_from_sim", "--bootstrap-resamples", "20", "--embedding-model",
                        Fixtures.url("encoders/bert").path,
                    ]
                ), ("rlhf-report", ["score", "--model-name", "runs1/rm", "--score", "bon", "--score-column", "judged"]),
            ] {
                let end = try start(program, ranks: ranks, own + runs).wait()
                #expect(end.status == 0, "\(program): \(end.errors)")
            }
        }
        for ranks in 2...3 {
            try expectSameMetrics("runs\(ranks)/diversity", "runs1/diversity")
            expectClose(try judged("runs\(ranks)/bon"), try judged("runs1/bon"), relative: 1e-4, absolute: 1e-4)
        }
    }

    /// The scores that `rlhf-report score` has added to a table.
    private func judged(_ run: String) throws -> [Double] {
        let lines = try String(contentsOf: pipeline.url("\(run)/tables/test.jsonl"), encoding: .utf8).split(separator: "\n")
        return try lines.map { line in
            let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(row?["judged"] as? Double)
        }
    }

    @Test("SIGTERM to one process ends all with a checkpoint and 75")
    func stoppedRank() throws {
        let process = try supervised("stopped", ranks: 2, extra: ["--max-steps", "400", "--eval-steps", "1000"])
        #expect(process.wait { !pipeline.checkpoints("stopped/sft").isEmpty })
        let rank = try #require(ranks(of: process).last)
        kill(rank, SIGTERM)
        let end = process.wait()
        #expect(end.status == 75, "\(end.status): \(end.errors)")
        #expect(end.errors.components(separatedBy: "run the same command again to resume").count == 2, "\(end.errors)")
        #expect(!pipeline.isFinished("stopped/sft") && !pipeline.checkpoints("stopped/sft").isEmpty)
    }

    @Test("SIGTERM to mpirun leaves a checkpoint, from which the run continues")
    func stoppedLauncher() throws {
        let extra = ["--max-steps", "6000", "--save-steps", "9000", "--eval-steps", "9000", "--per-device-train-batch-size", "32"]
        #expect(try supervised("whole", ranks: 2, extra: extra).wait().status == 0)
        let process = try supervised("stopped", ranks: 2, extra: extra)
        let metrics = pipeline.url("stopped/sft/metrics.jsonl")
        // after the evaluation of step 0 and some steps
        #expect(process.wait { ((try? String(contentsOf: metrics, encoding: .utf8)) ?? "").split(separator: "\n").count > 4 })
        process.send(SIGTERM)
        let end = process.wait()
        #expect(end.status != 0 && !pipeline.checkpoints("stopped/sft").isEmpty, "\(end.status): \(end.errors)")
        let again = try supervised("stopped", ranks: 2, extra: extra).wait()
        #expect(again.status == 0 && again.errors.contains("resuming from step"), "\(again.errors)")
        #expect(try pipeline.results("stopped/sft") == pipeline.results("whole/sft"))
    }

    @Test("a killed process ends all; the run continues from its checkpoint with the same result")
    func killedRank() throws {
        let extra = ["--max-steps", "60", "--save-steps", "3", "--eval-steps", "1000"]
        #expect(try supervised("whole", ranks: 2, extra: extra).wait().status == 0)
        let process = try supervised("killed", ranks: 2, extra: extra)
        #expect(process.wait { !pipeline.checkpoints("killed/sft").isEmpty })
        kill(try #require(ranks(of: process).last), SIGKILL)
        let end = process.wait()
        #expect(end.status != 0 && !pipeline.isFinished("killed/sft"), "\(end.status): \(end.errors)")
        let again = try supervised("killed", ranks: 2, extra: extra).wait()
        #expect(again.status == 0 && again.errors.contains("resuming from step"), "\(again.errors)")
        #expect(try pipeline.results("killed/sft") == pipeline.results("whole/sft"))
    }

    @Test("errors are one line with the status of one process")
    func errors() throws {
        let missing = try supervised("a", ranks: 2, extra: ["--dataset", "nowhere.jsonl"]).wait()
        let alone = try pipeline.start("train-sft", output: "b", extra: ["--dataset", "nowhere.jsonl"]).wait()
        #expect(missing.status == alone.status && alone.status != 0, "\(missing.errors)")
        func lines(_ errors: String) -> [Substring] { errors.split(separator: "\n").filter { $0.hasPrefix("train-sft: error: ") } }
        #expect(lines(missing.errors) == lines(alone.errors) && lines(alone.errors).count == 1, "\(missing.errors)")
        let usage = try supervised("a", ranks: 2, extra: ["--no-such-option", "1"]).wait()
        #expect(usage.status == 64 && lines(usage.errors).count == 1, "\(usage.errors)")
    }
}

/// Programs that see a launcher's variables, without a launcher.
@Suite struct LauncherTests {
    private func start(_ program: String, rank: Int) throws -> (status: Int32, errors: String) {
        let folder = try TemporaryFolder()
        return try ProgramProcess(
            program, ["--dataset", "generated"], in: folder.url,
            environment: ["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "\(rank)"]
        ).wait()
    }

    @Test("a program that runs as one process refuses several, in one line of rank 0")
    func unsupported() throws {
        let end = try start("rlhf-report", rank: 0)
        #expect(end.status == 64 && end.errors.hasPrefix("rlhf-report: error: "), "\(end.errors)")
        #expect(end.errors.contains("runs as one process") && end.errors.split(separator: "\n").count == 1, "\(end.errors)")
        let other = try start("rlhf-report", rank: 1)
        #expect(other.status == 64 && other.errors.isEmpty, "\(other.errors)")
    }

    @Test("a build without MPI says how to build it", .enabled(if: !MPICollective.isBuilt))
    func withoutMPI() throws {
        let end = try start("train-sft", rank: 0)
        #expect(
            end.status == 64
                && end.errors
                    == "train-sft: error: this program was built without MPI; build it with `make build MPI=1`, or start it without mpirun\n",
            "\(end.errors)")
        let other = try start("train-sft", rank: 1)
        #expect(other.status == 64 && other.errors.isEmpty)
    }
}
