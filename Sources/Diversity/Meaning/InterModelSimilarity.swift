public import Eval

/// The similarity between the answers of several systems to the same inputs, `inter_model_similarity` (Jiang et al. 2025): the
/// mean cosine between the embedding of an answer of one system and that of an answer of another. If it is as high as the
/// similarity within one system, several systems together are no more diverse than a single one.
public struct InterModelSimilarity: Codable, Sendable, Equatable {
    /// The name by which the metric is chosen.
    public static let metricName = "inter_model_similarity"

    /// The similarity of two systems, or the mean over all pairs of systems.
    public struct Entry: Codable, Sendable, Equatable {
        /// `inter_model_similarity`, or `length_controlled_inter_model_similarity` for texts cut to a common length.
        public var name: String
        /// The names of the two systems; empty for the mean over all pairs of systems.
        public var systems: [String]
        /// Mean over inputs with its bootstrap interval.
        public var mean: Interval
        /// The value of each input; nil if a system has no text for it that could be encoded, or none that is long enough.
        public var values: [Double?]
        /// The number of inputs without a value.
        public var excluded: Int
    }

    /// The name of the encoder.
    public var encoder: String
    /// The entries for the in-distribution inputs.
    public var inDistribution: [Entry]
    /// The entries for the out-of-distribution inputs; nil unless several systems have them.
    public var outOfDistribution: [Entry]?
    /// The generalisation gap of each in-distribution entry, in the same order; nil without out-of-distribution entries.
    public var gap: [Interval?]?

    /// Comma-separated values: a line of column names, then one line per entry.
    public var csv: String {
        func lines(_ part: String, _ entries: [Entry]) -> [String] {
            entries.map { entry in
                let numbers = [entry.mean.mean, entry.mean.low, entry.mean.high].map { "\($0)" }
                let names = [part, entry.name, entry.systems.joined(separator: " | ")].map(CSVField.text)
                return (names + numbers + ["\(entry.values.count)", "\(entry.excluded)"]).joined(separator: ",")
            }
        }
        let columns = "part,metric,systems,mean,low,high,inputs,excluded"
        return ([columns] + lines("in_distribution", inDistribution) + lines("out_of_distribution", outOfDistribution ?? []))
            .joined(separator: "\n") + "\n"
    }

    /// The entries as readable lines, one per entry, with the gap of the mean over all pairs.
    public var text: String {
        func line(_ entry: Entry, _ part: String) -> String {
            let who = entry.systems.isEmpty ? "all pairs of systems" : entry.systems.joined(separator: " and ")
            return "\(entry.name)\(part), \(who): \(entry.mean)" + (entry.excluded > 0 ? "; \(entry.excluded) inputs left out" : "")
        }
        var lines = inDistribution.map { line($0, "") } + (outOfDistribution ?? []).map { line($0, " out of distribution") }
        for (entry, interval) in zip(inDistribution, gap ?? []) where entry.systems.isEmpty {
            if let interval { lines.append("\(entry.name), generalisation gap: \(interval)") }
        }
        return lines.joined(separator: "\n")
    }
}

extension InterModelSimilarity {
    /// Computes the similarity between systems that answered the same inputs in the same order.
    ///
    /// - Parameters:
    ///   - systems: for each system its name, its texts, and the indices of the texts of every input.
    ///   - encoder: the encoder of the texts.
    ///   - words: if not nil, the similarity is also computed on texts cut to this many words.
    ///   - resamples: the number of bootstrap resamples.
    ///   - seed: the seed of the bootstrap.
    static func entries(
        _ systems: [(name: String, collection: TextCollection, inputs: [[Int]])], by encoder: any TextEncoder, cutTo words: Int?,
        resamples: Int, seed: UInt64
    ) throws -> [Entry] {
        var result = try entries(systems, named: metricName, by: encoder, resamples: resamples, seed: seed)
        guard let words else { return result }
        let cut = systems.map { system in
            let texts = system.collection.texts.map { LengthControl.cut($0, toWords: words) }
            return (system.name, TextCollection(texts.map { $0 ?? "" }), system.inputs.map { $0.filter { texts[$0] != nil } })
        }
        result += try entries(cut, named: "length_controlled_" + metricName, by: encoder, resamples: resamples, seed: seed)
        return result
    }

    private static func entries(
        _ systems: [(name: String, collection: TextCollection, inputs: [[Int]])], named name: String, by encoder: any TextEncoder,
        resamples: Int, seed: UInt64
    ) throws -> [Entry] {
        // the mean cosine over pairs of texts is the dot product of the mean unit vectors
        let means = try systems.map { system in
            let units = try system.collection.unitVectors(by: encoder)
            let known = try system.collection.embeddings(by: encoder)
            return system.inputs.map { set -> [Double]? in
                let texts = set.filter { known[$0] != nil }
                return texts.isEmpty ? nil : units.sum(of: texts).map { $0 / Double(texts.count) }
            }
        }
        var values: [(systems: [String], values: [Double?])] = []
        for first in systems.indices {
            for second in systems.indices where second > first {
                let pair = zip(means[first], means[second]).map { a, b -> Double? in
                    guard let a, let b else { return nil }
                    return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
                }
                values.append(([systems[first].name, systems[second].name], pair))
            }
        }
        let all = (values.first?.values ?? []).indices.map { input in Statistics.mean(of: values.compactMap { $0.values[input] }) }
        let listed = [([], all)] + (values.count > 1 ? values : [])
        return listed.compactMap { systems, values in
            let present = values.compactMap { $0 }
            guard !present.isEmpty else { return nil }
            var generator = SplitMix64(seed: seed)
            return Entry(
                name: name, systems: systems, mean: Bootstrap.mean(of: present, resamples: resamples, using: &generator), values: values,
                excluded: values.count - present.count)
        }
    }

    /// The gap of each entry; all nil if the two sides do not have the same entries.
    static func gaps(_ inside: [Entry], _ outside: [Entry], resamples: Int, seed: UInt64) -> [Interval?] {
        let isAlike = inside.map(\.name) == outside.map(\.name)
        return inside.indices.map { place in
            guard isAlike else { return nil }
            var generator = SplitMix64(seed: seed)
            return GroupedMeans.generalisationGap(
                inDistribution: inside[place].values.compactMap { $0 }, outOfDistribution: outside[place].values.compactMap { $0 },
                resamples: resamples, using: &generator)
        }
    }
}
