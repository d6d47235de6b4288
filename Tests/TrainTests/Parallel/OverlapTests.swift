import Data
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Training whose gradients travel during the last backward pass of a step has the bits of training whose gradients travel after it.
@Suite struct OverlapTests {
    /// What a rank has after its run, and the number of exchanges during backward passes.
    private typealias Run = (outcome: RankOutcome, inBackground: Int)

    /// Small buckets, of which every step has several.
    private static func set(_ steps: inout StepConfig, overlaps: Bool) {
        (steps.exchange.bucket, steps.exchange.overlaps) = (64, overlaps)
    }

    /// Runs a training on each rank with and without overlap, and expects the same bits on all ranks.
    private static func compare(
        _ ranks: Int, sourceLocation: SourceLocation = #_sourceLocation,
        _ train: @escaping @Sendable (RecordedCollective, _ overlaps: Bool) throws -> RankOutcome
    ) throws {
        func runs(_ overlaps: Bool) throws -> [Run] {
            try ThreadCollective.run(ranks) { group in
                let recorded = RecordedCollective(group)
                return (try train(recorded, overlaps), recorded.inBackground)
            }
        }
        let plain = try runs(false)
        #expect(plain.allSatisfy { $0.inBackground == 0 && $0.outcome.complete }, sourceLocation: sourceLocation)
        for run in try runs(true) {
            #expect(run.inBackground > 0, sourceLocation: sourceLocation)
            run.outcome.expectIdentical(to: plain[0].outcome, sourceLocation: sourceLocation)
        }
    }

    private static let variants = [
        "one pass", "several passes", "tied embeddings", "recomputed layers", "gradients in bfloat16", "more ranks than examples",
        "adapter",
    ]

    @Test("supervised fine-tuning", arguments: variants, [2, 3])
    func supervised(variant: String, ranks: Int) throws {
        try Self.compare(variant == "more ranks than examples" ? ranks + 1 : ranks) { group, overlaps in
            var config = configured(SFTConfig()) {
                ($0.maxSteps, $0.batchSize, $0.logSteps) = (4, 8, 1)
                $0.optimizer = AdamConfig(learningRate: 3e-3)
                $0.optimizer.weightDecay = 0.01
                $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
            }
            Self.set(&config.loop.steps, overlaps: overlaps)
            var decoder: any TransformerDecoder = try TinyModel.make(variant == "tied embeddings" ? "gpt2" : "llama")
            switch variant {
            case "several passes": config.tokensPerPass = 20
            case "tied embeddings": config.freezing = Freezing(fraction: 0, freezesEmbeddings: false)
            case "recomputed layers": config.recomputesLayers = true
            case "gradients in bfloat16": (config.gradientFormat, config.tokensPerPass) = (.bf16, 20)
            case "more ranks than examples": config.batchSize = 2
            case "adapter":
                config.freezing = Freezing(fraction: 0.34)
                let layers = Array(Freezing(fraction: 0.34).trainedLayers(of: decoder.shape))
                decoder = try decoder.adapted(
                    by: AdapterConfiguration(rank: 4, alpha: 8, layers: layers), base: "/models/tiny", using: Philox(seed: 5))
            default: break
            }
            let log = EventLog()
            let trainer = try SFTTrainer(decoder, config: config, examples: ToyData.examples(20), collective: group, handler: log.handler)
            if variant == "gradients in bfloat16" { try MasterWeights.hold(decoder, as: .bf16) }
            var outcome = RankOutcome(weights: Weights(decoder), log: log)
            outcome.complete = try trainer.run()
            #expect(decoder.parameters.gradients.isEmpty)
            outcome.weights = Weights(decoder)
            return outcome
        }
    }

    @Test("preferences", arguments: [2, 3])
    func preferences(ranks: Int) throws {
        try Self.compare(ranks) { group, overlaps in
            var config = PreferenceConfig()
            (config.loop.maxSteps, config.loop.batchSize, config.loop.steps.logSteps) = (4, 5, 1)
            config.loop.steps.optimizer = AdamConfig(learningRate: 1e-3)
            config.freezing = Freezing(fraction: 0.4)
            Self.set(&config.loop.steps, overlaps: overlaps)
            let policy = try TinyModel.llama()
            let pairs = try ReferenceLogProbs(policy.copy(), config: config).pairs(ToyData.comparisons(12))
            let log = EventLog()
            let trainer = try PreferenceTrainer(policy, config: config, pairs: pairs, collective: group, handler: log.handler)
            var outcome = RankOutcome(weights: Weights(policy), log: log)
            outcome.complete = try trainer.run()
            outcome.weights = Weights(policy)
            return outcome
        }
    }

    @Test("policy optimisation, also with several learn batches in a step of the optimiser", arguments: [2, 3], [false, true])
    func policies(ranks: Int, severalBatches: Bool) throws {
        try Self.compare(ranks) { group, overlaps in
            try ParallelPPOTests.train(
                ParallelPPOTests.config(.gae, 3) {
                    ($0.epochs, $0.entropyCost, $0.evaluationSteps) = (2, 0.01, nil)
                    if severalBatches {
                        $0.compatibility = .reference
                        ($0.rolloutBatches, $0.learnBatchSize, $0.learnBatches, $0.optimizer.clipNorm) = (2, 6, 2, nil)
                    }
                    Self.set(&$0.steps, overlaps: overlaps)
                }, group)
        }
    }

    @Test("only a byte for each parameter and step is sent besides", arguments: [2, 3])
    func traffic(ranks: Int) throws {
        let found = try ThreadCollective.run(ranks) { group in
            try [false, true].map { overlaps in
                let decoder = try TinyModel.llama()
                var config = configured(SFTConfig()) { ($0.maxSteps, $0.batchSize, $0.freezing) = (3, 8, Freezing(fraction: 0.4)) }
                Self.set(&config.loop.steps, overlaps: overlaps)
                let trainer = try SFTTrainer(decoder, config: config, examples: ToyData.examples(20), collective: group)
                try trainer.run()
                return (trainer.traffic.bytesSent, decoder.parameters.count { $0.isTrainable })
            }
        }
        for sent in found { #expect(sent[1].0 == sent[0].0 + 3 * (ranks - 1) * sent[0].1) }
    }
}
