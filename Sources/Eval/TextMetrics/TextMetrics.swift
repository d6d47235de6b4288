/// The built-in text metrics.
public enum TextMetrics {
    /// The built-in metrics, to which custom ones can be appended:
    /// - `rouge_1`, `rouge_l`: F in the form of the published code; `bleu`: sentence BLEU divided by 100; `exact_match`. The
    ///   best reference counts. An empty text scores 1 against an empty reference; if only one of them is empty, the score is
    ///   0, as in the published code.
    /// - `standard_rouge_1`, `_2`, `_l`, `_lsum`: F in `rouge-score`'s form; `stemmed_rouge_…`: the same metrics with stemming.
    ///   The best reference counts.
    /// - `words`, `characters`: the length of the text in words and in code points.
    public static let builtIn: [any TextMetric] = formulas

    static let formulas: [TextFormula] =
        [
            .compared("rouge_1") { text, references in best(text, references) { text.original($0).rouge1.f } },
            .compared("rouge_l") { text, references in best(text, references) { text.original($0).rougeL.f } },
            .compared("bleu") { text, references in
                best(text, references) { BLEU.sentence.score(text.text, references: [$0]).score / 100 }
            },
            .compared("exact_match") { ExactMatch.score($0.text, references: $1) },
        ] + standard("standard", stems: false) + standard("stemmed", stems: true) + [
            TextFormula(name: "words") { Double(Lengths.words(in: $0.text)) },
            TextFormula(name: "characters") { Double(Lengths.scalars(in: $0.text)) },
        ]

    private static func standard(_ prefix: String, stems: Bool) -> [TextFormula] {
        let parts: [(String, @Sendable (ROUGE.StandardScores) -> Double)] = [
            ("1", { $0.rouge1.f }), ("2", { $0.rouge2.f }), ("l", { $0.rougeL.f }), ("lsum", { $0.rougeLsum.f }),
        ]
        return parts.map { part, score in
            .compared("\(prefix)_rouge_\(part)") { text, references in
                score(
                    text.derived("rouge-score, stems: \(stems)") {
                        ROUGE.Standard(stems: stems).score(text.text, references: references)
                    })
            }
        }
    }

    /// The best score over references, with the rule for empty texts.
    private static func best(_ text: MeasuredText, _ references: [String], _ score: (_ reference: String) -> Double) -> Double {
        references.map { reference in
            if text.text.isEmpty || reference.isEmpty { return text.text.isEmpty && reference.isEmpty ? 1 : 0 }
            return score(reference)
        }.max() ?? 0
    }
}

/// A built-in text metric, given by a formula that cannot fail.
struct TextFormula: TextMetric {
    let name: String
    let formula: @Sendable (MeasuredText) -> Double?

    /// A metric that compares a text with its references; texts without references have no value.
    static func compared(_ name: String, _ formula: @escaping @Sendable (MeasuredText, [String]) -> Double) -> TextFormula {
        TextFormula(name: name) { text in text.references.map { formula(text, $0) } }
    }

    func value(of text: MeasuredText) -> Double? { formula(text) }
}

extension MeasuredText {
    /// The scores against one reference in the form of the published code, computed once.
    fileprivate func original(_ reference: String) -> ROUGE.OriginalScores {
        derived("ROUGE of the original against \(reference)") { ROUGE.original(text, reference: reference) }
    }
}
