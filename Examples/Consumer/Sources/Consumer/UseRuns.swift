import Foundation
import Runs
import Train

/// Writes events to a run folder and reads them back.
func useRuns() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = RunConfiguration(stage: .supervised, program: "consumer", options: ["seed": .integer(1)])
    let run = try RunFolder(at: folder, configuration: configuration)
    let handler = MetricSinks(run: run).handler
    try handler(.measured(step: 1, values: ["loss": 2.5]))
    try run.writeCheckpoint(step: 1) { _ in }
    try handler(.measured(step: 2, values: ["loss": 2.25]))
    let before = try MetricsFile.read(inRun: folder)
    let checkpoint = try run.restore()
    let after = try MetricsFile.read(inRun: folder)
    precondition(before.count == 2 && checkpoint?.step == 1 && after.count == 1)
}
