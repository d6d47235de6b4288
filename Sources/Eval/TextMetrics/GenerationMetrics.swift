/// All text metrics of generated texts against references, one number per text, ready for means and intervals.
public struct GenerationMetrics: Codable, Sendable, Equatable {
    /// One number per text by metric name; a list is shorter by the texts that ``leftOut`` counts.
    public private(set) var columns: [String: [Double]]
    /// How many texts lack what a column is made of, by what they lack: `reference`, or the name of a further column. The rest counts.
    public private(set) var leftOut: [String: Int] = [:]
    /// Corpus BLEU in `sacrebleu`'s default form, 0…100; nil without texts.
    public var corpusBLEU: Double?

    /// The metrics that ``measure(_:references:)`` computes:
    /// - `rouge_1`, `rouge_l`: F in the original's form; `bleu`: sentence BLEU over 100; `exact_match`.
    ///   For these the best reference counts, empty against empty is 1 and empty against anything else 0, as in the
    ///   paper's code.
    /// - `standard_rouge_1`, `_2`, `_l`, `_lsum`: F in `rouge-score`'s form, `stemmed_…` the same with stemming; the best
    ///   reference counts.
    /// - `words`, `characters`: length of the text.
    public static let names = [
        "rouge_1", "rouge_l", "bleu", "exact_match", "standard_rouge_1", "standard_rouge_2", "standard_rouge_l",
        "standard_rouge_lsum", "stemmed_rouge_1", "stemmed_rouge_2", "stemmed_rouge_l", "stemmed_rouge_lsum", "words",
        "characters",
    ]

    /// Measures texts.
    ///
    /// - Parameters:
    ///   - texts: what was generated.
    ///   - references: for each text its references; a text without any scores 0.
    public static func measure(_ texts: [String], references: [[String]]) -> GenerationMetrics {
        precondition(
            texts.count == references.count, "\(texts.count) texts but \(references.count) lists of references")
        return measure(texts, references: references.map(Optional.some))
    }

    /// The same where texts may have no reference: those are left out of the metrics that need one, and counted.
    static func measure(_ texts: [String], references: [[String]?]) -> GenerationMetrics {
        var columns: [String: [Double]] = [:]
        for name in names { columns[name] = [] }
        for (text, own) in zip(texts, references) {
            columns["words", default: []].append(Double(Lengths.words(in: text)))
            columns["characters", default: []].append(Double(Lengths.scalars(in: text)))
            guard let own else { continue }
            var row = [
                "rouge_1": best(text, own) { ROUGE.original(text, reference: $0).rouge1.f },
                "rouge_l": best(text, own) { ROUGE.original(text, reference: $0).rougeL.f },
                "bleu": best(text, own) { BLEU.sentence.score(text, references: [$0]).score / 100 },
                "exact_match": ExactMatch.score(text, references: own),
            ]
            for (prefix, stems) in [("standard", false), ("stemmed", true)] {
                let scores = ROUGE.Standard(stems: stems).score(text, references: own)
                row[prefix + "_rouge_1"] = scores.rouge1.f
                row[prefix + "_rouge_2"] = scores.rouge2.f
                row[prefix + "_rouge_l"] = scores.rougeL.f
                row[prefix + "_rouge_lsum"] = scores.rougeLsum.f
            }
            for (name, value) in row { columns[name, default: []].append(value) }
        }
        let known = zip(texts, references).compactMap { text, own in own.map { (text, $0) } }
        let corpus = known.isEmpty ? nil : BLEU.corpus.score(corpus: known.map(\.0), references: known.map(\.1)).score
        let without = texts.count - known.count
        return GenerationMetrics(columns: columns, leftOut: without > 0 ? ["reference": without] : [:], corpusBLEU: corpus)
    }

    /// Adds a column of numbers about the same texts: rewards, token counts, divergences.
    public mutating func add(_ values: [Double], named name: String) {
        let count = columns["words"]?.count ?? values.count
        precondition(values.count == count, "column \(name) has \(values.count) values for \(count) texts")
        columns[name] = values
    }

    /// Adds a column of numbers that some texts do not have; those are left out and counted. Nothing is added where no text has one.
    mutating func add(known values: [Double?], named name: String) {
        let known = values.compactMap { $0 }
        guard !known.isEmpty else { return }
        columns[name] = known
        if known.count < values.count { leftOut[name] = values.count - known.count }
    }

    /// Mean with interval, median and spread of every column; columns are summarised in the order of their names.
    public func summaries(
        resamples: Int = 2000, using generator: inout some RandomNumberGenerator
    ) -> [String: GroupSummary] {
        var summaries: [String: GroupSummary] = [:]
        for (name, values) in columns.sorted(by: { $0.key < $1.key }) {
            summaries[name] = GroupSummary(of: values, resamples: resamples, using: &generator)
        }
        return summaries
    }

    /// The original's flat form: `average_` and `median_` of every column, means of text metrics (``names``) rounded to four decimals; and
    /// `without_` before what some texts lack, how many.
    public var averagesAndMedians: [String: Double] {
        var flat: [String: Double] = [:]
        for (name, values) in columns {
            flat["average_" + name] = Statistics.mean(of: values).map {
                Self.names.contains(name) ? ($0 * 10000).rounded(.toNearestOrEven) / 10000 : $0
            }
            flat["median_" + name] = Statistics.median(of: values)
        }
        for (name, count) in leftOut { flat["without_" + name] = Double(count) }
        return flat
    }

    /// The best score over references with the rule for empty texts.
    private static func best(_ text: String, _ references: [String], _ score: (String) -> Double) -> Double {
        references.map { reference in
            if text.isEmpty || reference.isEmpty { return text.isEmpty && reference.isEmpty ? 1 : 0 }
            return score(reference)
        }.max() ?? 0
    }
}
