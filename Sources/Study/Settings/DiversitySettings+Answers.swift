import Diversity

extension DiversitySettings {
    /// The values of `--equivalence` and their meanings.
    private static let equivalences: KeyValuePairs<String, AnswerOptions.Equivalence?> = [
        "best": nil, "ngrams": .ngrams, "embeddings": .embeddings, "entailment": .entailment, "classifier": .classifier,
    ]
    /// The values of `--coverage-by`, and whether they mean equivalence.
    private static let coverages: KeyValuePairs<String, Bool> = ["rouge-l": false, "equivalence": true]

    /// Checks the ranges of numbers.
    /// - Throws: `InvalidSetting` for a number out of range, with the name of its option.
    func validateNumbers() throws {
        let counts: [(option: String, value: Int?)] = [
            ("--at-k", atK), ("--limit-outputs", limitOutputs), ("--common-length", commonLength),
            ("--across-input-draws", acrossInputDraws), ("--simulate-bon-for-per-input", simulateBonForPerInput),
            ("--simulate-bon-for-per-input-n-outputs", simulateBonForPerInputNOutputs), ("--ead-vocabulary-size", eadVocabularySize),
            ("--nli-samples", nliSamples),
        ]
        for (option, value) in counts where value ?? 1 < 1 { throw InvalidSetting("\(option) is \(value ?? 0); it must be at least 1") }
        guard !sampleOverall || sampleOverallSize > 1 else {
            throw InvalidSetting("--sample-overall-size is \(sampleOverallSize); it must be at least 2")
        }
        guard qualityThreshold?.isFinite ?? true else {
            throw InvalidSetting("--quality-threshold is \(qualityThreshold ?? 0); it must be a finite number")
        }
        guard utilityPatience > 0, utilityPatience <= 1 else {
            throw InvalidSetting("--utility-patience is \(utilityPatience); it must be above 0 and at most 1")
        }
        guard utilityLevels.allSatisfy(\.isFinite) else { throw InvalidSetting("--utility-levels must be finite numbers") }
        guard (0...1).contains(coverageThreshold) else {
            throw InvalidSetting("--coverage-threshold is \(coverageThreshold); it must be from 0 to 1")
        }
        guard let equivalenceThreshold else { return }
        switch equivalence {
        case "entailment":
            throw InvalidSetting("--equivalence-threshold has no effect with --equivalence entailment, which uses the most likely label")
        case "embeddings" where !(-1...1).contains(equivalenceThreshold):
            throw InvalidSetting("--equivalence-threshold is \(equivalenceThreshold); it must be from -1 to 1 for embeddings")
        case "ngrams" where !(0...1).contains(equivalenceThreshold), "classifier" where !(0...1).contains(equivalenceThreshold):
            throw InvalidSetting("--equivalence-threshold is \(equivalenceThreshold); it must be from 0 to 1")
        default: break
        }
    }

    /// The options of the metrics of equivalence classes, meaning and quality.
    /// - Throws: `InvalidSetting` for an unknown value.
    func answerOptions() throws -> AnswerOptions {
        func meaning<Value>(_ option: String, _ word: String, _ words: KeyValuePairs<String, Value>) throws -> Value {
            guard let found = words.first(where: { $0.key == SettingName.canonical(word) }) else {
                throw InvalidSetting("\(option) is '\(word)'; expected \(words.map(\.key).joined(separator: ", "))")
            }
            return found.value
        }
        var options = AnswerOptions()
        options.equivalence = try meaning("--equivalence", equivalence, Self.equivalences)
        guard equivalenceThreshold == nil || options.equivalence != nil else {
            throw InvalidSetting(
                "--equivalence-threshold needs --equivalence, because overlap, cosine and probability need different thresholds")
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
