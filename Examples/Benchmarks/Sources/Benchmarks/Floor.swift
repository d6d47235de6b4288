import Models
import Tensor

/// Measures the rate of large matrix products, with which `compare.py` turns operations into the least time of a task.
struct ProductRate {
    let options: Options
    /// The rows, inputs and outputs of the product. All dimensions are multiples of the blocks of every kernel.
    private static let size = 2048
    /// The time of all calls together, in seconds.
    private static let duration = 4.0

    /// The median rate of the calls. The first one, in which the weight is packed, does not count.
    func run() throws -> Report {
        let (x, weight) = (random("x"), random("w"))
        _ = x.linear(weight)
        var (seconds, spent): ([Double], Double) = ([], 0)
        while spent < Self.duration {
            var watch = Stopwatch()
            _ = x.linear(weight)
            seconds.append(watch.lap())
            spent += seconds[seconds.count - 1]
        }
        var report = Report(options, seconds)
        report.gflops = 2 * Double(Self.size * Self.size * Self.size) / report.seconds / 1e9
        return report
    }

    private func random(_ name: String) -> Tensor {
        var generator = Philox(seed: 5).split(name)
        return .normal([Self.size, Self.size], standardDeviation: 0.5, using: &generator)
    }
}

/// The texts of a workload for the operation counts, and the options of trained weights.
extension Tasks {
    /// Adds the operations that a step cannot avoid to a report. A task without one of the optimisations has none.
    func count(in report: inout Report, _ count: () -> OperationCount) {
        if options.without == nil { report.operations = count() }
    }

    /// The lengths of every prompt and its answer.
    var exampleLengths: [PromptLengths] {
        zip(workload.prompts, workload.responses).map { PromptLengths(prompt: $0.count, continuations: [$1.count]) }
    }

    /// The lengths of every prompt and its two answers.
    var pairLengths: [PromptLengths] {
        workload.prompts.indices.map {
            PromptLengths(
                prompt: workload.prompts[$0].count, continuations: [workload.responses[$0].count, workload.rejected[$0].count])
        }
    }

    /// The lengths of the first prompts and the answers that are sampled for each of them.
    func sampledLengths(prompts count: Int, answers: Int) -> [PromptLengths] {
        workload.prompts.prefix(count).map {
            PromptLengths(prompt: $0.count, continuations: Array(repeating: workload.newTokens, count: answers))
        }
    }

    /// Holds trained weights, and the same weights of a reference model, in the format of `--master-dtype`.
    func hold(
        _ decoder: any TransformerDecoder, freezing: Freezing, isRewardModel: Bool = false,
        reference: (any TransformerDecoder)? = nil
    ) throws {
        guard options.masterFormat != .f32 else { return }
        freezing.apply(to: decoder, isRewardModel: isRewardModel)
        let trained = Set(decoder.parameters.filter(\.isTrainable).map(\.name))
        let others = reference?.parameters.filter { trained.contains($0.name) } ?? []
        try MasterWeights.hold(decoder, others: others, as: options.masterFormat)
    }
}
