import Diversity
import Eval
import Tensor

/// Measures two systems on the same and on out-of-distribution prompts: values, gaps and paired differences, with intervals.
func measureDiversity() throws {
    var random = Philox(seed: 5)
    func outputs(_ words: Int, prompts: Int) -> DiversityInput {
        DiversityInput(
            outputs: (0..<prompts).map { prompt in
                (0..<4).map { _ in
                    "prompt \(prompt) " + (0..<8).map { _ in "word\(Int.random(in: 0..<words, using: &random))" }.joined(separator: " ")
                }
            })
    }
    let sampled = DiversitySystem("sampled", outputs(200, prompts: 20), outOfDistribution: outputs(100, prompts: 12))
    let cautious = DiversitySystem("cautious", outputs(10, prompts: 20), outOfDistribution: outputs(10, prompts: 12))

    let results = try DiversityMeasurement.run(
        [sampled, cautious], metrics: [ExpectationAdjustedMetric(), SelfBLEUMetric(), VendiMetric()],
        options: .init(textMetrics: TextMetrics.builtIn))

    // results.text is what calculate-diversity prints; results.files are its tables
    let difference = results.comparisons[0].comparison.metrics[0]
    precondition(difference.name == "ead_averaged_distinct_ngrams")
    precondition(difference.perInput.map { $0.low > 0 } ?? false, "the sampled system must be more diverse")
    precondition(results.files.contains { $0.name == "gap" && $0.csv.contains("vendi_score") })
}
