import Foundation
import Runs
import Study
import Testing

/// Settings: declared once, flat in files, with defaults.
@Suite struct SettingsTests {
    @Test("what is written is what options are called and hold")
    func values() throws {
        var training = TrainingSettings()
        training.maxSteps = 7
        let values = try training.values
        #expect(values["learning_rate"] == .number(5e-5) && values["max_steps"] == .integer(7) && values["freeze_lm_head"] == .bool(true))
        #expect(values["eval_steps"] == nil && values["lr_scheduler_type"] == .string("cosine"))
        #expect(Set(values.keys).isSubset(of: TrainingSettings.names) && TrainingSettings.names.contains("eval_steps"))
        #expect(try TrainingSettings(values: values) == training)
    }

    @Test("names of Swift, of files and of the command line")
    func names() {
        for (swift, file) in [
            ("adamBeta1", "adam_beta1"), ("simulateBonForPerInputNOutputs", "simulate_bon_for_per_input_n_outputs"), ("seed", "seed"),
            ("evalSlRewardFunction", "eval_sl_reward_function"),
        ] {
            #expect(SettingName.snake(swift) == file && SettingName.camel(file) == swift)
        }
    }

    @Test("single precision keeps its digits, seeds their bits, and numbers that are not finite their words")
    func numbers() throws {
        var sampling = SamplingSettings()
        sampling.temperature = 0.7
        sampling.topP = 0.95
        #expect(try sampling.values["temperature"] == .number(0.7))
        #expect(try SamplingSettings(values: sampling.values) == sampling)
        var run = RunSettings()
        run.seed = .max
        run.checkpointMinutes = .infinity
        #expect(try run.values["seed"] == .string("18446744073709551615") && run.values["checkpoint_minutes"] == .string("inf"))
        #expect(try RunSettings(values: run.values) == run)
        var preferences = ComparisonSettings()
        preferences.simulatedTemperatures = [0.5, 1]
        #expect(try preferences.values["simulated_temperatures"] == .array([.number(0.5), .number(1)]))
        #expect(try ComparisonSettings(values: preferences.values) == preferences)
    }

    @Test("the number of responses that are sampled at the same time has two defaults")
    func activeResponses() {
        var sampling = SamplingSettings()
        #expect(sampling.maxActive() == 64 && sampling.maxActive(isBulk: true) == 128)
        sampling.maxActiveResponses = 3
        #expect(sampling.maxActive() == 3 && sampling.maxActive(isBulk: true) == 3)
    }

