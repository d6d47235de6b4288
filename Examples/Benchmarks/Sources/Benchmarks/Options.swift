import Models
import Tensor
import Train

/// The command line:
///
///     benchmarks WORKLOAD --task generate|sft|rm|ppo [--without IDEA] [--recompute yes]     one task of the comparison
///     benchmarks WORKLOAD --task dpo|lora|grpo [--recompute yes]                         a step of another method
///     benchmarks WORKLOAD --task grpo --rollouts FILE                                    also writes data that PyTorch can check
///     benchmarks WORKLOAD --task sft --full yes                                          a step of all weights on all tokens
///     benchmarks ENCODER --task encode [--texts FILE] [--count 8000]                     a sentence encoder on many texts
///     benchmarks --task ngrams [--texts FILE] [--count 8000]                             the n-gram metrics
///     benchmarks --task ops [--only TEXT]                                                every operation at named shapes
///     benchmarks --task rate                                                             the rate of large products
///
/// with `[--dtype f32|bf16] [--iters 3] [--threads 2] [--instructions SET]`. The tasks that train also have `[--master-dtype f32|bf16]
/// [--gradient-dtype f32|bf16] [--optimizer NAME]`, as the training programs do.
struct Options {
    enum Task: String, CaseIterable { case generate, sft, rm, ppo, dpo, lora, grpo, encode, ngrams, ops, rate }

    /// The optimisations that `--without` disables. (Another one, 16-bit storage, is set with `--dtype`.)
    enum Idea: String, CaseIterable {
        /// Packed sequences without padding.
        case ragged
        /// Frozen layers whose output is computed once for the policy, the reference model, the reward model and all epochs.
        case trunk
        /// Losses and the last layer computed only for the rows that are needed; log-probabilities taken from sampling.
        case rows
        /// Both answers of a pair share one prompt.
        case prefix
    }

    /// The folder of the workload or of the sentence encoder.
    var workload = ""
    /// A file with a JSON list of strings for `encode` and `ngrams`. Default: generated texts.
    var texts: String?
    /// The number of texts for `encode` and `ngrams`.
    var count = 8000
    var task = Task.generate
    var dtype = Compute.Precision.f32
    /// The number of timed iterations; one more runs before them as a warm-up.
    var iterations = 3
    var threads = 2
    /// The instruction set of the kernels. Default: the best one of this processor.
    var instructions: Compute.InstructionSet?
    /// The format of trained weights.
    var masterFormat = MasterFormat.f32
    /// The format of gradients.
    var gradientFormat = GradientFormat.f32
    /// The rule of optimiser steps.
    var optimizer = OptimizerKind.adamw
    var without: Idea?
    /// Whether trained layers are recomputed in the backward pass.
    var recomputes = false
    /// Whether `sft` trains all weights on all tokens, including those of the prompts.
    var isFull = false
    /// The number of tokens per pass. Default: that of the trainers.
    var tokensPerPass: Int?
    /// The file to which `grpo` writes its samples, rewards and losses, for `method_peers.py --rollouts`.
    var rollouts: String?
    /// Run only operations whose name contains this text. Default: all.
    var only = ""

    static let usage =
        "usage: benchmarks WORKLOAD --task generate|sft|rm|ppo|dpo|lora|grpo [--dtype f32|bf16] [--iters 3] [--threads 2] "
        + "[--without ragged|trunk|rows|prefix] [--recompute yes|no] [--full yes|no] [--tokens-per-pass N] "
        + "[--instructions portable|avx2|avx512|amx] [--master-dtype f32|bf16] [--gradient-dtype f32|bf16] [--optimizer NAME], "
        + "or benchmarks --task ops [--only TEXT], or benchmarks --task rate"

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        var hasTask = false
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                guard workload.isEmpty else {
                    throw BenchmarkError("expected one workload, found \(workload) and \(argument)")
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
            case "--instructions": instructions = try Self.choice(argument, value)
            case "--master-dtype": masterFormat = try Self.choice(argument, value)
            case "--gradient-dtype": gradientFormat = try Self.choice(argument, value)
            case "--optimizer": optimizer = try Self.choice(argument, value)
            case "--without": without = try Self.choice(argument, value)
            case "--recompute": recomputes = try Self.flag(argument, value)
            case "--full": isFull = try Self.flag(argument, value)
            case "--tokens-per-pass": tokensPerPass = try Self.count(argument, value)
            case "--rollouts": rollouts = value
            case "--only": only = value
            default: throw BenchmarkError("unknown option \(argument)")
            }
        }
        guard hasTask, workload.isEmpty == [.ops, .rate, .ngrams].contains(task) else { throw BenchmarkError(Self.usage) }
        let known: [Task: Set<Idea>] = [
            .generate: [.ragged], .sft: [.ragged, .rows], .rm: [.ragged, .rows, .prefix],
            .ppo: [.ragged, .trunk, .rows],
        ]
        if let without, known[task]?.contains(without) != true {
            throw BenchmarkError("--task \(task.rawValue) does not support --without \(without.rawValue)")
        }
        if let instructions, !Compute.instructionSets.contains(instructions) {
            throw BenchmarkError(
                "this processor does not support --instructions \(instructions.rawValue); use "
                    + Compute.instructionSets.map(\.rawValue).joined(separator: " or "))
        }
        try checkTrainedFormats()
    }

    /// Rejects options of training where they would have no effect.
    private func checkTrainedFormats() throws {
        guard masterFormat != .f32 || gradientFormat != .f32 || optimizer != .adamw else { return }
        guard [.sft, .rm, .ppo, .dpo, .lora, .grpo].contains(task), without != .rows, without != .prefix else {
            throw BenchmarkError(
                "--master-dtype, --gradient-dtype and --optimizer need a task with a trainer, without --without rows or prefix")
        }
        guard task != .lora || masterFormat == .f32 else {
            throw BenchmarkError("--master-dtype has no effect on the matrices of an adapter; leave it out of --task lora")
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ value: String
    ) throws -> Choice {
        guard let choice = Choice(rawValue: value) else {
            throw BenchmarkError(
                "\(name) must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")), not \(value)")
        }
        return choice
    }

    private static func flag(_ name: String, _ value: String) throws -> Bool {
        guard ["yes", "no"].contains(value) else { throw BenchmarkError("\(name) must be yes or no, not \(value)") }
        return value == "yes"
    }

    private static func count(_ name: String, _ value: String) throws -> Int {
        guard let count = Int(value), count > 0 else {
            throw BenchmarkError("\(name) must be a number above 0, not \(value)")
        }
        return count
    }
}

/// An error that ends a benchmark, with a message on one line.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
