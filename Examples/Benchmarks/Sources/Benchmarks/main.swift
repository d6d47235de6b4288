import Foundation
import Tensor

// Runs a task on a workload folder, or a metric, and prints one line of JSON; or runs all operations and prints one line of JSON each.

func withInstructions(_ set: Compute.InstructionSet?, _ body: () throws -> Void) rethrows {
    if let set { try Compute.withInstructionSet(set, body) } else { try body() }
}

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    try Compute.$threads.withValue(options.threads) {
        try Compute.$precision.withValue(options.dtype) {
            try withInstructions(options.instructions) {
                switch options.task {
                case .ops: try Operations(options: options).run()
                case .rate: print(try ProductRate(options: options).run().line())
                case .encode, .ngrams: print(try MetricTasks(options: options).run().line())
                default:
                    let workload = try Workload(options.workload, padded: options.without == .ragged)
                    print(try Tasks(options: options, workload: workload).run().line())
                }
            }
        }
    }
} catch {
    FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
    exit(1)
}
