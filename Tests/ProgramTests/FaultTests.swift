import Foundation
import Testing

/// Full disks, folders that cannot be written or vanish, two processes in one folder, signals, damaged checkpoints.
@Suite(.serialized) struct FaultTests {
    private let pipeline: TinyPipeline
    private let expected: [String: Data]

    init() throws { (pipeline, expected) = try TinyPipeline.trained() }

    private func expectOneLine(_ errors: String, _ parts: [String], _ label: String, program: String = "train-sft") {
        let lines = errors.split(separator: "\n").filter { $0.hasPrefix("\(program): error: ") }
        #expect(lines.count == 1, "\(label): \(errors)")
        for part in parts { #expect(lines.first?.contains(part) == true, "\(label): \(errors)") }
        #expect(!errors.contains("Fatal error"), "\(label): \(errors)")
    }

    // MARK: Disks and folders

    @Test(
        "a limit of the size of files stops the run with the file's name, and nothing half-written stays",
        arguments: [8, 64, 110])
    func fileLimit(blocks: Int) throws {
        // blocks of 512 bytes in the shell of POSIX, of 1024 in others; a model has more than either
        let end = try pipeline.start("train-sft", output: "limited", shell: "ulimit -f \(blocks)").wait()
        #expect([73, 74].contains(end.status), "\(end.status): \(end.errors)")
        expectOneLine(end.errors, ["limited/sft"], "limit")
        #expect(pipeline.checkpoints("limited/sft").isEmpty && !pipeline.isFinished("limited/sft"))
        try pipeline.expectRecovery(of: expected, "limited", "limit")
    }

    @Test("a full disk stops the run; with more room it goes on from its last checkpoint")
    func fullDisk() throws {
        let disk = pipeline.url("disk")
        try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
        func mount(_ options: String) -> Bool {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/mount")
            process.arguments = ["-t", "tmpfs", "-o", options, "none", disk.path]
            process.standardError = FileHandle.nullDevice
            do { try process.run() } catch { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
        // only root may mount, and not in every container
        guard geteuid() == 0, mount("size=700k") else { return }
        defer { umount2(disk.path, 0) }
        let end = try pipeline.start("train-sft", output: "disk").wait()
        #expect([73, 74].contains(end.status), "\(end.status): \(end.errors)")
        expectOneLine(end.errors, ["disk/sft"], "full disk")
        #expect(!pipeline.checkpoints("disk/sft").isEmpty, "there was room for one checkpoint")
        #expect(mount("remount,size=64m"))
        let errors = try pipeline.expectRecovery(of: expected, "disk", "full disk")
        #expect(errors.contains("resuming from step 2") || errors.contains("resuming from step 4"), "\(errors)")
        // the same as a disk that nothing may be written to
        #expect(mount("remount,ro"))
        let refused = try pipeline.start("train-sft", output: "disk", extra: ["--run-id", "other"]).wait()
        #expect(refused.status == 73, "\(refused.status): \(refused.errors)")
        expectOneLine(refused.errors, ["choose a folder that you may write to"], "read-only disk")
        #expect(mount("remount,rw"))
    }

    @Test("a folder that cannot be made is named")
    func noFolder() throws {
        try Data("a file".utf8).write(to: pipeline.url("file"))
        for output in ["file", "file/runs", "/proc/self/runs"] {
            let end = try pipeline.start("train-sft", output: output).wait()
            #expect(end.status == 73, "\(output): \(end.status) \(end.errors)")
            expectOneLine(end.errors, [output], output)
        }
    }

    @Test("a folder that vanishes ends the run; brought back, it goes on")
    func vanishedFolder() throws {
        let process = try pipeline.start("train-sft", output: "gone")
        #expect(process.wait { !pipeline.checkpoints("gone/sft").isEmpty })
        process.send(SIGSTOP)
        try FileManager.default.moveItem(at: pipeline.url("gone"), to: pipeline.url("away"))
        process.send(SIGCONT)
        let end = process.wait()
        // a run that was just done has nothing to lose
        guard end.status != 0 else { return }
        #expect([66, 73, 74].contains(end.status), "\(end.status): \(end.errors)")
        expectOneLine(end.errors, ["gone/sft"], "vanished")
        #expect(!FileManager.default.fileExists(atPath: pipeline.url("gone").path))
        try pipeline.expectRecovery(of: expected, "away", "vanished")
    }

    // MARK: Processes and signals

    @Test("a second process is refused with the first one's number, and does no harm")
    func twoProcesses() throws {
        let first = try pipeline.start("train-sft", output: "shared")
        #expect(first.wait { !pipeline.checkpoints("shared/sft").isEmpty })
        first.send(SIGSTOP)
        let second = try pipeline.start("train-sft", output: "shared").wait()
        #expect(second.status == 75, "\(second.status): \(second.errors)")
        expectOneLine(second.errors, ["in use by train-sft (process \(first.pid))"], "second process")
        first.send(SIGCONT)
        #expect(first.wait().status == 0)
        try pipeline.expectRecovery(of: expected, "shared", "first process")
    }

    @Test("checkpoints come by the clock where no interval is given; two are kept, and no result changes")
    func checkpointsByTheClock() throws {
        let process = try ProgramProcess(
            "train-sft",
            TinyPipeline.arguments("train-sft").joined(separator: " ")
                .replacingOccurrences(of: "--save-steps 2 ", with: "").replacingOccurrences(
                    of: "--checkpoint-limit 3 ", with: ""
                )
                .split(separator: " ").map(String.init) + ["--output-dir", "clock", "--checkpoint-minutes", "0.00001"],
            in: pipeline.folder)
        let end = process.wait()
        #expect(end.status == 0, "\(end.errors)")
        #expect(pipeline.checkpoints("clock/sft") == ["step-000009", "step-000010"])
        #expect(try pipeline.results("clock/sft") == expected)
    }

    // MARK: Damage

    /// What can happen to a file of a checkpoint.
    private static let damages: [(String, @Sendable (URL) throws -> Void)] = [
        (
            "a flipped bit",
            { url in
                var content = try Data(contentsOf: url)
                content[content.count / 2] ^= 0x10
                try content.write(to: url)
            }
        ),
        ("a truncated file", { url in try Data(contentsOf: url).prefix(20).write(to: url) }),
        ("an empty file", { url in try Data().write(to: url) }),
        ("a missing file", { url in try FileManager.default.removeItem(at: url) }),
    ]

    @Test(
        "a damaged newest checkpoint is reported, the one before is used, and the result is the same",
        arguments: damages.indices)
    func damagedCheckpoint(index: Int) throws {
        let (name, damage) = Self.damages[index]
        let others = ["optimizer.safetensors", "trainer.json", "lengths.json", "checksums.json"]
        for file in ["model/model.safetensors", others[index]] {
            let process = try pipeline.start("train-sft", output: "damaged")
            #expect(process.wait { pipeline.checkpoints("damaged/sft").count >= 2 })
            process.send(SIGKILL)
            _ = process.wait()
            guard !pipeline.isFinished("damaged/sft") else { continue }
            let newest = try #require(pipeline.checkpoints("damaged/sft").last)
            try damage(pipeline.url("damaged/sft/checkpoints/\(newest)/\(file)"))
            let errors = try pipeline.expectRecovery(of: expected, "damaged", "\(name) of \(file)")
            #expect(errors.contains("\(newest) is damaged ("), "\(errors)")
            #expect(errors.contains("resuming from step"), "\(errors)")
            #expect(pipeline.checkpoints("damaged/sft").count <= 3)
            try FileManager.default.removeItem(at: pipeline.url("damaged"))
        }
    }

    @Test("with every checkpoint damaged the run is refused, and nothing is touched")
    func allDamaged() throws {
        let process = try pipeline.start("train-sft", output: "hopeless")
        #expect(process.wait { pipeline.checkpoints("hopeless/sft").count >= 2 })
        process.send(SIGKILL)
        _ = process.wait()
        let names = pipeline.checkpoints("hopeless/sft")
        for name in names {
            try Data("?".utf8).write(to: pipeline.url("hopeless/sft/checkpoints/\(name)/model/model.safetensors"))
        }
        let before = try pipeline.results("hopeless/sft")
        let end = try pipeline.start("train-sft", output: "hopeless").wait()
        #expect(end.status == 65, "\(end.status): \(end.errors)")
        expectOneLine(end.errors, ["all checkpoints of", "model.safetensors has 1 byte"], "all damaged")
        #expect(try pipeline.results("hopeless/sft") == before && pipeline.checkpoints("hopeless/sft") == names)
    }

    // MARK: Other things a run must not do

    @Test("nothing of the environment reaches a run folder")
    func secrets() throws {
        let secret = "s3cr3t-\(UUID().uuidString)"
        let end = try pipeline.start(
            "train-sft", output: "secret",
            environment: ["OPENAI_API_KEY": secret, "AWS_SECRET_ACCESS_KEY": secret, "MY_TOKEN": secret]
        ).wait()
        #expect(end.status == 0 && !end.errors.contains(secret))
        let names = try #require(FileManager.default.enumerator(atPath: pipeline.url("secret").path))
        var files = 0
        for case let name as String in names {
            guard let content = try? Data(contentsOf: pipeline.url("secret/\(name)")) else { continue }
            files += 1
            #expect(content.range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        #expect(files > 10)
    }

    @Test(
        "numbers that overflow end the run with 65, the last good checkpoint stays, and bad batches can be passed over")
    func overflow() throws {
        let extra = [
            "--learning-rate", "1e30", "--max-grad-norm", "0", "--freeze-layers", "0", "--lr-scheduler-type",
            "constant",
        ]
        let end = try pipeline.start("train-sft", output: "huge", extra: extra).wait()
        #expect(end.status == 65, "\(end.status): \(end.errors)")
        expectOneLine(end.errors, ["is NaN or Inf in step", "(example", "train", "--skip-bad-batches"], "overflow")
        let skipping = try pipeline.start("train-sft", output: "huge", extra: extra + ["--skip-bad-batches", "1"])
            .wait()
        #expect(skipping.errors.contains("a batch was skipped (1 of at most 1)"), "\(skipping.errors)")
        #expect(skipping.status == 65 && skipping.errors.contains("is NaN or Inf in step 3"), "\(skipping.errors)")
        #expect(!skipping.errors.contains("Fatal error"))
    }

    @Test("memory is told part by part before the first step; what does not fit is refused with what would")
    func memory() throws {
        let end = try pipeline.start("train-sft", output: "told").wait()
        let line = end.errors.split(separator: "\n").first { $0.contains("memory: ") }.map(String.init) ?? ""
        for part in [
            "memory: expected peak ", "(weights", "optimiser", "gradients", "activations", "program and data", "available",
        ] {
            #expect(line.contains(part), "\(end.errors)")
        }
        let refused = try pipeline.start("train-sft", output: "refused", extra: ["--memory-limit", "3M"]).wait()
        #expect(refused.status == 64, "\(refused.status): \(refused.errors)")
        expectOneLine(refused.errors, ["needs about", "only 3 MB are available"], "refusal")
        #expect(pipeline.checkpoints("refused/sft").isEmpty)
        let sampling = try ProgramProcess(
            "sample-best-of-n",
            [
                "--dataset", "data", "--model-name", "told/sft", "--reward-function", "rouge", "--evaluation-splits", "test",
                "--output-dir", "refused", "--memory-limit", "3M",
            ], in: pipeline.folder
        ).wait()
        #expect(sampling.status == 64, "\(sampling.status): \(sampling.errors)")
        expectOneLine(
            sampling.errors, ["needs about", "the program and its data alone need about", "raise --memory-limit"], "refusal",
            program: "sample-best-of-n")
        // little memory for threads: OpenBLAS's would try for ever to get theirs, and exit() would wait for them
        let little = try pipeline.start("train-sft", output: "little", extra: ["--threads", "1"], shell: "ulimit -v 200000")
        let deadline = Date(timeIntervalSinceNow: 60)
        #expect(little.wait(until: { !little.isRunning || Date() > deadline }) && !little.isRunning, "a finished program does not end")
        if little.isRunning { little.send(SIGKILL) }
        let finished = little.wait()
        #expect(finished.status == 0, "\(finished.errors)")
        // the limit of the shell counts addresses, of which a program has more than memory
        let limited = try pipeline.start("train-sft", output: "told-limited", shell: "ulimit -v 4000000").wait()
        #expect(limited.status == 0 && limited.errors.contains("GB available"), "\(limited.errors)")
        let used = limited.errors.components(separatedBy: " GB available")[0].split(separator: " ").last.flatMap { Double($0) }
        #expect((used ?? 9) <= 4.1, "\(limited.errors)")
        for wrong in ["6X", "-3G", "much"] {
            let bad = try pipeline.start("train-sft", output: "refused", extra: ["--memory-limit", wrong]).wait()
            #expect(bad.status == 64 && bad.errors.contains("--memory-limit"), "\(bad.errors)")
        }
    }

    @Test("a model from scratch that does not fit is refused before it is made, whatever its size")
    func freshModelsThatDoNotFit() throws {
        for (name, options) in [
            ("wide", ["--hidden-size", "8192", "--num-attention-heads", "64", "--memory-limit", "200M"]),
            ("deep", ["--num-hidden-layers", "10000000", "--hidden-size", "16", "--num-attention-heads", "2", "--memory-limit", "4G"]),
            ("headed", ["--num-attention-heads", "9223372036854775807"]),
            ("endless", ["--hidden-size", "1000000000", "--num-attention-heads", "1"]),
        ] {
            // the limit would end a program that makes the model first
            let end = try ProgramProcess(
                "train-sft",
                ["--from-scratch", "--dataset", "data", "--max-steps", "1", "--threads", "1", "--output-dir", "fresh-\(name)"] + options,
                in: pipeline.folder, shell: "ulimit -v 2000000"
            ).wait()
            #expect(end.status == 64, "\(name): \(end.errors)")
            expectOneLine(end.errors, [name == "headed" ? "--num-attention-heads" : "needs about", "--hidden-size"], name)
            #expect(!FileManager.default.fileExists(atPath: pipeline.url("fresh-\(name)/sft").path), "\(name)")
        }
    }

    @Test("memory that ends in the middle is an error, never a trap", arguments: [230_000, 250_000, 280_000])
    func memoryEnds(kilobytes: Int) throws {
        let end = try ProgramProcess(
            "train-sft",
            [
                "--from-scratch", "--dataset", "data", "--max-steps", "1", "--threads", "2", "--output-dir", "ends-\(kilobytes)",
                "--hidden-size", "512", "--num-attention-heads", "4", "--num-hidden-layers", "3", "--vocabulary-size", "300",
            ], in: pipeline.folder, shell: "ulimit -v \(kilobytes)"
        ).wait()
        #expect(end.status == 0 || end.status == 64, "\(end.status): \(end.errors)")
        if end.status == 64 {
            let lines = end.errors.split(separator: "\n").filter { $0.hasPrefix("train-sft: error: ") }
            #expect(lines.count == 1 && lines.first?.contains("memory") == true, "\(end.errors)")
        }
    }
}
