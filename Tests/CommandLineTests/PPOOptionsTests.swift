import ArgumentParser
import Eval
import CommandLine
import Report
import Runs
import Study
import Testing
import Train

/// What PPO does where options say nothing.
@Suite struct PPOOptionsTests {
    @Test("later rewards are not discounted unless asked for; in the original they are")
    func discount() throws {
        let silent = try PPOOptions.parse([]).settings
        #expect(silent.discount(reference: false) == 1)
        #expect(silent.discount(reference: true) == 0.999)
        let given = try PPOOptions.parse(["--discounting=0.9"]).settings
        #expect(given.discount(reference: false) == 0.9 && given.discount(reference: true) == 0.9)
    }

    @Test("the formats of weights are settings of the run")
    func frozenFormat() throws {
        let common = ["--model-name", "x", "--reward-function", "token-id"]
        #expect(try job(common).run.frozenDtype == "f32")
        #expect(try job(common + ["--frozen-dtype", "int8"]).run.frozenDtype == "int8")
        #expect(try job(common + ["frozen_dtype=bf16"]).run.frozenDtype == "bf16")
        #expect(throws: (any Error).self) { try job(common + ["--frozen-dtype", "int4"]) }
        #expect(try job(common).run.masterDtype == "f32")
        #expect(try job(common + ["--master-dtype", "bf16"]).run.masterDtype == "bf16")
        #expect(throws: (any Error).self) { try job(common + ["--master-dtype", "int8"]) }
        #expect(try job(common + ["--gradient-dtype", "bf16"]).config().gradientFormat == .bf16)
        #expect(try job(common).config().gradientFormat == .f32)
    }

    private func job(_ arguments: [String]) throws -> PPOStage { try Command.parse(normalising: arguments).settings }

    private struct Command: StageCommand {
        typealias Whole = PPOStage

        @OptionGroup var runs: RunOptions
        @OptionGroup var data: DataOptions
        @OptionGroup var policy: PolicyOptions
        @OptionGroup var rewards: PPORewardOptions
        @OptionGroup var method: PolicyMethodOptions
        @OptionGroup var algorithm: PPOOptions
        @OptionGroup var arithmetic: PPOArithmeticOptions
        @OptionGroup var reward: RewardOptions
        @OptionGroup var sampling: SamplingArguments
        @OptionGroup var saving: SavingOptions
    }

    @Test("rewards of evaluations are given to batches in the original's way only")
    func evaluationBatches() throws {
        let common = ["--model-name", "x", "--reward-function", "token-id", "--rollout-batch-size", "4", "--learn-batch-size", "2"]
        #expect(try job(common + ["--batch-size", "3"]).config().evaluationBatchSize == nil)
        #expect(try job(common + ["--batch-size", "3", "--reference-compatible"]).config().evaluationBatchSize == 3)
        #expect(try job(common + ["--reference-compatible"]).config().evaluationBatchSize == 4)
        let small = try job(
            common + ["--reference-compatible", "--gradient-accumulation-steps", "2", "--rollout-accumulation-steps", "2"]
        ).config()
        #expect(small.rolloutBatchSize == 8 && small.rolloutBatches == 2 && small.learnBatchSize == 4 && small.learnBatches == 2)
        #expect(small.compatibility == .reference)
    }

    @Test("a method sets what it was published with, and options come before that")
    func methods() throws {
        let common = ["--model-name", "x", "--reward-function", "token-id"]
        let usual = try job(common).config()
        #expect(usual.advantages.name == "gae" && usual.normalisesAdvantages && usual.klAsReward && usual.klEstimator == .k2)
        #expect((usual.epochs, usual.rolloutBatchSize, usual.generations) == (4, 16, 1))
        #expect(try job(common + ["--use-gae-lambda-advantages", "no"]).config().advantages.name == "vtrace")
        let grpo = try job(common + ["--advantage", "GRPO"]).config()
        #expect(grpo.advantages.name == "grpo" && !grpo.klAsReward && grpo.klEstimator == .k3 && !grpo.normalisesAdvantages)
        #expect((grpo.epochs, grpo.rolloutBatchSize, grpo.generations, grpo.rollouts) == (1, 4, 4, 16))
        let rloo = try job(common + ["--advantage", "rloo", "--num_generations", "8", "--ppo-epochs", "2", "--kl-approx", "2"]).config()
        #expect((rloo.epochs, rloo.rolloutBatchSize, rloo.generations, rloo.klEstimator) == (2, 2, 8, .k2))
        #expect(rloo.ratio == .sequenceSum && rloo.aggregation.name == "sequences")
        let dapo = try job(
            common + [
                "--advantage", "grpo", "--clip-high", "0.28", "--overlong-buffer", "8", "--dynamic-sampling", "2", "--loss-aggregation",
                "tokens",
                "--init-kl-coef", "0", "--track-kl", "no", "--scale-rewards", "batch", "--ratio", "sequence-mean",
            ]
        ).config()
        #expect((dapo.policyClipHigh, dapo.overlongBuffer, dapo.extraBatches, dapo.rewardScaling) == (0.28, 8, 2, .batch))
        #expect(dapo.ratio == .sequenceMean && dapo.aggregation.name == "tokens")
    }

