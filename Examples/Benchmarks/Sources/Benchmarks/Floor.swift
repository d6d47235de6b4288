import Models
import Tensor
import Train

/// Measures the rate of large matrix products and the bandwidth of memory, with which `compare.py` turns operations and bytes into the
/// least time of a task.
struct ProductRate {
    let options: Options
    /// The rows, inputs and outputs of the product. All dimensions are multiples of the blocks of every kernel.
    private static let size = 2048
    /// The time of all calls together, in seconds.
    private static let duration = 4.0
    /// The outputs of the product with one row that measures the bandwidth. Its weight of 512 MiB is larger than any cache.
    private static let longSide = 65_536

    /// The median rates of the calls. The first one, in which the weight is packed, does not count.
    func run() throws -> Report {
        let (x, weight) = (random("x", rows: Self.size), random("w", rows: Self.size))
        var report = Report(options, times { _ = x.linear(weight) })
        report.gflops = 2 * Double(Self.size * Self.size * Self.size) / report.seconds / 1e9
        let (row, long) = (random("x", rows: 1), random("w", rows: Self.longSide))
        let read = Report(options, Compute.$precision.withValue(.f32) { times { _ = row.linear(long) } })
        report.gigabytesPerSecond = 4 * Double(Self.longSide * Self.size) / read.seconds / 1e9
        return report
    }

    /// The seconds of each call but the first.
    private func times(_ call: () -> Void) -> [Double] {
        call()
        var (seconds, spent): ([Double], Double) = ([], 0)
        while spent < Self.duration {
            var watch = Stopwatch()
            call()
            seconds.append(watch.lap())
            spent += seconds[seconds.count - 1]
        }
        return seconds
    }

    private func random(_ name: String, rows: Int) -> Tensor {
        var generator = Philox(seed: 5).split(name)
        return .normal([rows, Self.size], standardDeviation: 0.5, using: &generator)
    }
}

/// The texts of a workload for the operation counts, and the options of trained weights.
extension Tasks {
    /// Adds the operations that a step cannot avoid to a report. A task without one of the optimisations has none.
    func count(in report: inout Report, _ count: () -> OperationCount) {
        if options.without == nil { report.operations = count() }
    }

    /// Adds what decoding token by token computes and reads at least.
    func countDecoding(of texts: [PromptLengths], with decoder: any TransformerDecoder, in report: inout Report) {
        guard options.without == nil else { return }
        let operations = StepOperations(decoder)
        let reads = operations.decodingReads(texts)
        report.decodingOperations = operations.decoding(texts).total
        report.decodingBytes = (reads.weights + reads.keysAndValues) * (options.dtype == .bf16 ? 2 : 4)
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
