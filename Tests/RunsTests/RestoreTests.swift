import Data
import Formats
import Foundation
import Runs
import Testing
import _TestSupport

@Suite struct RestoreTests {
    /// What one step of a pretended training leaves behind.
    private static func work(_ run: RunFolder, step: Int) throws {
        try run.metrics.append(Measurement(step: step, values: ["loss": 1 / Double(step), "kl": 0.1 * Double(step)]))
        if step.isMultiple(of: 2) { try run.tables.append([.sample(step), .sample(step + 1)], to: "test") }
        if step == 5 { try run.tables.append([.sample(step)], to: "late") }
    }

    private static func train(
        _ url: URL, steps: Int, checkpointEvery interval: Int = 2, limit: Int? = nil, until stop: Int = .max
    ) throws {
        let run = try RunFolder(at: url, configuration: .sample())
        let start = try run.restore()?.step ?? 0
        for step in (start + 1)...steps {
            try work(run, step: step)
            if step == stop { return }
            if step.isMultiple(of: interval) {
                try run.writeCheckpoint(step: step, limit: limit) { folder in
                    try Data("state \(step)".utf8).write(to: folder.appendingPathComponent("state"))
                }
            }
        }
        try run.writeResult { _ in }
    }

    /// Every growing file of a run.
    private static func lines(_ url: URL) throws -> [String: String] {
        var lines = ["metrics": text(of: url.appendingPathComponent("metrics.jsonl"))]
        for name in try Tables.names(inRun: url) {
            lines[name] = text(of: url.appendingPathComponent("tables/\(name).jsonl"))
        }
        return lines
    }