    @Test("names that are none and values of another type are refused by name")
    func refusals() throws {
        func problem(_ values: [String: OptionValue]) -> String {
            do {
                _ = try TrainingSettings(values: values)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(problem(["learning_rat": .number(1)]) == "there is no setting learning_rat; did you mean learning_rate?")
        #expect(problem(["learning_rate": .string("much")]) == "learningRate is much; expected a number")
        #expect(problem(["max_steps": .number(1.5)]) == "maxSteps is 1.5; expected a whole number")
        #expect(problem(["freeze_lm_head": .integer(1)]) == "freezeLmHead is 1; expected true or false")
        // null takes a value away
        #expect(try TrainingSettings(values: ["max_steps": .null]).maxSteps == nil)
    }

    @Test("a stage is flat JSON; what is not named keeps its default")
    func stages() throws {
        let json = #"{"model_name": "m", "learning_rate": 0.001, "dataset": "generated", "seed": 3, "evaluation_splits": ["test"]}"#
        let stage = try JSONDecoder().decode(SFTStage.self, from: Data(json.utf8))
        #expect(stage.model.modelName == "m" && stage.training.learningRate == 0.001 && stage.data.dataset == "generated")
        #expect(stage.run.seed == 3 && stage.evaluation.evaluationSplits == ["test"] && stage.training.adamBeta1 == 0.9)
        let again = try JSONDecoder().decode(SFTStage.self, from: JSONEncoder().encode(stage))
        #expect(again == stage)
        #expect(throws: InvalidSetting.self) { try JSONDecoder().decode(SFTStage.self, from: Data(#"{"modelname": "m"}"#.utf8)) }
    }

    @Test("no two groups of a stage have a setting of one name")
    func groups() {
        for names in [SFTStage.names, RewardModelStage.names, PPOStage.names, BestOfNStage.names, DiversityStage.names] {
            #expect(Set(names).count == names.count)
        }
    }

    @Test("a number of a measurement that is out of range is refused by the name of its option")
    func measurementNumbers() throws {
        let changes: [(String, (inout DiversitySettings) -> Void)] = [
            ("--at-k is 0", { $0.atK = 0 }), ("--quality-threshold is inf", { $0.qualityThreshold = .infinity }),
            ("--utility-patience is 1.5", { $0.utilityPatience = 1.5 }), ("--utility-levels", { $0.utilityLevels = [1, .infinity] }),
            ("--coverage-threshold is 2", { $0.coverageThreshold = 2 }), ("--limit-outputs is 0", { $0.limitOutputs = 0 }),
            ("--common-length is -1", { $0.commonLength = -1 }), ("--nli-samples is 0", { $0.nliSamples = 0 }),
            ("--across-input-draws is 0", { $0.acrossInputDraws = 0 }),
            ("--sample-overall-size is 1", { ($0.sampleOverall, $0.sampleOverallSize) = (true, 1) }),
            ("--simulate-bon-for-per-input is 0", { $0.simulateBonForPerInput = 0 }),
            ("--simulate-bon-for-per-input-n-outputs is 0", { $0.simulateBonForPerInputNOutputs = 0 }),
            ("--ead-vocabulary-size is 0", { $0.eadVocabularySize = 0 }),
            ("--equivalence-threshold is 2", { ($0.equivalence, $0.equivalenceThreshold) = ("ngrams", 2) }),
            ("--equivalence-threshold", { ($0.equivalence, $0.equivalenceThreshold) = ("entailment", 0.5) }),
        ]
        try DiversitySettings().validate()
        for (words, change) in changes {
            var settings = DiversitySettings()
            change(&settings)
            let error = #expect(throws: InvalidSetting.self) { try settings.validate() }
            #expect(error?.message.hasPrefix(words) == true, "\(error?.message ?? "") without \(words)")
        }
    }

    /// Every comparison with NaN is false, so that one would pass the tests of limits.
    @Test("a number that is none is refused by name, whatever its limits are")
    func notANumber() throws {
        func problem(_ stage: some GroupedSettings) -> String {
            do {
                try stage.validateGroups()
                return ""
            } catch { return "\(error)" }
        }
        func expected(_ name: String) -> String { "\(name) is nan; expected a finite number" }
        var ppo = PPOStage()
        ppo.reward.rewardFunction = "length"
        #expect(problem(ppo) == "")
        let changes: [(String, (inout PPOStage) -> Void)] = [
            ("target", { $0.rewards.target = .nan }), ("rewardClip", { $0.rewards.rewardClip = .nan }),
            ("lam", { $0.algorithm.lam = .nan }), ("temperature", { $0.sampling.temperature = .nan }),
            ("minP", { $0.sampling.minP = .nan }),
            ("clipHigh", { $0.method.clipHigh = .nan }), ("entropyTarget", { $0.method.entropyTarget = .nan }),
            ("checkpointMinutes", { $0.run.checkpointMinutes = .nan }), ("loraAlpha", { $0.adapter.loraAlpha = .nan }),
            ("freezeLayers", { $0.policy.freezeLayers = .nan }), ("diversityRewardWeight", { $0.diversity.diversityRewardWeight = .nan }),
        ]
        for (name, change) in changes {
            var stage = ppo
            change(&stage)
            #expect(problem(stage) == expected(name))
        }
        var preferences = PreferenceStage()
        preferences.comparisons.simulatedTemperatures = [1, .nan]
        #expect(problem(preferences) == expected("simulatedTemperatures"))
        preferences.comparisons.simulatedTemperatures = [1]
        preferences.comparisons.pairMargin = .nan
        #expect(problem(preferences) == expected("pairMargin"))
        // as a text in a file
        #expect(problem(try PPOStage(values: ["reward_function": .string("length"), "target": .string("nan")])) == expected("target"))
    }

    @Test("what weighs nothing cannot be corrected or adapted")
    func weightOfNothing() throws {
        var stage = PPOStage()
        stage.policy.modelName = "m"
        stage.reward.rewardFunction = "length"
        (stage.method.advantage, stage.rewards.initKlCoef, stage.method.klCorrection) = ("grpo", 0, true)
        let error = #expect(throws: InvalidSetting.self) { try stage.validate() }
        #expect(error?.message.contains("--kl-correction has no effect with --init-kl-coef 0") == true)
        stage.rewards.initKlCoef = 0.1
        try stage.validate()
        (stage.method.klCorrection, stage.rewards.adapKlCtrl, stage.rewards.initKlCoef) = (false, true, 0)
        let second = #expect(throws: InvalidSetting.self) { try stage.validate() }
        #expect(second?.message.contains("--adap-kl-ctrl has no effect with --init-kl-coef 0") == true)
    }

    @Test("what means nothing is refused as Swift calls it")
    func validation() {
        var stage = SFTStage()
        stage.model.fromScratch = true
        stage.training.warmupRatio = 2
        #expect(throws: InvalidSetting("--warmup-ratio is 2.0; expected a share from 0 to 1")) { try stage.validate() }
        #expect("\(InvalidSetting("--warmup-ratio is 2"))" == "warmupRatio is 2")
    }

    @Test("a number out of its range is named alone, with its value")
    func ranges() {
        func message(_ change: (inout RewardModelStage) -> Void) -> String {
            var stage = RewardModelStage()
            stage.comparisons.modelName = "m"
            change(&stage)
            do {
                try stage.validate()
                return "nothing"
            } catch { return "\(error)" }
        }
        #expect(message { $0.training.perDeviceTrainBatchSize = 0 } == "perDeviceTrainBatchSize is 0; it must be above 0")
        #expect(message { $0.training.gradientAccumulationSteps = -2 } == "gradientAccumulationSteps is -2; it must be above 0")
        #expect(message { $0.training.warmupSteps = -1 } == "warmupSteps is -1; it must not be negative")
        #expect(message { $0.comparisons.pairsPerPrompt = 0 } == "pairsPerPrompt is 0; it must be above 0")
    }

    @Test("an option that the chosen loss would pass over is refused by its own name")
    func unusedByLoss() {
        func refuses(_ name: String, _ change: (inout DirectPreferenceSettings) -> Void) {
            var settings = DirectPreferenceSettings()
            change(&settings)
            let error = #expect(throws: InvalidSetting.self) { try settings.validate() }
            #expect("\(String(describing: error))".contains(name), "\(String(describing: error))")
        }
        refuses("fAlpha has no effect") { $0.fAlpha = 0.3 }
        refuses("fDivergence has no effect with loss orpo") { ($0.loss, $0.fDivergence) = ("orpo", "js") }
        refuses("entropyBeta has no effect with loss simpo") { ($0.loss, $0.entropyBeta) = ("simpo", 0.1) }
        refuses("referenceModel has no effect") { ($0.loss, $0.referenceModel, $0.klPrompts) = ("simpo", "m", 0) }
        var alpha = DirectPreferenceSettings()
        (alpha.fAlpha, alpha.fDivergence) = (0.3, "alpha")
        #expect(throws: Never.self) { try alpha.validate() }
    }
}
