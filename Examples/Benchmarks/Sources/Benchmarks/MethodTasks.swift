import Data
import Models
import Tensor
import Train

// The tasks dpo, lora and grpo. The PyTorch side is `method_peers.py`.

extension Tasks {
    /// One AdamW step of DPO on all pairs. The log-probabilities of the reference model are computed once, before the first step.
    func preferences() throws -> Report {
        let policy = try workload.decoder()
        var config = PreferenceConfig()
        setSteps(of: &config.loop, examples: workload.prompts.count, learningRate: 1e-5)
        config.freezing = frozen
        var watch = Stopwatch()
        let pairs = try referencePairs(policy, config)
        let referenceSeconds = watch.lap()
        var steps = StepTimes()
        let trainer = try PreferenceTrainer(policy, config: config, pairs: pairs) { steps.record($0) }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        (report.firstLoss, report.losses) = (steps.losses.first, steps.losses)
        report.tokens = comparisons.reduce(0) { $0 + $1.prompt.count + $1.summaries.joined().count }
        report.phases = ["reference": referenceSeconds]
        count(in: &report) { StepOperations(policy).answers(pairLengths) }
        let sums = pairs.compactMap(\.reference)
        report.checks = [
            "logps_chosen": sums.reduce(0) { $0 + $1.chosen } / Double(sums.count),
            "logps_rejected": sums.reduce(0) { $0 + $1.rejected } / Double(sums.count),
        ]
        return report
    }

    /// The pairs with log-probabilities of the reference model, which is freed afterwards.
    private func referencePairs(_ policy: any TransformerDecoder, _ config: PreferenceConfig) throws -> [PreferencePair] {
        let reference = try workload.decoder()
        try hold(policy, freezing: frozen, reference: reference)
        return try ReferenceLogProbs(reference, config: config).pairs(comparisons)
    }

    /// Sets one step more than is timed, each on all examples.
    private func setSteps(of loop: inout LoopConfig, examples: Int, learningRate: Double) {
        (loop.maxSteps, loop.batchSize) = (options.iterations + 1, examples)
        (loop.optimizer, loop.schedule) = (adam(learningRate: learningRate), Schedule(.constant))
        loop.recomputesLayers = options.recomputes
        loop.tokensPerPass = options.tokensPerPass ?? loop.tokensPerPass
        loop.gradientFormat = options.gradientFormat
    }

    /// Every prompt with two answers, of which the first is preferred.
    var comparisons: [TokenisedComparison] {
        workload.prompts.indices.map {
            TokenisedComparison(
                id: "\($0)", prompt: workload.prompts[$0], summaries: [workload.responses[$0], workload.rejected[$0]], choice: 0)
        }
    }

    /// Every prompt with its answer.
    var examples: [TokenisedExample] {
        zip(workload.prompts, workload.responses).enumerated().map { TokenisedExample(id: "\($0)", prompt: $1.0, target: $1.1) }
    }

    /// One AdamW step of supervised fine-tuning of the workload's adapter.
    func adapter() throws -> Report {
        let decoder = try workload.adaptedDecoder()
        var config = SFTConfig()
        setSteps(of: &config.loop, examples: examples.count, learningRate: 1e-4)
        var steps = StepTimes()
        let trainer = try SFTTrainer(decoder, config: config, examples: examples) { steps.record($0) }
        steps.begin()
        try trainer.run()
        var report = Report(options, steps.timed)
        (report.firstLoss, report.losses) = (steps.losses.first, steps.losses)
        report.tokens = examples.reduce(0) { $0 + $1.count }
        count(in: &report) { StepOperations(decoder).answers(exampleLengths) }
        report.trained = decoder.parameters.reduce(0) { $0 + ($1.isTrainable ? $1.value.count : 0) }
        return report
    }
}
