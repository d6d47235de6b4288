import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// A stop that is requested in the first step of a session.
@Suite struct FirstStepTests {
    @Test("a stop during the first step waits for its end, and one before it does not, also after a resume")
    func firstStep() throws {
        let stages = try TinyStages()
        for (name, body) in stages.all {
            for step in 1...2 {
                // what a program does: only a stop during steps is left to the stage, at other times the process ends at once
                var (waits, isRequested, stage) = (false, false, "")
                var early: [Bool] = []
                var environment = stages.environment
                environment.waitsForStep = { waits = $0 }
                environment.shouldStop = { isRequested }
                environment.sinks = [
                    ClosureSink { event in
                        switch event {
                        case .began(let label, _, _, _, _):
                            stage = label
                            early.append(waits)
                        case .part where !isRequested: early.append(waits)
                        case .progressed where stage == "simulated preferences": early.append(waits)
                        case .progressed: isRequested = waits
                        default: break
                        }
                    }
                ]
                let stop = #expect(throws: RunStopped.self, "\(name)") { try body(stages.folder["first/\(name)"], environment) }
                #expect(stop?.step == step, "\(name)")
                #expect(!early.isEmpty && !early.contains(true), "\(name), step \(step)")
                #expect(!waits, "\(name)")
                let checkpoints = try stages.folder.names(in: "first/\(name)/checkpoints").filter { $0.hasPrefix("step-") }
                #expect(checkpoints.last == "step-00000\(step)", "\(name)")
            }
        }
    }
}
