import Data
import Formats
import Foundation
import Runs
import Testing
import Train
import _TestSupport

/// Event files of runs: what they hold, and what becomes of them when a run goes on or cannot write.
@Suite("TensorBoard")
struct TensorBoardSinkTests {
    private let folder: TemporaryFolder
    private var metrics: URL { folder["metrics.jsonl"] }

    init() throws { folder = try TemporaryFolder() }

    private func sink() -> TensorBoardSink {
        TensorBoardSink(inRun: folder.url, options: ["seed": .integer(3), "dtype": .string("f32"), "do_eval": .bool(true)], clock: { 5 })
    }

    private var file: URL { folder["tensorboard/events.out.tfevents.0000000000.swift-rlhf"] }
    private func points() throws -> [String] {
        eventPoints(try Data(contentsOf: file)).split(separator: "\n").map(String.init)
    }

    /// Writes metrics.jsonl as a run does before its sinks hear of a step.
    private func write(_ lines: [String]) throws {
        try (lines.map { $0 + "\n" }.joined()).write(to: metrics, atomically: true, encoding: .utf8)
    }

    private func rows(_ step: Double, reward: Double) -> [SampleRow] {
        [SampleRow(id: "1", input: "a <b> | c", response: "x\n*y*", reward: reward, numbers: ["step": step, "tokens": 4])]
    }

