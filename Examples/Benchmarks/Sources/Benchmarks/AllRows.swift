import Models
import Tensor
import Train

extension Tasks {
    /// A step of `sft` or `rm` without the trainers' row optimisations: with `--without rows` the loss covers every row of whole sequences,
    /// prompts with weight 0; with `--without prefix` each of the two answers of a pair has its own copy of the prompt.
    func allRows() throws -> Report {
        let decoder = try workload.decoder()
        let isReward = options.task == .rm
        let head = workload.valueHead()
        frozen.apply(to: decoder, isRewardModel: isReward)
        let optimizer = Adam(
            decoder.parameters + (isReward ? head.parameters : []),
            config: adam(learningRate: 1e-5))
        // the texts that must be in the same pass: one text, or both of a pair
        let groups = workload.prompts.indices.map { index in
            (isReward ? [workload.responses[index], workload.rejected[index]] : [workload.responses[index]])
                .map { Text(prompt: workload.prompts[index], answer: $0) }
        }
        let targets = groups.joined().reduce(0) { $0 + $1.answer.count }
        var seconds: [Double] = []
        for _ in 0...options.iterations {
            var watch = Stopwatch()
            for items in passes(groups) {
                let tape = Tape(recomputingLayers: options.recomputes)
                let loss =
                    isReward
                    ? rewardLoss(items.map { $0.prompt + $0.answer }, decoder, head, on: tape)
                    : tokenLoss(items, decoder, targets: targets, on: tape)
                tape.backward(from: loss)
            }
            try optimizer.step(learningRate: 1e-5)
            seconds.append(watch.lap())
        }
        var report = Report(options, Array(seconds.dropFirst()))
        report.tokens = groups.joined().reduce(0) { $0 + $1.count }
        return report
    }

    private struct Text {
        var prompt: [Int32]
        var answer: [Int32]
        var count: Int { prompt.count + answer.count }
    }

    /// Divides groups into passes, as the trainers do. Default: up to 2048 tokens per pass.
    private func passes(_ groups: [[Text]]) -> [[Text]] {
        var (result, used): ([[Text]], Int) = ([], 0)
        for group in groups {
            let tokens = group.reduce(0) { $0 + $1.count }
            if result.isEmpty || used + tokens > options.tokensPerPass ?? 2048 {
                result.append([])
                used = 0
            }
            result[result.count - 1] += group
            used += tokens
        }
        return result
    }

    private func tokenLoss(
        _ items: [Text], _ decoder: any TransformerDecoder, targets: Int, on tape: Tape
    ) -> Tensor {
        let batch = TokenBatch(items.map { $0.prompt + $0.answer.dropLast() })
        return decoder.hidden(batch, wanted: batch.rows, on: tape).crossEntropy(
            decoder.projection.on(tape), targets: items.flatMap { $0.prompt.dropFirst() + $0.answer },
            rowWeights: items.flatMap {
                Array(repeating: 0, count: $0.prompt.count - 1)
                    + Array(repeating: 1 / Float(targets), count: $0.answer.count)
            })
    }

    private func rewardLoss(_ texts: [[Int32]], _ decoder: any TransformerDecoder, _ head: ValueHead, on tape: Tape) -> Tensor {
        let batch = TokenBatch(texts)
        let last = batch.rows.map { $0.upperBound - 1 }
        let scores: Tensor
        if options.without == .rows {
            let hidden = decoder.hidden(batch, wanted: batch.rows, on: tape)
            scores = head(hidden, on: tape).reshaped([batch.count, 1]).rows(last).reshaped([texts.count])
        } else {
            scores = RewardModel(decoder, head: head).scores(batch, lastRows: last, on: tape)
        }
        return RewardLoss.loss(
            scores: scores, choices: Array(repeating: 0, count: texts.count / 2),
            weight: 1 / Float(workload.prompts.count))
    }
}
