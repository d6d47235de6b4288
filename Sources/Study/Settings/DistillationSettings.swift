import Data
import Eval
import Formats
import Foundation
import Runs
import Train

/// Distillation of best-of-N: the policy learns the distribution of best-of-N, so that one sample suffices (vBoN).
public struct DistillationSettings: Settings {
    /// A finished best-of-N run of the reference model, with samples of every prompt that is trained on or evaluated. The reward
    /// is (N − 1) log F, where F is the share of a prompt's samples with no greater reward. With `initKlCoef` 1 the objective is
    /// that of best-of-N.
    public var distilBestOfN: String?
    /// N of the distilled best-of-N. Default: 16.
    public var distilledN: Int?

    /// The defaults.
    public init() {}

    /// Checks the ranges of the settings, and that they fit together.
    /// - Throws: `InvalidSetting`.
    public func validate() throws {
        guard distilledN == nil || distilBestOfN != nil else {
            throw InvalidSetting("--distilled-n has no effect without --distil-best-of-n, which names the run with the samples")
        }
        guard distilledN ?? 2 > 1 else { throw InvalidSetting("--distilled-n must be above 1: best-of-1 is the reference model itself") }
    }

    /// The reward of distillation, which wraps the given reward; the given reward itself if distillation is not asked for.
    /// - Parameter prompts: all prompts that will be answered.
    /// - Throws: `InvalidSetting` when the run has no samples of a prompt.
    func distilling(
        _ reward: any RewardFunction, answering prompts: [TokenisedPrompt], for stage: PPOStage, _ session: RunSession
    ) throws -> any RewardFunction {
        guard let distilBestOfN else { return reward }
        let runs = URL(fileURLWithPath: stage.run.outputDir, isDirectory: true)
        let source = try RunFolder.run(named: distilBestOfN, in: runs, expecting: [.bestOfN])
        let rows = try Tables.names(inRun: source).filter { !$0.hasSuffix(BestOfNStage.chosenSuffix) }
            .flatMap { try StoredSamples.prompts($0, inRun: source).flatMap { $0 } }
        let result = DistilledBestOfN(reward, n: distilledN ?? 16, samples: rows)
        let counts = prompts.map { result.sampleCount(of: $0.query) }
        if let place = counts.firstIndex(of: 0) {
            throw InvalidSetting(
                "\(source.path) has no samples for \(counts.count { $0 == 0 }) of \(Counted(prompts.count, "prompt")), "
                    + "such as \(prompts[place].id); "
                    + "draw them with sample-best-of-n --evaluation-splits "
                    + "\((["train", "validation", "ood_validation"] + stage.policy.evaluationSplits).joined(separator: ",")) and a "
                    + "large enough --target-eval-datapoints")
        }
        session.say("distilling best-of-\(result.n); \(source.path) has \(counts.min() ?? 0) to \(counts.max() ?? 0) samples per prompt")
        let drawn = try RunConfiguration.read(inRun: source)?.options ?? [:]
        var own = try stage.reward.values.filter { ["reward_function", "rf_model_dir"].contains($0.key) }
        own["model_name"] = .string(stage.policy.baseModelName ?? stage.policy.modelName)
        // a run that reused another run's samples does not record which model and reward made them
        for (name, value) in own.sorted(by: { $0.key < $1.key }) where drawn["samples_from"] == nil && drawn[name] != value {
            session.say(
                "\(name) is \(value.shown), but \(drawn[name]?.shown ?? "none") in \(source.path): "
                    + "the samples should come from the reference model and be scored with this run's reward")
        }
        let config = try stage.config()
        if stage.rewards.initKlCoef != 1 || config.klEstimator != .k1 || stage.rewards.adapKlCtrl {
            session.say(
                "the objective is exactly that of best-of-\(result.n) only with --init-kl-coef 1 --kl-approx 1; this run has "
                    + "--init-kl-coef \(stage.rewards.initKlCoef) --kl-approx \(config.klEstimator.rawValue)")
        }
        return result
    }
}
