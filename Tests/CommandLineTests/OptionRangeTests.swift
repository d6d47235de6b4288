import ArgumentParser
import CommandLine
import Report
import Runs
import Study
import Testing

/// Numbers that would end a program far from the option that they came from.
@Suite struct OptionRangeTests {
    private struct Diversity: ProgramCommand {
        @OptionGroup var options: DiversityOptions
    }
    private struct Policy: ProgramCommand {
        @OptionGroup var options: PolicyOptions
    }
    private struct Sampling: ProgramCommand {
        @OptionGroup var options: BestOfNOptions
    }
    private struct Head: ProgramCommand {
        @OptionGroup var options: RewardHeadOptions
    }
    private struct Preferences: ProgramCommand {
        @OptionGroup var options: ComparisonOptions
    }

    private func expectRefusal(_ command: (some ProgramCommand).Type, _ words: [String], naming option: String) {
        let error = #expect(throws: CommandLineError.self) { try command.parse(normalising: words) }
        #expect(error?.description.contains(option) == true, "\(error?.description ?? "")")
        #expect(error?.programExit == .usage)
    }

    @Test(arguments: ["--max-tables", "--bootstrap-resamples"])
    func diversity(option: String) {
        for value in ["0", "-1"] { expectRefusal(Diversity.self, ["\(option)=\(value)"], naming: option) }
    }

    @Test func policy() {
        let option = "--training-target-eval-datapoints"
        expectRefusal(Policy.self, ["--model-name=m", "\(option)=-1"], naming: option)
    }

    @Test("numbers whose product is beyond any run")
    func products() {
        expectRefusal(
            Sampling.self, ["--model-name=m", "--num-return-sequences=1000000000", "--groups=1000000000"], naming: "--num-return-sequences")
        for options in [
            ["--learn-batch-size=4", "--rollout-accumulation-steps=1000000000"],
            ["--learn-batch-size=9223372036854775807", "--gradient-accumulation-steps=9223372036854775807"],
        ] {
            expectRefusal(Policy.self, ["--model-name=m"] + options, naming: "rollouts per step")
        }
    }

    @Test("a number that is none is refused whatever its limits are", arguments: ["--pair-margin", "--length-weight", "--held-out-share"])
    func notANumber(option: String) {
        expectRefusal(Preferences.self, ["--model-name=m", "\(option)=nan"], naming: "\(option) is nan; expected a finite number")
    }

    @Test("the help of a sweep names all that it takes")
    func sweepHelp() {
        let help = Sampling.helpMessage(columns: 100)
        for name in SamplingSettings.names + ["num_return_sequences", "selection", "selection_temperature"] {
            #expect(help.contains(" \(SettingName.canonical(name)),") || help.contains(" \(SettingName.canonical(name))."), "\(name)")
        }
    }

    @Test("a sweep is an option that is repeated, whose values keep their commas; without one there is none")
    func sweep() throws {
        let command = try Sampling.parse(
            normalising: ["--model-name=m", "--sweep", "temperature=0.3,1", "--sweep=min-p=0,0.1"])
        #expect(try command.options.settings.sweep == ["temperature=0.3,1", "min-p=0,0.1"])
        #expect(try Sampling.parse(normalising: ["--model-name=m"]).options.settings.values["sweep"] == nil)
        let stored = try Sampling.parse(normalising: ["--samples-from=bon", "--selection=soft", "--selection-temperature=0.5"])
        #expect(try stored.options.settings.samplesFrom == "bon" && stored.options.settings.modelName.isEmpty)
        expectRefusal(Sampling.self, [], naming: "--model-name")
        expectRefusal(Sampling.self, ["--model-name=m", "--selection=hard"], naming: "--selection")
        expectRefusal(Sampling.self, ["--model-name=m", "--selection-temperature=1"], naming: "--selection-temperature")
    }

    @Test func preferences() {
        let option = "--eval-subsample-num"
        expectRefusal(Preferences.self, ["--model-name=m", "\(option)=-1"], naming: option)
    }

    private struct PPO: ProgramCommand {
        @OptionGroup var rewards: PPORewardOptions
        @OptionGroup var algorithm: PPOOptions
    }

    @Test("divisors that no checkpoint may have, and numbers that no reward can hold")
    func divisors() {
        for value in ["0", "-7", "inf"] {
            expectRefusal(
                Head.self, ["--value-normalisation-std=\(value)"], naming: "--value-normalisation-std is")
            expectRefusal(PPO.self, ["--value-normalisation-std=\(value)"], naming: "--value-normalisation-std is")
        }
        for option in ["--reward-scale", "--missing-eos-score", "--init-kl-coef"] {
            expectRefusal(PPO.self, ["\(option)=inf"], naming: "\(option) is")
        }
        expectRefusal(PPO.self, ["--appo-clip-policy=-1"], naming: "--appo-clip-policy is")
    }
}
