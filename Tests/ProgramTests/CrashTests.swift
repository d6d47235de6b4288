import Foundation
import Testing

/// Every program survives SIGKILL at any moment: the same command goes on, and the result has the bytes of an unbroken run.
@Suite(.serialized) struct CrashTests {
    @Test("a few kills of each program")
    func short() throws {
        var harness = try CrashHarness(seed: 7)
        for program in TinyPipeline.programs {
            try harness.torture(program, kills: program == "calculate-diversity" ? 1 : 3)
            #expect((harness.figures[program]?.completed ?? 0) > 0, "\(program)")
        }
    }

    private static let seconds = ProcessInfo.processInfo.environment["TORTURE_SECONDS"].flatMap(Double.init)

    @Test("kills for as long as TORTURE_SECONDS says (make torture)", .enabled(if: seconds != nil))
    func long() throws {
        let seed =
            ProcessInfo.processInfo.environment["TORTURE_SEED"].flatMap { UInt64($0) }
            ?? UInt64(Date().timeIntervalSince1970)
        print("torture: seed \(seed)")
        let end = Date().addingTimeInterval(Self.seconds ?? 0)
        var harness = try CrashHarness(seed: seed)
        while Date() < end {
            for program in TinyPipeline.programs where Date() < end { try harness.torture(program, kills: 6) }
        }
        for program in TinyPipeline.programs {
            print("torture: \(program): \(harness.figures[program]?.description ?? "nothing")")
        }
    }
}
