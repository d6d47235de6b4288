import Tensor

/// The command line: `benchmarks WORKLOAD --task generate|sft|rm|ppo [--dtype f32|bf16] [--iters 3] [--threads 2]`, or
/// `benchmarks FOLDER --task encode [--texts FILE] [--count 8000]` with a sentence encoder, or `benchmarks --task ngrams`.
struct Options {
    enum Task: String, CaseIterable { case generate, sft, rm, ppo, encode, ngrams }

    /// The workload, or the folder of an encoder.
    var workload = ""
    /// A JSON list of strings for `encode` and `ngrams`; generated ones unless given.
    var texts: String?
    /// How many texts `encode` and `ngrams` look at.
    var count = 8000
    var task = Task.generate
    var dtype = Compute.Precision.f32
    /// Timed iterations; one more runs before them and is not counted.
    var iterations = 3
    var threads = 2

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        var hasTask = false
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                guard workload.isEmpty else {
                    throw BenchmarkError("there are two workloads: \(workload) and \(argument)")
                }
                workload = argument
                continue
            }
            guard let value = rest.popFirst() else { throw BenchmarkError("\(argument) needs a value") }
            switch argument {
            case "--task":
                task = try Self.choice(argument, value)
                hasTask = true
            case "--texts": texts = value
            case "--count": count = try Self.count(argument, value)
            case "--dtype": dtype = try Self.choice(argument, value)
            case "--iters": iterations = try Self.count(argument, value)
            case "--threads": threads = try Self.count(argument, value)
            default: throw BenchmarkError("there is no option \(argument)")
            }
        }
        guard hasTask, !workload.isEmpty || task == .ngrams else {
            throw BenchmarkError(
                "usage: benchmarks WORKLOAD --task generate|sft|rm|ppo [--dtype f32|bf16] [--iters 3] [--threads 2], or "
                    + "benchmarks ENCODER --task encode [--texts FILE] [--count 8000], or benchmarks --task ngrams")
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ value: String
    ) throws -> Choice {
        guard let choice = Choice(rawValue: value) else {
            throw BenchmarkError(
                "\(name) is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), not \(value)")
        }
        return choice
    }

    private static func count(_ name: String, _ value: String) throws -> Int {
        guard let count = Int(value), count > 0 else {
            throw BenchmarkError("\(name) is a number above 0, not \(value)")
        }
        return count
    }
}

/// Something that a benchmark cannot go on with, in one line.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