    @Test("numbers, texts and histograms with their steps; numbers that are not finite are left out")
    func events() throws {
        let sink = sink()
        try sink.handle(.measured(step: 0, values: ["loss": 2, "nothing": .nan]))
        try sink.handle(.sampled(table: "evaluation_validation", rows: rows(10, reward: 0.5)))
        let text = try points().joined(separator: "\n")
        #expect(text.contains("0 loss 2.0") && !text.contains("nothing"))
        #expect(
            text.contains("10 texts/evaluation_validation") && text.contains("a &lt;b&gt; &#124; c") && text.contains("x<br>&#42;y&#42;"))
        #expect(text.contains("10 evaluation_validation/reward") && text.contains("10 evaluation_validation/tokens"))
    }

    @Test("a run that goes on has each point once, whatever the file had behind the checkpoint")
    func resumes() throws {
        let first = sink()
        try write(["{\"step\":1,\"loss\":3}", "{\"step\":2,\"loss\":2}", "{\"step\":3,\"loss\":1}"])
        for (step, loss) in [(1, 3.0), (2, 2), (3, 1)] { try first.handle(.measured(step: step, values: ["loss": loss])) }
        try first.handle(.sampled(table: "evaluation_test", rows: rows(2, reward: 1)))
        try first.handle(.sampled(table: "evaluation_test", rows: rows(3, reward: 1)))
        let whole = try points()
        // killed while it wrote a record; the run goes on from step 2
        var torn = try Data(contentsOf: file)
        torn.append(contentsOf: [9, 9, 9])
        try torn.write(to: file)
        try write(["{\"step\":1,\"loss\":3}", "{\"step\":2,\"loss\":2}"])
        let second = sink()
        try second.cutBack(to: 2)
        #expect(try points().count == whole.count - 4)
        try second.handle(.sampled(table: "evaluation_test", rows: rows(2, reward: 1)))
        try second.handle(.measured(step: 3, values: ["loss": 1]))
        try second.handle(.sampled(table: "evaluation_test", rows: rows(3, reward: 1)))
        #expect(try points() == whole)
    }

    @Test("what a run measured without it is caught up; what began anew is begun anew")
    func catchesUp() throws {
        try write(["{\"step\":1,\"loss\":3}", "{\"step\":1,\"validation_loss\":4,\"x\":null}", "{\"step\":2,\"y\":null}"])
        let sink = sink()
        try sink.cutBack(to: 2)
        #expect(try points() == ["1 loss 3.0", "1 validation_loss 4.0"])
        try write([])
        try sink.cutBack(to: 0)
        #expect(!FileManager.default.fileExists(atPath: file.path))
        try sink.handle(.measured(step: 1, values: ["loss": 9]))
        #expect(try points() == ["1 loss 9.0"])
    }

    @Test("a file of somebody else in its place is left as it is")
    func foreignFile() throws {
        try write(["{\"step\":1,\"loss\":3}"])
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("not an event file, and somebody needs it".utf8).write(to: file)
        #expect(throws: FileError.self) { try sink().cutBack(to: 1) }
        #expect(text(of: file) == "not an event file, and somebody needs it")
    }

    @Test("a tracker that fails is said once, the run goes on, and later it catches up")
    func failures() throws {
        try write(["{\"step\":1,\"loss\":3}"])
        var notes: [String] = []
        var time = 0.0
        // a file where the folder should be
        try Data("x".utf8).write(to: folder["tensorboard"])
        let tracker = TrackerGuard(sink(), clock: { time }, note: { notes.append($0) })
        tracker.handle(.measured(step: 1, values: ["loss": 3]))
        #expect(notes.count == 1 && notes[0].hasPrefix("TensorBoard has failed; the run continues without it:"), "\(notes)")
        try write(["{\"step\":1,\"loss\":3}", "{\"step\":2,\"loss\":2}"])
        tracker.handle(.measured(step: 2, values: ["loss": 2]))
        #expect(notes.count == 1)
        try FileManager.default.removeItem(at: folder["tensorboard"])
        time = 100
        try write(["{\"step\":1,\"loss\":3}", "{\"step\":2,\"loss\":2}", "{\"step\":3,\"loss\":1}"])
        tracker.handle(.measured(step: 3, values: ["loss": 1]))
        #expect(notes.count == 2 && notes[1] == "TensorBoard works again and has caught up")
        #expect(try points() == ["1 loss 3.0", "2 loss 2.0", "3 loss 1.0"])
    }

    @Test("a table for spreadsheets is written anew where a run goes on")
    func csv() throws {
        try write(["{\"step\":1,\"loss\":3.5,\"a,b\":1}"])
        let sink = MetricsCSV(inRun: folder.url)
        try sink.cutBack(to: 1)
        try sink.handle(.measured(step: 2, values: ["loss": 2, "nothing": .infinity]))
        #expect(text(of: folder["metrics.csv"]) == "step,metric,value\n1,\"a,b\",1.0\n1,loss,3.5\n2,loss,2.0\n")
    }

    @Test("texts of evaluations on the console are one line each, without control sequences")
    func sampleLog() {
        var notes: [String] = []
        let log = SampleLog(count: 1) { notes.append($0) }
        log.handle(.sampled(table: "rollouts", rows: rows(1, reward: 1)))
        #expect(notes.isEmpty)
        let row = SampleRow(id: "1", input: "ask\n\u{1B}[31mred", response: "ok\u{7}", reward: 0.25, numbers: ["step": 1200])
        log.handle(.sampled(table: "evaluation_test", rows: [row, row]))
        #expect(notes == ["evaluation_test at step 1,200, 1 of 2: …ask\\n\\u{1b}[31mred", "  → ok\\u{7} (reward 0.250)"])
    }

    @Test("of a table that grows, the first texts are shown once")
    func growingTables() {
        var notes: [String] = []
        let log = SampleLog(count: 2, of: LoggedTables(areWhole: false) { $0.hasSuffix("_best") }) { notes.append($0) }
        func row(_ number: Int) -> SampleRow { SampleRow(id: "\(number)", input: "ask \(number)", response: "say \(number)") }
        for number in 1...3 {
            log.handle(.sampled(table: "test", rows: [row(number)]))
            log.handle(.sampled(table: "test_best", rows: [row(number)]))
        }
        log.handle(.sampled(table: "ood_best", rows: [row(4), row(5), row(6)]))
        #expect(
            notes == [
                "test_best, response 1: …ask 1", "  → say 1", "test_best, response 2: …ask 2", "  → say 2",
                "ood_best, response 1: …ask 4", "  → say 4", "ood_best, response 2: …ask 5", "  → say 5",
            ])
    }
}
