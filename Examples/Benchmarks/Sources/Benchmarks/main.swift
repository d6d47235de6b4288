import Foundation
import Tensor

// The four jobs on a workload folder, or the metrics; one line of JSON last.

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    let report = try Compute.$threads.withValue(options.threads) {
        try Compute.$precision.withValue(options.dtype) {
            switch options.task {
            case .encode, .ngrams: try MetricTasks(options: options).run()
            default: try Tasks(options: options, workload: Workload(options.workload)).run()
            }
        }
    }
    print(try report.line())
} catch {
    FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
    exit(1)
}
