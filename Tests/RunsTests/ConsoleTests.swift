import Data
import Foundation
import Runs
import Testing
import Train
import _TestSupport

@Suite struct ConsoleTests {
    private static func step(_ step: Int) -> TrainingEvent {
        .progressed(step: step, totalSteps: 100, tokens: 100 * step, figure: .init("loss", 2))
    }

    @Test func redrawsOneLineAtMostTenTimesASecond() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: true), clock: { recorder.now })
        console.handle(.began(stage: "sft", totalSteps: 100))
        for step in 1...100 {
            recorder.now = 0.01 * Double(step)
            console.handle(Self.step(step))
        }
        let drawn = recorder.text.components(separatedBy: "\r").dropFirst()
        #expect((9...10).contains(drawn.count))
        #expect(drawn.allSatisfy { $0.hasSuffix("\u{1B}[K") && $0.count < 80 + 3 })
        #expect(!recorder.text.contains("\n"))
        recorder.forget()
        console.handle(.ended(stage: "sft", seconds: 1))
        #expect(recorder.text == "\r\u{1B}[Ksft: 100 steps in 1s, 10,000 tokens, 10,000 tokens/s, loss of the last step 2.000\n")
    }

    @Test func notesStandAboveTheLine() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: true), clock: { recorder.now })
        console.handle(.began(stage: "sft", totalSteps: 100))
        console.handle(Self.step(1))
        recorder.forget()
        console.handle(.noted("checkpoint written"))
        #expect(recorder.text == "\r\u{1B}[Kcheckpoint written\n")
        recorder.forget()
        recorder.now = 0.01
        console.handle(Self.step(2))
        #expect(recorder.text.hasPrefix("\rsft   2% ["))
    }

    @Test func clearsItsLineWhenItGoes() {
        let recorder = Recorder()
        do {
            let console = Console(recorder.terminal(interactive: true), clock: { recorder.now })
            console.handle(.began(stage: "sft", totalSteps: 100))
            console.handle(Self.step(1))
            recorder.forget()
        }
        #expect(recorder.text == "\r\u{1B}[K")
    }

    @Test("progress of another name does not count as the stage's own")
    func otherProgress() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: false), clock: { recorder.now })
        console.handle(.began(stage: "simulated preferences", totalSteps: 40, unit: "prompt"))
        recorder.now = 6
        console.handle(.progressed(step: 20, totalSteps: 40, tokens: 600, figure: nil))
        console.handle(.ended(stage: "dpo", seconds: 61))
        #expect(
            recorder.text
                == "simulated preferences: prompt 20/40 (50 %), 100 tokens/s, 3.33 prompts/s, 6s left\ndpo: 1:01\n")
    }

    @Test("a part of the stage has its own line until it ends, and the stage keeps its numbers")
    func part() {
        func part(_ done: Int) -> TrainingEvent {
            .part(PartProgress("normalisation", unit: "pair", done: done, total: 40, tokens: 100 * done))
        }
        let (recorder, plain) = (Recorder(), Recorder())
        let console = Console(recorder.terminal(interactive: true), clock: { recorder.now })
        let log = Console(plain.terminal(interactive: false), plainInterval: 5, clock: { recorder.now })
        func handle(_ event: TrainingEvent, at time: Double) -> String {
            recorder.forget()
            recorder.now = time
            console.handle(event)
            log.handle(event)
            return recorder.text
        }
        _ = handle(.began(stage: "sft", totalSteps: 100), at: 0)
        #expect(handle(Self.step(1), at: 1).hasPrefix("\rsft   1% ["))
        #expect(handle(part(0), at: 2).hasPrefix("\rnormalisation   0% ["))
        #expect(handle(part(10), at: 7).hasPrefix("\rnormalisation  25% ["))
        #expect(handle(part(40), at: 8) == "\r\u{1B}[K")
        let summary = "sft: 1 step in 1s, 100 tokens, 100 tokens/s, loss of the last step 2.000; 9s in total\n"
        #expect(handle(.ended(stage: "sft", seconds: 9), at: 9) == summary)
        #expect(plain.text == "normalisation: pair 10/40 (25 %), 200 tokens/s, 2.00 pairs/s, 15s left\n" + summary)
    }

    @Test("an evaluation before the first step does not count towards the speed of the steps, and one later keeps their clock")
    func evaluationBeforeTheFirstStep() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: false), plainInterval: 5, clock: { recorder.now })
        func evaluate(from start: Double, to end: Double) {
            for (done, time) in [(0, start), (2, end)] {
                recorder.now = time
                console.handle(.part(PartProgress("evaluation of test", unit: "pair", done: done, total: 2)))
            }
        }
        console.handle(.began(stage: "sft", totalSteps: 100))
        evaluate(from: 0, to: 90)
        recorder.now = 100
        console.handle(Self.step(20))
        evaluate(from: 100, to: 110)
        recorder.now = 120
        console.handle(Self.step(40))
        console.handle(.ended(stage: "sft", seconds: 120))
        let lines = recorder.text.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "sft: step 20/100 (20 %), 200 tokens/s, 2.00 steps/s, 40s left, loss 2.000",
                "sft: step 40/100 (40 %), 133 tokens/s, 1.33 steps/s, 45s left, loss 2.000",
                "sft: 40 steps in 30s, 4,000 tokens, 133 tokens/s, loss of the last step 2.000; 2:00 in total",
            ])
    }

    @Test("a part between two steps gives the line back")
    func partBetweenSteps() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: true), clock: { recorder.now })
        console.handle(.began(stage: "sft", totalSteps: 100))
        console.handle(Self.step(1))
        for done in [0, 1, 2] { console.handle(.part(PartProgress("texts of test", unit: "response", done: done, total: 2))) }
        recorder.forget()
        recorder.now = 1
        console.handle(Self.step(2))
        #expect(recorder.text.hasPrefix("\rsft   2% ["))
    }

    @Test func printsPlainLinesWhereNothingCanBeRedrawn() {
        let recorder = Recorder()
        let console = Console(recorder.terminal(interactive: false), plainInterval: 5, clock: { recorder.now })
        console.handle(.began(stage: "sft", totalSteps: 100))
        for step in 1...100 {
            recorder.now = 0.2 * Double(step)
            console.handle(Self.step(step))
        }
        console.handle(.ended(stage: "sft", seconds: 20))
        let lines = recorder.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        #expect(lines.first == "sft: step 25/100 (25 %), 500 tokens/s, 5.00 steps/s, 15s left, loss 2.000")
        #expect(lines.last == "sft: 100 steps in 20s, 10,000 tokens, 500 tokens/s, loss of the last step 2.000")
        #expect(!recorder.text.contains("\r") && !recorder.text.contains("\u{1B}"))
    }
}

