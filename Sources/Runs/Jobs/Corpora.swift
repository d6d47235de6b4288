import Data
import Foundation

extension DataOptions {
    /// The corpus that the options name.
    func corpus() throws -> SummaryCorpus {
        switch dataset {
        case "generated": try GeneratedPosts(seed: dataSeed).corpus()
        case "debian": try PackageDescriptions(seed: dataSeed).corpus()
        default: try SummaryCorpus.load(URL(fileURLWithPath: dataset, isDirectory: true))
        }
    }

    /// The training examples, cut to the wanted number.
    func trainingExamples(of corpus: SummaryCorpus) throws -> [SummaryExample] {
        let examples = try corpus.examples(in: "train")
        return maxTrainExamples.map { Array(examples.prefix($0)) } ?? examples
    }

    /// The first examples of a split, as many as are evaluated.
    func evaluationExamples(of corpus: SummaryCorpus, split: String, count: Int? = nil) throws -> [SummaryExample] {
        Array(try corpus.examples(in: split).prefix(count ?? targetEvalDatapoints))
    }

    func tokenisation(of corpus: SummaryCorpus, context: Int, newTokens: Int = 0) throws -> SFTTokenisation {
        // prompt, summary and end must fit the model's context together
        let target = min(maxTargetLength, context / 2)
        let source = min(maxSourceLength, context - max(target, newTokens) - 1)
        guard source > 0 else {
            throw CommandLineError.invalid(
                "the model's context of \(context) tokens leaves no room for a prompt beside \(max(target, newTokens)) new tokens")
        }
        return SFTTokenisation(format: corpus.format, maximumSource: source, maximumTarget: target)
    }
}
