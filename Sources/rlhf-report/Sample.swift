import ArgumentParser
import CommandLine
import Report

/// `rlhf-report sample`.
struct Sample: ReportCommand {
    typealias Whole = ModelSampling

    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Samples from models: at a prompt, or for the prompts of a file.",
        usage: "rlhf-report sample MODELS… [--prompts FILE] [OPTIONS]",
        discussion: """
            The answer of one model appears while it is written. Several models answer the same prompts, one after the other.

              rlhf-report sample runs/sft
              echo "Name three colours." | rlhf-report sample models/gemma-3-270m-it
              rlhf-report sample runs/sft runs/ppo --prompts data/test.jsonl \\
                --max-prompts 5
              rlhf-report sample runs/dpo --prompts questions.txt \\
                --answers-output answers.jsonl --temperature 0.7
            """)

    @OptionGroup(title: "Models and prompts") var models: ModelSamplingOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingArguments
    @OptionGroup(title: "Base model of an adapter") var adapterBase: AdapterBaseOptions
    @OptionGroup(title: "Runs") var measuring: MeasuringOptions
}
