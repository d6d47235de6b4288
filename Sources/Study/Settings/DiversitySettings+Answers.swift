import Diversity

extension DiversitySettings {
    /// Words of `--equivalence` and what they mean.
    private static let equivalences: KeyValuePairs<String, AnswerOptions.Equivalence?> = [
        "best": nil, "ngrams": .ngrams, "embeddings": .embeddings, "entailment": .entailment, "classifier": .classifier,
    ]
    /// Words of `--coverage-by`, and whether they mean equivalence.
    private static let coverages: KeyValuePairs<String, Bool> = ["rouge-l": false, "equivalence": true]

    /// What the settings say of the metrics of classes, meaning and quality.
    /// - Throws: `InvalidSetting` for a word that is none.
    func answerOptions() throws -> AnswerOptions {
        func meaning<Value>(_ option: String, _ word: String, _ words: KeyValuePairs<String, Value>) throws -> Value {
            guard let found = words.first(where: { $0.key == SettingName.canonical(word) }) else {
                throw InvalidSetting("\(option) is '\(word)'; it takes \(words.map(\.key).joined(separator: ", "))")
            }
            return found.value
        }
        var options = AnswerOptions()
        options.equivalence = try meaning("--equivalence", equivalence, Self.equivalences)
        guard equivalenceThreshold == nil || options.equivalence != nil else {
            throw InvalidSetting(
                "--equivalence-threshold needs --equivalence, for overlap, cosine and probability have thresholds of their own")
        }
        options.equivalenceThreshold = equivalenceThreshold
        options.entailmentReadsInput = entailmentWithInput
        options.count = atK
        options.patience = utilityPatience
        options.levels = utilityLevels
        options.qualityThreshold = qualityThreshold
        options.coverageThreshold = coverageThreshold
        options.coversByEquivalence = try meaning("--coverage-by", coverageBy, Self.coverages)
        return options
    }
}
