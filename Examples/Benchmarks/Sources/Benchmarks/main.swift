import Foundation
import Tensor

// The four jobs on a workload folder, one line of JSON last.

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    let workload = try Workload(options.workload)
    let report = try Compute.$threads.withValue(options.threads) {
        try Compute.$precision.withValue(options.dtype) { try Tasks(options: options, workload: workload).run() }
    }
    print(try report.line())
} catch {
    FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
    exit(1)
}