    @Test(
        "options that a method has no use for are refused",
        arguments: [
            ["--advantage", "grop"], ["--advantage", "grpo", "--lam", "0.9"], ["--advantage", "rloo", "--num-generations", "1"],
            ["--advantage", "remax", "--baseline-cost", "0.5"], ["--advantage", "rloo", "--discounting", "0.9"],
            ["--advantage", "grpo", "--reference-compatible"], ["--dynamic-sampling", "1"], ["--kl-correction", "yes"],
            ["--scale-rewards", "none"], ["--overlong-buffer", "99"], ["--track-kl", "no"], ["--entropy-step", "0.1"],
            ["--advantage", "gae", "--use-gae-lambda-advantages", "no"], ["--advantage", "grpo", "--num-generations", "24"],
            ["--dual-clip", "1.1"], ["--overlong-penalty", "2"], ["--clip-high", "0.3", "--policy-loss", "gradient"],
            ["--clip-high", "0.3", "--appo-clip-policy", "0"], ["--dual-clip", "3", "--policy-loss", "cispo"],
            ["--appo-clip-policy", "0.3", "--policy-loss", "sapo"], ["--appo-clip-policy", "0.3", "--policy-loss", "gradient"],
            ["--track-kl", "no", "--init-kl-coef", "0", "--base-model-name", "y"],
        ].map { $0.joined(separator: " ") })
    func refused(_ words: String) throws {
        #expect(throws: (any Error).self) {
            try job(["--model-name", "x", "--reward-function", "token-id"] + words.split(separator: " ").map(String.init))
        }
    }

    @Test("several rewards with weights are added; unknown names, other weights and names that come twice are refused")
    func weighted() throws {
        func settings(_ words: String) throws -> RewardSettings { try RewardOptions.parse(["--reward-function", words]).settings }
        let found = try #require(try settings("length:0.5, token_id:-2").withoutPolicy())
        let request = RewardRequest(query: "", response: "a b c", responseTokens: [5, 30_000, 2, 4])
        #expect(try found.rewards(for: [request]) == [0.5 * 3 - 2 * 0.25])
        #expect(try settings("length,summarisation:0.1").withoutPolicy() == nil)
        for words in ["length:1,lenght:2", "length:x", "length,length", "length,", "length:nan", "length:1:2"] {
            #expect(throws: (any Error).self, "\(words)") { try settings(words) }
        }
    }

    @Test("rewards by name: characters of a reference, widths and padding in the original's policy training only")
    func rewards() throws {
        func found(_ name: String, reference: Bool, inTraining: Bool, padding: Int32? = nil) throws -> [Double] {
            let function = try RewardOptions.parse(["--reward-function", name, "--token-id-rf-threshold", "9"]).settings
                .withoutPolicy(reference: reference, inTraining: inTraining, padding: padding)
            return try #require(function).rewards(for: [
                RewardRequest(query: "", response: "a b", reference: "a", responseTokens: [5, 10]),
                RewardRequest(query: "", response: "a cat", reference: "a cat", responseTokens: [10, 11, 50_256, 3]),
            ])
        }
        for name in ["rouge", "bleu"] {
            #expect(try found(name, reference: true, inTraining: false) == found(name, reference: false, inTraining: true))
            let (whole, characters) = (
                try found(name, reference: false, inTraining: true), try found(name, reference: true, inTraining: true)
            )
            #expect(whole[1] > 0.99 && characters[1] < 0.7 && whole[0] == characters[0], "\(name)")
        }
        #expect(try found("token-id", reference: false, inTraining: true, padding: 12) == [0.5, 0.5])
        #expect(try found("token-id", reference: true, inTraining: true, padding: 2) == [0.25, 0.5])
        #expect(try found("token-id", reference: true, inTraining: true, padding: 12) == [0.75, 0.5])
        #expect(try found("token-id", reference: true, inTraining: true, padding: 50_256) == [0.25, 0.5])
    }
}
