import Foundation
import Models
import Tensor

/// The output of a benchmark: one line of JSON.
struct Report: Encodable {
    var engine = "swift-rlhf"
    var task: String
    var dtype: String
    /// The optimisation that was disabled.
    var without: String?
    /// The median of `all`.
    var seconds: Double
    var all: [Double]
    var peakRSS: Int
    var tokens: Int?
    /// The operations that a step cannot avoid; nil if an optimisation was disabled.
    var operations: OperationCount?
    /// The part of the operations that decodes answers token by token, and the bytes that it reads from memory at least.
    var decodingOperations: Int?
    var decodingBytes: Int?
    /// The rate of products in GFLOP/s.
    var gflops: Double?
    /// The bandwidth of memory in GB/s.
    var gigabytesPerSecond: Double?
    /// The instruction set of the kernels.
    var instructions: String?
    /// What `--master-dtype`, `--gradient-dtype` and `--optimizer` chose; nil for the defaults.
    var masterDtype: String?
    var gradientDtype: String?
    var optimizer: String?
    /// The number of measured texts.
    var texts: Int?
    /// The load time of the model in seconds.
    var loadSeconds: Double?
    var firstLoss: Double?
    /// The loss of every step, including the warm-up step before the timed ones.
    var losses: [Double]?
    /// The number of trained parameters.
    var trained: Int?
    /// The phases of the last step of PPO, or each metric by itself, in seconds.
    var phases: [String: Double]?
    /// The greatest differences between two computations of the same values.
    var checks: [String: Double]?

    private enum CodingKeys: String, CodingKey {
        case engine, task, dtype, without, seconds, all, tokens, operations, gflops, instructions, optimizer, texts, losses, trained, phases
        case checks
        case decodingOperations = "decoding_operations"
        case decodingBytes = "decoding_bytes"
        case gigabytesPerSecond = "gb_per_second"
        case masterDtype = "master_dtype"
        case gradientDtype = "gradient_dtype"
        case peakRSS = "peak_rss_mb"
        case loadSeconds = "load_seconds"
        case firstLoss = "first_loss"
    }

    /// Creates a report of the timed iterations. Call it before anything outside the task can raise the peak memory.
    init(_ options: Options, _ all: [Double]) {
        task = options.task.rawValue
        dtype = options.dtype.rawValue
        without = options.without?.rawValue
        instructions = (options.instructions ?? Compute.instructionSets.last)?.rawValue
        masterDtype = options.masterFormat == .f32 ? nil : options.masterFormat.rawValue
        gradientDtype = options.gradientFormat == .f32 ? nil : options.gradientFormat.rawValue
        optimizer = options.optimizer == .adamw ? nil : options.optimizer.rawValue
        let sorted = all.sorted()
        seconds = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        self.all = all
        peakRSS = Self.peakMebibytes()
    }

    /// The peak resident memory of this process.
    private static func peakMebibytes() -> Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss / 1024
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss / 1_048_576
        #endif
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// Measures the time between two laps.
struct Stopwatch {
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant
    init() { start = clock.now }

    /// The seconds since the creation or since the last lap.
    mutating func lap() -> Double {
        defer { start = clock.now }
        return (clock.now - start) / .seconds(1)
    }
}
