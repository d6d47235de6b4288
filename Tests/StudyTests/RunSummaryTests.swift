import Foundation
import Runs
import Study
import Testing

/// What a run says at its end.
@Suite("Run summaries")
struct RunSummaryTests {
    private let losses = [
        Measurement(step: 0, values: ["validation_loss": 8.037, "ood_validation_loss": 8.1]),
        Measurement(step: 50, values: ["loss": 0.2]),
        Measurement(step: 100, values: ["validation_loss": 5, "ood_validation_loss": 7]),
        Measurement(step: 1900, values: ["validation_loss": 6.07, "ood_validation_loss": 6.5]),
    ]

    @Test("an evaluation that was better before says at which step")
    func best() {
        let lines = RunSummary(figures: [.init("loss", better: .less)]).lines(losses, path: "runs/sft")
        #expect(
            lines == [
                "validation_loss: 6.070 at step 1,900; best 5.000 at step 100; 3 evaluations, from 8.037 at step 0",
                "ood_validation_loss: 6.500 at step 1,900, the best; 3 evaluations, from 8.100 at step 0",
            ])
    }

    @Test("a value equal to the first is unchanged, not the best, unless an evaluation between them was better")
    func unchanged() {
        func line(_ scores: Double...) -> String? {
            let measurements = scores.enumerated().map { Measurement(step: $0.offset * 50, values: ["validation_score": $0.element]) }
            return RunSummary(figures: [.init("score", better: .more)]).lines(measurements, path: "ppo").first
        }
        #expect(line(0.5, 0.5) == "validation_score: 0.500 at step 50, unchanged; 2 evaluations, from 0.500 at step 0")
        #expect(
            line(0.5, 0.75, 0.5) == "validation_score: 0.500 at step 100; best 0.750 at step 50; 3 evaluations, from 0.500 at step 0")
    }

    @Test("more is better for an accuracy, which is shown in per cent; a number without a direction has no best")
    func directions() {
        let measurements = [
            Measurement(step: 0, values: ["validation_accuracy": 0.567, "validation_length": 20]),
            Measurement(step: 10, values: ["validation_accuracy": 0.512, "validation_length": 30]),
        ]
        let figures: [RunSummary.Figure] = [.init("accuracy", better: .more, isShare: true), .init("length")]
        #expect(
            RunSummary(figures: figures).lines(measurements, path: "rm") == [
                "validation_accuracy: 51.2 % at step 10; best 56.7 % at step 0; 2 evaluations, from 56.7 % at step 0",
                "validation_length: 30.00 at step 10; 2 evaluations, from 20.00 at step 0",
            ])
    }

    @Test("a reward model that orders no more than half of the pairs is no better than chance", arguments: [0, 0.4, 0.5])
    func chance(accuracy: Double) {
        #expect(RewardModelStage.chanceNote(accuracy: accuracy)?.contains("not better than chance") == true)
        #expect(RewardModelStage.chanceNote(accuracy: 0.51) == nil && RewardModelStage.chanceNote(accuracy: nil) == nil)
    }

    @Test("equal traffic of all processes is one number; otherwise the mean and the largest are given")
    func traffic() {
        #expect(RunSession.trafficText([84_957_000, 84_957_000]) == "each process sent 84.957 MB per step to the others")
        #expect(
            RunSession.trafficText([1e6, 3e6])
                == "the processes sent 2.000 MB per step to the others (mean over processes; largest: 3.000 MB)")
        #expect(RunSession.idle(1) == "one of them has" && RunSession.idle(2) == "2 of them have")
    }

    @Test("the path of a run is shown as the settings name its folder")
    func paths() {
        func path(_ parent: String, _ run: String) -> String {
            var settings = RunSettings()
            settings.outputDir = parent
            return settings.path(of: URL(fileURLWithPath: run, isDirectory: true))
        }
        #expect(path("runs", "runs/sft") == "runs/sft" && path("runs/", "runs/sft") == "runs/sft")
        #expect(path("/tmp/runs", "/tmp/runs/sft") == "/tmp/runs/sft" && path("runs", "/tmp/other/sft") == "/tmp/other/sft")
    }

    @Test("a single evaluation, the last numbers of training, and the next commands with a path that a shell can read")
    func next() {
        let measurements = [
            Measurement(step: 5, values: ["kl_sequence": 1.5, "mean_score": 0.25]), Measurement(step: 6, values: ["validation_score": 0.5]),
        ]
        let summary = RunSummary(
            figures: [.init("score", better: .more)], training: ["mean_score", "kl_sequence", "absent"],
            next: ["sample --model-name PATH", "compare PATH"])
        #expect(
            summary.lines(measurements, path: "my runs/it's") == [
                "validation_score: 0.500 at step 6", "last training metrics: mean_score 0.250, kl_sequence 1.500",
                "next: sample --model-name 'my runs/it'\\''s'\n  or: compare 'my runs/it'\\''s'",
            ])
        #expect(RunSummary().lines(losses, path: "runs/sft").isEmpty)
    }
}
