import Foundation
import Testing
import _TestSupport

/// Kills programs at random moments, lets the same command go on, and compares what is left in the end with an unbroken run.
struct CrashHarness {
    /// What happened.
    struct Figures {
        var kills = 0
        /// Kills while a temporary folder or file was being written.
        var whileWriting = 0
        /// Runs that were killed at least once, went to their end, and were compared.
        var completed = 0
        /// Files that were compared with those of the unbroken run.
        var files = 0

        var description: String {
            "\(kills) kills (\(whileWriting) while a checkpoint or result was being written), \(completed) runs completed, "
                + "\(files) files compared"
        }
    }

    let pipeline: TinyPipeline
    private var random: SplitMix
    private var number = 0
    private(set) var figures: [String: Figures] = [:]
    private var seconds: [String: Double] = [:]
    private var expected: [String: [String: Data]] = [:]

    /// The unbroken runs of all programs.
    init(seed: UInt64) throws {
        pipeline = try TinyPipeline()
        random = SplitMix(state: seed)
        for program in TinyPipeline.programs {
            let start = Date()
            let end = try pipeline.start(program).wait()
            #expect(end.status == 0, "\(program): \(end.errors)")
            seconds[program] = Date().timeIntervalSince(start)
            expected[program] = try pipeline.results("runs/\(TinyPipeline.run(program))")
            #expect((expected[program] ?? [:]).contains { $0.key.hasPrefix("final/") }, "\(program) left no result")
        }
    }

    /// Kills a program at least so many times, in one or several runs, and compares each run that went to its end.
    mutating func torture(_ program: String, kills: Int) throws {
        var figures = self.figures[program] ?? Figures()
        let wanted = figures.kills + kills
        while figures.kills < wanted {
            number += 1
            let output = "broken-\(number)"
            let run = "\(output)/\(TinyPipeline.run(program))"
            var killed = 0
            // enough for every run to be killed several times, few enough for it to end
            let most = min(wanted - figures.kills, 2 + Int(random.next() % 5))
            while true {
                let process = try pipeline.start(program, output: output)
                if killed < most, let inside = strike(process, run: run, program: program) {
                    _ = process.wait()
                    killed += 1
                    figures.kills += 1
                    if inside { figures.whileWriting += 1 }
                    continue
                }
                let end = process.wait()
                guard end.status == 0 else {
                    Issue.record("\(program) ended with \(end.status) after \(killed) kills: \(end.errors)")
                    return
                }
                break
            }
            let found = try pipeline.results(run)
            compare(found, with: expected[program] ?? [:], "\(program) after \(killed) kills (run \(number))")
            figures.files += found.count
            figures.completed += killed > 0 ? 1 : 0
            try FileManager.default.removeItem(at: pipeline.url(output))
        }
        self.figures[program] = figures
    }

    /// Ends a program by SIGKILL at a moment of chance: after some time, or while something is being written.
    /// - Returns: whether something was being written; nil when the program was done first.
    private mutating func strike(_ process: ProgramProcess, run: String, program: String) -> Bool? {
        let waitsForWriting = random.next() % 2 == 0
        let share = Double(random.next() % 1000) / 1000
        if waitsForWriting {
            // one of the next few temporary names, and up to three milliseconds into it
            var left = Int(random.next() % 4)
            var wasWriting = false
            let came = process.wait {
                let writes = isWriting(run)
                defer { wasWriting = writes }
                if writes && !wasWriting { left -= 1 }
                return left < 0
            }
            guard came else { return nil }
            usleep(UInt32(share * 3000))
        } else {
            usleep(UInt32(share * 1e6 * (seconds[program] ?? 1)))
        }
        guard process.isRunning else { return nil }
        // stopped first, so that what is seen is what there is when it ends
        process.send(SIGSTOP)
        let inside = isWriting(run)
        process.send(SIGKILL)
        return inside
    }

    private func isWriting(_ run: String) -> Bool {
        for folder in [run, run + "/checkpoints"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: pipeline.url(folder).path)) ?? []
            if names.contains(where: { $0.hasPrefix(".") && ($0.contains(".partial-") || $0.contains(".replaced-")) }) {
                return true
            }
        }
        return false
    }

    private func compare(_ found: [String: Data], with expected: [String: Data], _ label: String) {
        #expect(found.keys.sorted() == expected.keys.sorted(), "\(label)")
        for (name, content) in expected { #expect(found[name] == content, "\(label): \(name) differs") }
    }
}