@Suite struct MetricSinksTests {
    @Test func everyEventReachesThoseItConcerns() throws {
        let folder = try TemporaryFolder()
        let recorder = Recorder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        var seen = 0
        let console = Console(recorder.terminal(interactive: false), clock: { recorder.now })
        let sinks = MetricSinks(run: run, [console, ClosureSink { _ in seen += 1 }])
        let handler = sinks.handler
        try handler(.began(stage: "sft", totalSteps: 2))
        try handler(.progressed(step: 1, totalSteps: 2, tokens: 10, figure: .init("loss", 3)))
        try handler(.measured(step: 1, values: ["loss": 3]))
        try handler(.sampled(table: "test", rows: [.sample(1)]))
        try handler(.noted("hello"))
        try handler(.ended(stage: "sft", seconds: 2))
        #expect(seen == 6)
        #expect(try MetricsFile.read(inRun: run.url) == [Measurement(step: 1, values: ["loss": 3])])
        #expect(try Tables.read("test", inRun: run.url) == [.sample(1)])
        #expect(try RunFolder.seconds(inRun: run.url) == 2)
        #expect(recorder.text == "hello\nsft: 1 step in 0s, 10 tokens, loss of the last step 3.000; 2s in total\n")
    }

    @Test func aSinkThatThrowsEndsTheStage() {
        struct Failure: Error {}
        let sinks = MetricSinks([ClosureSink { _ in throw Failure() }])
        #expect(throws: Failure.self) { try sinks.handle(.noted("")) }
    }

    @Test("an error that a note meets is thrown with the next event")
    func failedNote() {
        struct Failure: Error {}
        var fails = true
        let sinks = MetricSinks([ClosureSink { _ in if fails { throw Failure() } }])
        sinks.say("a")
        fails = false
        #expect(throws: Failure.self) { try sinks.handle(.began(stage: "sft", totalSteps: 1)) }
    }

    @Test("all sinks hear of the step that a run goes on from")
    func cutBack() throws {
        var steps: [Int] = []
        let sink = ClosureSink(cutBack: { steps.append($0) }, handle: { _ in })
        try MetricSinks([sink, sink]).cutBack(to: 3)
        #expect(steps == [3, 3])
    }
}
