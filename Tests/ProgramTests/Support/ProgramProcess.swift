import Foundation
import Testing
import _TestSupport

/// One of the programs, running.
final class ProgramProcess {
    private let process = Process()
    private let errorFile: URL

    /// The folder that the test bundle and the programs were built into.
    static var binaries: URL {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent()
    }

    /// Starts a program.
    /// - Parameters:
    ///   - shell: commands of the shell before the program takes its place, such as limits.
    ///   - environment: variables besides those of the test.
    init(
        _ program: String, _ arguments: [String], in folder: URL, shell: String? = nil,
        environment: [String: String] = [:]
    ) throws {
        let path = Self.binaries.appendingPathComponent(program).path
        if let shell {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\(shell); exec \"$0\" \"$@\"", path] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
        }
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // a file rather than a pipe: nobody has to read while the program runs
        errorFile = folder.appendingPathComponent("errors-\(UUID().uuidString)")
        try Data().write(to: errorFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        // a test's thread may block signals, and programs inherit that: mpirun would never see SIGTERM
        var (none, own) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &own)
        defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
        try process.run()
    }

    deinit { try? FileManager.default.removeItem(at: errorFile) }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    func send(_ signal: Int32) { kill(pid, signal) }

    /// The exit status, or 128 + the signal that ended it, and what was written to standard error.
    func wait() -> (status: Int32, errors: String) {
        process.waitUntilExit()
        let errors = (try? String(contentsOf: errorFile, encoding: .utf8)) ?? ""
        return (
            process.terminationReason == .uncaughtSignal ? 128 + process.terminationStatus : process.terminationStatus,
            errors
        )
    }

    /// Waits until something is so, or the program has ended.
    /// - Returns: whether it is so.
    func wait(until condition: () -> Bool) -> Bool {
        while !condition() {
            if !isRunning { return condition() }
            usleep(200)
        }
        return true
    }
}

/// A folder with tiny sets of posts and comparisons, and the commands of a pipeline over them.
final class TinyPipeline {
    let folder: URL

