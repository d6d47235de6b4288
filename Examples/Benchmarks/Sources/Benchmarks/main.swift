import Foundation
import Tensor

// The four jobs on a workload folder, one line of JSON last; or all operations alone, a line of JSON each.

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    try Compute.$threads.withValue(options.threads) {
        try Compute.$precision.withValue(options.dtype) {
            if options.task == .ops { return try Operations(options: options).run() }
            let workload = try Workload(options.workload, padded: options.without == .ragged)
            print(try Tasks(options: options, workload: workload).run().line())
        }
    }
} catch {
    FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
    exit(1)
}
