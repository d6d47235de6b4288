extension DiversityMetricKind {
    /// The metrics based on classes, meaning and quality, and the metric between systems.
    static let ofAnswers: [DiversityMetricKind] = [
        DiversityMetricKind("distinct_k", missing: { config, models, _ in Missing.equivalence(config, models) }) { config, models in
            config.answers.equivalence(models).map { DistinctClassesMetric($0, count: config.answers.count) }
        },
        DiversityMetricKind(
            "utility_k", missing: { config, models, known in Missing.all(Missing.equivalence(config, models), Missing.rewards(known)) }
        ) { config, models in
            let options = config.answers
            return options.equivalence(models).map {
                UtilityMetric(
                    $0, count: options.count, patience: options.patience,
                    scale: options.levels.isEmpty ? nil : UtilityMetric.Scale(options.levels))
            }
        },
        DiversityMetricKind("semantic_entropy", missing: { _, models, _ in Missing.entailment(models) }) { config, models in
            config.answers.meaning(models).map { SemanticEntropyMetric($0) }
        },
        DiversityMetricKind(
            "semantic_entropy_by_likelihood",
            missing: { _, models, known in Missing.all(Missing.entailment(models), Missing.logProbs(known)) }
        ) { config, models in
            config.answers.meaning(models).map { SemanticEntropyMetric($0, usesLikelihoods: true) }
        },
        DiversityMetricKind(
            "effective_semantic_diversity",
            missing: { config, models, known in
                Missing.all(Missing.equivalence(config, models), Missing.threshold(config), Missing.rewards(known))
            }
        ) { config, models in
            guard let threshold = config.answers.qualityThreshold else { return nil }
            return config.answers.equivalence(models).map { EffectiveDiversityMetric($0, threshold: threshold, pairs: config.pairSample) }
        },
        DiversityMetricKind(
            "pass_at_k", missing: { config, _, known in Missing.all(Missing.threshold(config), Missing.rewards(known)) }
        ) { config, _ in
            config.answers.qualityThreshold.map { PassAtKMetric(threshold: $0, count: config.answers.count) }
        },
        DiversityMetricKind("best_reward_at_k", missing: { _, _, known in Missing.rewards(known) }) { config, _ in
            BestRewardMetric(count: config.answers.count)
        },
        DiversityMetricKind(
            "reference_coverage",
            missing: { config, models, known in
                Missing.all(
                    config.answers.coversByEquivalence ? Missing.equivalence(config, models) : nil,
                    known.hasReferences ? nil : "references of the inputs")
            }
        ) { config, models in
            guard config.answers.coversByEquivalence else { return ReferenceCoverageMetric(.rougeL(config.answers.coverageThreshold)) }
            return config.answers.equivalence(models).map { ReferenceCoverageMetric(.equivalence($0)) }
        },
        DiversityMetricKind(
            InterModelSimilarity.metricName, isBetweenSystems: true,
            missing: { _, models, known in
                Missing.all(
                    models.encoder == nil ? "a sentence encoder (--embedding-model)" : nil,
                    known.systems > 1 ? nil : "a second system (--compare-run-ids or --compare-decodes)")
            }
        ) { _, _ in nil },
    ]
}

/// Wording for a missing requirement of a metric; nil if the requirement is met.
private enum Missing {
    static func all(_ parts: String?...) -> String? {
        let missing = parts.compactMap { $0 }
        return missing.isEmpty ? nil : missing.joined(separator: " and ")
    }

    static func rewards(_ known: KnownFacts) -> String? {
        known.hasRewards ? nil : "rewards of the outputs (tables of scored answers, or reward in a file)"
    }

    static func logProbs(_ known: KnownFacts) -> String? {
        known.hasLogProbs ? nil : "likelihoods of the outputs (the columns log_prob and tokens, which sample-best-of-n writes)"
    }

    static func threshold(_ config: DiversityConfig) -> String? {
        config.answers.qualityThreshold == nil ? "the reward from which an answer is good enough (--quality-threshold)" : nil
    }

    static func entailment(_ models: DiversityModels) -> String? {
        models.entailment == nil ? "a natural language inference model (--nli-model)" : nil
    }

    static func equivalence(_ config: DiversityConfig, _ models: DiversityModels) -> String? {
        guard config.answers.equivalence(models) == nil else { return nil }
        return switch config.answers.equivalence {
        case .embeddings: "a sentence encoder (--embedding-model)"
        case .entailment: "a natural language inference model (--nli-model)"
        default: "a classifier for equivalent answers (--similarity-model)"
        }
    }
}