    init(rows: Int = 40) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("pipeline-\(UUID().uuidString)")
        let data = folder.appendingPathComponent("data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        for (split, count) in [("train", rows), ("validation", 5), ("test", 6)] {
            let lines = (0..<count).map { Self.row(split, $0) + "\n" }
            try lines.joined().write(
                to: data.appendingPathComponent("\(split).jsonl"), atomically: false, encoding: .utf8)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A pipeline whose supervised run has ended, with the results of that run.
    static func trained() throws -> (pipeline: TinyPipeline, results: [String: Data]) {
        let pipeline = try TinyPipeline()
        let end = try pipeline.start("train-sft").wait()
        #expect(end.status == 0, "\(end.errors)")
        return (pipeline, try pipeline.results("runs/sft"))
    }

    static func row(_ split: String, _ number: Int) -> String {
        let things = ["cat", "dog", "car", "house", "phone"]
        let thing = things[number % things.count]
        return """
            {"id": "\(split)\(number)", "post": "I lost my \(thing) on day \(number) and looked for it", "subreddit": "tifu", \
            "summary": "lost the \(thing) on day \(number)", "title": "My \(thing)"}
            """
    }

    /// A stage by its program, in the order of the pipeline.
    static let programs = ["train-sft", "train-reward-model", "train-ppo", "sample-best-of-n", "calculate-diversity"]

    /// The arguments of a stage, with the earlier stages' runs in `runs`.
    static func arguments(_ program: String) -> [String] {
        let common = ["--seed", "3", "--threads", "2"]
        let words =
            switch program {
            case "train-sft":
                """
                --dataset data --from-scratch --max-steps 10 --hidden-size 32 --intermediate-size 48 --num-hidden-layers 2 \
                --num-attention-heads 2 --vocabulary-size 300 --per-device-train-batch-size 4 --logging-steps 1 --save-steps 2 \
                --eval-steps 3 --do-eval --max-new-tokens 6 --evaluation-splits test --checkpoint-limit 3
                """
            case "train-reward-model":
                """
                --dataset data --model-name runs/sft --simulated-prompts 16 --simulated-evaluation-prompts 4 --max-new-tokens 6 \
                --max-steps 8 --per-device-train-batch-size 4 --freeze-layers 0.5 --logging-steps 1 --save-steps 1 --eval-steps 3 \
                --save-preds --checkpoint-limit 2
                """
            case "train-ppo":
                """
                --dataset data --model-name runs/sft --rf-model-dir runs/rm --total-steps 8 --rollout-batch-size 4 --learn-batch-size 2 \
                --ppo-epochs 2 --max-new-tokens 6 --freeze-layers 0.5 --training-target-eval-datapoints 3 --evaluation-steps 3 \
                --log-steps 1 --table-logs 2 --checkpoint-steps 1 --checkpoint-limit 2 --adap-kl-ctrl --evaluation-splits test
                """
            case "sample-best-of-n":
                """
                --dataset data --model-name runs/sft --rf-model-dir runs/rm --num-return-sequences 64 --max-new-tokens 6 \
                --evaluation-splits test,validation --groups 2 --grouped-prompts 2 --reference-model runs/sft
                """
            default: "--run-ids runs/bon --diversity-metrics ead_averaged_distinct_ngrams"
            }
        return words.split(separator: " ").map(String.init) + common
    }

    /// The folder's name of a stage's run.
    static func run(_ program: String) -> String {
        switch program {
        case "train-sft": "sft"
        case "train-reward-model": "rm"
        case "train-ppo": "ppo"
        case "sample-best-of-n": "bon"
        default: "diversity"
        }
    }

    /// Starts a stage; its run folder lies in `output`.
    func start(
        _ program: String, output: String = "runs", extra: [String] = [], shell: String? = nil,
        environment: [String: String] = [:]
    ) throws -> ProgramProcess {
        try ProgramProcess(
            program, Self.options(Self.arguments(program) + ["--output-dir", output], with: extra), in: folder, shell: shell,
            environment: environment)
    }

    /// Options with others in place of those of the same name: a program takes each once.
    static func options(_ words: [String], with extra: [String]) -> [String] {
        func name(_ word: String) -> Substring { word.prefix { $0 != "=" } }
        let replaced = Set(extra.filter { $0.hasPrefix("--") }.map(name))
        var kept: [String] = []
        var isKept = true
        for word in words {
            if word.hasPrefix("--") { isKept = !replaced.contains(name(word)) }
            if isKept { kept.append(word) }
        }
        return kept + extra
    }

    func url(_ path: String) -> URL { folder.appendingPathComponent(path) }

    /// Everything that a finished run has to say, by path: result folders, metrics and tables. Checkpoints, the lock, the options (which
    /// name the folder) and the time it took are left out.
    func results(_ run: String) throws -> [String: Data] {
        let root = url(run)
        var results: [String: Data] = [:]
        guard let names = FileManager.default.enumerator(atPath: root.path) else { return results }
        for case let name as String in names {
            let isOther = ["checkpoints", "config.json", "timing.json", ".lock"].contains {
                name == $0 || name.hasPrefix($0 + "/")
            }
            var isFolder: ObjCBool = false
            let file = root.appendingPathComponent(name)
            guard !isOther, FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder),
                !isFolder.boolValue
            else { continue }
            let content = try Data(contentsOf: file)
            // the times of day in an event file differ, what it shows does not
            results[name] = name.hasPrefix("tensorboard/") ? Data(eventPoints(content).utf8) : content
        }
        return results
    }

    /// The names of a run's checkpoints.
    func checkpoints(_ run: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url(run + "/checkpoints").path)) ?? [])
            .filter { $0.hasPrefix("step-") && !$0.contains(".") }.sorted()
    }

    func isFinished(_ run: String) -> Bool { FileManager.default.fileExists(atPath: url(run + "/final").path) }
}