    @Test(arguments: 1...9)
    func aStoppedRunEndsLikeAnUnbrokenOne(stop: Int) throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["whole"], steps: 9)
        try Self.train(folder["broken"], steps: 9, until: stop)
        try Self.train(folder["broken"], steps: 9)
        #expect(try Self.lines(folder["broken"]) == Self.lines(folder["whole"]))
        #expect(try Self.lines(folder["whole"]).keys.sorted() == ["late", "metrics", "test"])
    }

    @Test(arguments: [4, 19, 43, 71, 101])
    func aKilledRunEndsLikeAnUnbrokenOne(milliseconds: UInt32) async throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["whole"], steps: 400, checkpointEvery: 7, limit: 2)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder["killed"].path as String, milliseconds] in
            Thread.detachNewThread {
                usleep(milliseconds * 1000)
                kill(getpid(), SIGKILL)
            }
            try RestoreTests.train(URL(fileURLWithPath: path), steps: 400, checkpointEvery: 7, limit: 2)
            // Too fast for the clock: there is nothing left to kill it in.
            kill(getpid(), SIGKILL)
        }
        if try !RunFolder.isFinished(folder["killed"]) {
            try Self.train(folder["killed"], steps: 400, checkpointEvery: 7, limit: 2)
        }
        #expect(try Self.lines(folder["killed"]) == Self.lines(folder["whole"]))
        #expect(try Checkpoints.list(inRun: folder["killed"]).map(\.step) == [392, 399])
    }

    @Test func withoutACheckpointEverythingBeginsAgain() throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["a"], steps: 9, checkpointEvery: 100, until: 5)
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        #expect(try run.restore() == nil)
        #expect(try Self.lines(run.url) == ["metrics": ""])
    }

    @Test func aTornLastLineIsCutOff() throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["a"], steps: 9, until: 5)
        let file = try FileHandle(forWritingTo: folder["a/metrics.jsonl"])
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"step":6,"lo"#.utf8))
        try file.close()
        #expect(try MetricsFile.read(inRun: folder["a"]).map(\.step) == [1, 2, 3, 4, 5])
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        #expect(try run.restore()?.step == 4)
        #expect(try MetricsFile.read(inRun: folder["a"]).map(\.step) == [1, 2, 3, 4])
    }

    @Test func missingLinesAreAnError() throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["a"], steps: 9, until: 5)
        let whole = text(of: folder["a/metrics.jsonl"])
        try Data(whole.utf8.prefix(20)).write(to: folder["a/metrics.jsonl"])
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        let error = #expect(throws: RunFolderError.self) { try run.restore() }
        #expect("\(error as Any)".contains("has 20 bytes"))
        try Data(whole.utf8).write(to: folder["a/metrics.jsonl"])
        try FileManager.default.removeItem(at: folder["a/tables/test.jsonl"])
    }

    // MARK: Checkpoints

    @Test func keepsTheNewestOnes() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        for step in [1, 20, 300, 1_234_567] { try run.writeCheckpoint(step: step) { _ in } }
        #expect(
            TemporaryFolder.names(in: folder["a/checkpoints"])
                == ["step-000001", "step-000020", "step-000300", "step-1234567"])
        try run.writeCheckpoint(step: 1_234_568, limit: 2) { _ in }
        #expect(try Checkpoints.list(inRun: run.url).map(\.step) == [1_234_567, 1_234_568])
        try run.writeCheckpoint(step: 1_234_569, limit: 1) { _ in }
        #expect(try Checkpoints.list(inRun: run.url).map(\.step) == [1_234_569])
        try run.writeCheckpoint(step: 1_234_569, limit: 1) { _ in }
        #expect(try Checkpoints.list(inRun: run.url).map(\.step) == [1_234_569])
    }

    @Test func aFailedCheckpointLeavesTheEarlierOnes() throws {
        struct Failure: Error {}
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        try run.writeCheckpoint(step: 1, limit: 1) { _ in }
        #expect(throws: Failure.self) { try run.writeCheckpoint(step: 2, limit: 1) { _ in throw Failure() } }
        #expect(TemporaryFolder.names(in: folder["a/checkpoints"]) == ["step-000001"])
    }

    @Test func aDamagedNewestIsReportedAndTheOneBeforeIsUsed() throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["whole"], steps: 9)
        try Self.train(folder["a"], steps: 9, until: 7)
        try Data("stale 6".utf8).write(to: folder["a/checkpoints/step-000006/state"])
        do {
            let run = try RunFolder(at: folder["a"], configuration: .sample())
            var notes: [String] = []
            let checkpoint = try run.restore { notes.append($0) }
            #expect(checkpoint?.step == 4)
            #expect(checkpoint.map { text(of: $0.url.appendingPathComponent("state")) } == "state 4")
            #expect(notes.count == 1)
            #expect(notes.first?.hasPrefix("step-000006 is damaged (state has checksum ") == true)
            #expect(notes.first?.hasSuffix("resuming from step 4") == true)
            #expect(try Checkpoints.list(inRun: run.url).map(\.step) == [2, 4])
            #expect(FileManager.default.fileExists(atPath: folder["a/checkpoints/step-000006.damaged"].path))
        }
        try Self.train(folder["a"], steps: 9, limit: 3)
        #expect(try Self.lines(folder["a"]) == Self.lines(folder["whole"]))
        #expect(TemporaryFolder.names(in: folder["a/checkpoints"]) == ["step-000004", "step-000006", "step-000008"])
    }

    @Test func withAllCheckpointsDamagedNothingIsTouched() throws {
        let folder = try TemporaryFolder()
        try Self.train(folder["a"], steps: 9, until: 5)
        let before = try Self.lines(folder["a"])
        for step in [2, 4] {
            try FileManager.default.removeItem(at: folder["a/checkpoints/step-00000\(step)/state"])
        }
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        let error = RunFolderError.noValidCheckpoint(path: run.url.path, problem: "state is missing")
        #expect(throws: error) { try run.restore() }
        #expect(try Self.lines(folder["a"]) == before)
        #expect(try Checkpoints.list(inRun: run.url).map(\.step) == [2, 4])
    }

    @Test func aVanishedFolderIsAnError() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        try FileManager.default.removeItem(at: folder["a"])
        #expect(throws: FileError.self) { try run.metrics.append(Measurement(step: 1, values: [:])) }
        #expect(throws: FileError.self) { try run.tables.append([.sample(1)], to: "test") }
        #expect(throws: FileError.self) { try run.writeCheckpoint(step: 1) { _ in } }
        #expect(folder.names == [])
    }
}
