import Tensor

/// The command line:
///
///     benchmarks WORKLOAD --task generate|sft|rm|ppo [--without IDEA] [--recompute yes]   one job of the comparison
///     benchmarks WORKLOAD --task dpo|lora|grpo [--recompute yes]                               a step of a later method
///     benchmarks WORKLOAD --task grpo --rollouts FILE                                    the same, and what PyTorch can check it by
///     benchmarks WORKLOAD --task sft --full yes                                          a step of all weights on all tokens
///     benchmarks ENCODER --task encode [--texts FILE] [--count 8000]                     a sentence encoder on many texts
///     benchmarks --task ngrams [--texts FILE] [--count 8000]                             the n-gram metrics
///     benchmarks --task ops [--only TEXT]                                                every operation at named shapes
///
/// with `[--dtype f32|bf16] [--iters 3] [--threads 2]`.
struct Options {
    enum Task: String, CaseIterable { case generate, sft, rm, ppo, dpo, lora, grpo, encode, ngrams, ops }

    /// What makes a job fast, to be left out for once. (The fifth, half the bytes, is `--dtype`.)
    enum Idea: String, CaseIterable {
        /// Sequences without padding.
        case ragged
        /// Frozen layers whose output is computed once for policy, reference, reward model and all epochs.
        case trunk
        /// Losses, and the work of the last layer, on the rows that count; log-probabilities from sampling.
        case rows
        /// Both answers of a pair behind one prompt.
        case prefix
    }

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
    var without: Idea?
    /// Whether trained layers run again in the backward pass.
    var recomputes = false
    /// Whether `sft` trains all weights on all tokens, the prompts' too.
    var isFull = false
    /// The trainers' tokens in memory at once; their own number unless given.
    var tokensPerPass: Int?
    /// Where `grpo` writes what it sampled and made of it, for `method_peers.py --rollouts`.
    var rollouts: String?
    /// Operations whose name holds this text; all unless given.
    var only = ""

    static let usage =
        "usage: benchmarks WORKLOAD --task generate|sft|rm|ppo|dpo|lora|grpo [--dtype f32|bf16] [--iters 3] [--threads 2] "
        + "[--without ragged|trunk|rows|prefix] [--recompute yes|no] [--full yes|no] [--tokens-per-pass N], or benchmarks --task ops [--only TEXT]"

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
            case "--without": without = try Self.choice(argument, value)
            case "--recompute": recomputes = try Self.flag(argument, value)
            case "--full": isFull = try Self.flag(argument, value)
            case "--tokens-per-pass": tokensPerPass = try Self.count(argument, value)
            case "--rollouts": rollouts = value
            case "--only": only = value
            default: throw BenchmarkError("there is no option \(argument)")
            }
        }
        guard hasTask, workload.isEmpty == (task == .ops || task == .ngrams) else { throw BenchmarkError(Self.usage) }
        let known: [Task: Set<Idea>] = [
            .generate: [.ragged], .sft: [.ragged, .rows], .rm: [.ragged, .rows, .prefix],
            .ppo: [.ragged, .trunk, .rows],
        ]
        if let without, known[task]?.contains(without) != true {
            throw BenchmarkError("--task \(task.rawValue) cannot run without \(without.rawValue): it is no part of it")
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

    private static func flag(_ name: String, _ value: String) throws -> Bool {
        guard ["yes", "no"].contains(value) else { throw BenchmarkError("\(name) is yes or no, not \(value)") }
        return value == "yes"
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
